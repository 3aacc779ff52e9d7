"""The session job's rules, without Flink: disjoint intervals of one user's events that merge and close.

A session ends when no event follows within ``gap`` and is cut ``max_span`` after its first event. Events come in any
order ahead of the watermark. All times are epoch milliseconds, sums are whole micro-units of ``value``.

Why it is exact although intervals hold no events: times at or below the watermark are complete, so the first interval
that starts there (the *open* one) has its final start, and with it the one time at which it may have to be cut. No
interval is ever merged across that time. Events at ``watermark + max_span`` or later are not added yet but *stashed*
by the caller (:meth:`SessionRules.must_wait`), so no interval can reach a cut that is not yet known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Event(NamedTuple):
    """What the rules know of an event."""

    time: int
    type: str
    micros: int


@dataclass
class Interval:
    """Events that belong together: edges, count, sum, and the first time of each event type."""

    start: int
    end: int
    count: int
    micros: int
    first_times: dict[str, int] = field(default_factory=dict)
    more_types: bool = False

    def event_types(self) -> list[str]:
        """Types in order of first appearance; ties by name."""
        return sorted(self.first_times, key=lambda name: (self.first_times[name], name))


@dataclass(frozen=True)
class SessionRules:
    """The job's settings, and what follows from them for one user's intervals (sorted, disjoint)."""

    gap: int
    max_span: int
    max_types: int

    def must_wait(self, time: int, watermark: int) -> bool:
        """Whether the event is too far ahead of the watermark to be added to intervals."""
        return time >= watermark + self.max_span

    def ready_at(self, time: int) -> int:
        """The watermark from which an event that had to wait may be added."""
        return time - self.max_span + 1

    def add_events(self, intervals: list[Interval], events: Sequence[Event], watermark: int) -> list[Interval]:
        """Adds events none of which has to wait and no two of which are the gap or more apart.

        They are one interval, or two where the cut lies between them: what an interval costs is paid once for all.
        """
        cut = self._cut(intervals, watermark)
        if cut is not None and any(event.time >= cut for event in events):
            before = [event for event in events if event.time < cut]
            if before:
                intervals = self.add(intervals, self.interval(before), watermark)
            events = [event for event in events if event.time >= cut]
        return self.add(intervals, self.interval(events), watermark)

    def interval(self, events: Sequence[Event]) -> Interval:
        """Events, at least one, that are known to belong together."""
        times = [event.time for event in events]
        first_times: dict[str, int] = {}
        for time, name, _ in events:
            if time < first_times.get(name, time + 1):
                first_times[name] = time
        micros = sum(event.micros for event in events)
        return self._limited(Interval(min(times), max(times), len(times), micros, first_times))

    def add(self, intervals: list[Interval], event: Interval, watermark: int) -> list[Interval]:
        """Adds an interval, merging what is less than the gap apart."""
        cut = self._cut(intervals, watermark)
        kept: list[Interval] = []
        for other in intervals:
            if self._connected(other, event) and (cut is None or (other.start >= cut) == (event.start >= cut)):
                event = self._merged(other, event)
            else:
                kept.append(other)
        kept.append(event)
        kept.sort(key=lambda interval: interval.start)
        return kept

    def closes_at(self, intervals: list[Interval]) -> int | None:
        """The watermark at which the first interval is complete; None without intervals."""
        if not intervals:
            return None
        return min(intervals[0].end + self.gap, intervals[0].start + self.max_span) - 1

    def became_true(self, session: Interval) -> int:
        """When the session was over, in event time: the end of the gap, or the cut."""
        return min(session.end + self.gap, session.start + self.max_span)

    def needs_from(self, session: Interval) -> int:
        """The earliest event time that can change the session: an event within the gap before it would begin it.

        After a start without state, a user who never pauses for the gap is cut 24 h after the first event that was
        seen, not that was: those sessions are whole, and have starts, so ids, of their own.
        """
        return session.start - self.gap

    def close(self, intervals: list[Interval], watermark: int) -> tuple[list[Interval], list[Interval]]:
        """Takes out what the watermark completes: ``(closed, open)``."""
        closed: list[Interval] = []
        closes = self.closes_at(intervals)
        while closes is not None and closes <= watermark:
            closed.append(intervals[0])
            intervals = self._rejoined(intervals[1:], watermark)
            closes = self.closes_at(intervals)
        return closed, intervals

    def advance(
        self, intervals: list[Interval], waiting: list[Interval], watermark: int
    ) -> tuple[list[Interval], list[Interval], list[Interval]]:
        """Brings intervals and stash to the watermark: ``(closed, open, still waiting)``.

        As if the watermark had passed every time on its way, however far it jumped: each cut is known before an event
        beyond it is added.
        """
        closed: list[Interval] = []
        still_waiting: list[Interval] = []
        for event in sorted(waiting, key=lambda interval: interval.start):
            if self.must_wait(event.start, watermark):
                still_waiting.append(event)
                continue
            ready = self.ready_at(event.start)
            done, intervals = self.close(intervals, ready)
            closed += done
            intervals = self.add(intervals, event, ready)
        done, intervals = self.close(intervals, watermark)
        return closed + done, intervals, still_waiting

    def _cut(self, intervals: list[Interval], watermark: int) -> int | None:
        if intervals and intervals[0].start <= watermark:
            return intervals[0].start + self.max_span
        return None

    def _rejoined(self, intervals: list[Interval], watermark: int) -> list[Interval]:
        """Merges what only the closed interval's cut had kept apart."""
        joined: list[Interval] = []
        for interval in intervals:
            joined = self.add(joined, interval, watermark)
        return joined

    def _connected(self, one: Interval, other: Interval) -> bool:
        return one.start < other.end + self.gap and other.start < one.end + self.gap

    def _merged(self, one: Interval, other: Interval) -> Interval:
        first_times = dict(one.first_times)
        for name, time in other.first_times.items():
            first_times[name] = min(time, first_times.get(name, time))
        return self._limited(
            Interval(
                min(one.start, other.start),
                max(one.end, other.end),
                one.count + other.count,
                one.micros + other.micros,
                first_times,
                one.more_types or other.more_types,
            )
        )

    def _limited(self, interval: Interval) -> Interval:
        if len(interval.first_times) > self.max_types:
            # The earliest types stay; a later event can only make a dropped one earlier, and then it comes again.
            kept = interval.event_types()[: self.max_types]
            interval.first_times = {name: interval.first_times[name] for name in kept}
            interval.more_types = True
        return interval
