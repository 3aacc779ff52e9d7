"""The engine's host over lists of events, with a store that is a dict."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from contracts.events import DECIMAL_SCALE, Event
from flink_jobs.engine.host import Host
from flink_jobs.engine.lanes import Lane, lanes
from flink_jobs.rule import Rule, result_of

_GROUPS = 3
_NEVER = 2**63 - 1
_NO_BOUND = 1_000_000_000
#: How far events are taken ahead of the watermark, milliseconds.
_DISORDER = 60_000


class RuleFailed(AssertionError):
    """The rule raised, and the test did not ask for it; the message has what the rule said."""


@dataclass(frozen=True)
class Rejected:
    """An event on which a rule failed, as the rejected stream would have it; ``payload`` is JSON."""

    job: str
    key: str
    position: str
    detail: str
    payload: str
    event_time: int


def event(at: int, user_id: int = 1, event_type: str = "view", value: float | None = None, **fields: Any) -> Event:
    """An event ``at`` epoch milliseconds; ``amount`` is the value's, rounded half up as at decoding."""
    exact = Decimal(0 if value is None else repr(value)).scaleb(DECIMAL_SCALE)
    amount = int(exact.to_integral_value(ROUND_HALF_UP))
    return Event(at, user_id, event_type, **{"value": value, "amount": amount, **fields})


@dataclass
class _Store:
    """One group's part of Flink's state."""

    values: dict[str, bytes] = field(default_factory=dict)

    def put(self, key: str, value: bytes) -> None:
        self.values[key] = value

    def remove(self, key: str) -> None:
        del self.values[key]

    def items(self) -> list[tuple[str, bytes]]:
        return list(self.values.items())


class Job:
    """One or more rules at work.

    Args:
        rules: of one application; those of one key and pace share their slots.
        slot: milliseconds of the slots of rules that have none of their own.
        most: states that are kept in memory; others wait on disk.
    """

    def __init__(self, *rules: Rule[Any, Any], slot: int | None = None, most: int = _NO_BOUND) -> None:
        self._slot = slot
        self._most = most
        self._lanes = lanes(rules)
        self._stores: list[dict[int, _Store]] = [defaultdict(_Store) for _ in self._lanes]
        self._now = 0
        self._ahead: list[list[Event]] = [[] for _ in self._lanes]
        self._rows: list[tuple[Any, ...]] = []
        self.rejected: list[Rejected] = []
        self._start()

    def take(self, events: Iterable[Event]) -> None:
        """Takes events, in any order; they are handed to the rules when the watermark passes their slots.

        Raises:
            ValueError: an event is late: time has passed it.
        """
        for each in events:
            if each.event_time < self._now:
                raise ValueError(f"{each} is late: event time is {self._now}. Take it before.")
            for lane, ahead in zip(self._lanes, self._ahead, strict=True):
                if _reads(lane, each):
                    ahead.append(_as_given(lane, each))

    def pass_time(self, now: int) -> None:
        """No event before ``now``, epoch milliseconds, follows: the rules are given the slots that are over."""
        self._now = now
        for number, lane in enumerate(self._lanes):
            length = self._slot if lane.shrinks and self._slot is not None else lane.slot
            complete = now if now == _NEVER else now // length * length
            slots: dict[int, list[Event]] = defaultdict(list)
            for each in self._ahead[number]:
                if each.event_time < complete:
                    slots[each.event_time // length * length].append(each)
            self._ahead[number] = [each for each in self._ahead[number] if each.event_time >= complete]
            for start, events in sorted(slots.items()):
                self._give(number, start, start + length, events)
            self._give(number, complete, complete, [])

    def finish(self) -> list[Any]:
        """Lets all time pass; gives every result so far, each with its columns by name.

        Raises:
            RuleFailed: a rule raised; tests that ask for that look at ``rejected`` and call ``results``.
        """
        self.pass_time(_NEVER)
        if self.rejected:
            raise RuleFailed(self.rejected[0].detail)
        return self.results()

    def results(self) -> list[Any]:
        """Every result so far."""
        return list(self._rows)

    def restart(self, *rules: Rule[Any, Any]) -> None:
        """A checkpoint, and another worker that goes on from it; ``rules``: the same jobs with other settings."""
        self.checkpoint()
        if rules:
            self._lanes = lanes(rules)
        self._start()

    def checkpoint(self) -> None:
        """Writes what changed into the state."""
        for host, stores in zip(self._hosts, self._stores, strict=True):
            for group in range(_GROUPS):
                host.write(group, stores[group])

    def state_bytes(self) -> int:
        """Size of what the last checkpoint holds."""
        stores = [store for each in self._stores for store in each.values()]
        return sum(len(value) for store in stores for value in store.values.values())

    def _start(self) -> None:
        self._hosts = [Host(lane, self._most) for lane in self._lanes]
        for host, stores in zip(self._hosts, self._stores, strict=True):
            for group in range(_GROUPS):
                host.read(group, stores[group])

    def _give(self, number: int, start: int, end: int, events: list[Event]) -> None:
        lane, host = self._lanes[number], self._hosts[number]
        groups: dict[int, list[Event]] = {}
        for each in events:
            groups.setdefault(hash(getattr(each, lane.key)) % _GROUPS, []).append(each)
        for _ in host.hand_over(start, end, groups):
            self._collect(host)
        self._collect(host)

    def _collect(self, host: Host) -> None:
        for given in host.given():
            make = result_of(given.rule.job)
            self._rows += [make(*row) for row in given.rows]
        self.rejected += [Rejected(*failure) for failure in host.failures()]


def _reads(lane: Lane, each: Event) -> bool:
    if lane.event_types and each.event_type not in lane.event_types:
        return False
    return all(getattr(each, name) is not None for name in (lane.key, *lane.needs))


def _as_given(lane: Lane, each: Event) -> Event:
    """The event with the fields that the lane's rules declare; a rule sees nothing else of it in the application."""
    defaults = Event._field_defaults
    return Event._make(getattr(each, name) if name in lane.fields else defaults.get(name) for name in Event._fields)


def outcomes(*rules: Rule[Any, Any], events: Sequence[Event], seed: int = 0) -> Iterator[tuple[str, list[Any]]]:
    """The sorted results of the events in their order, and of runs that must give the same: ``(how, results)``.

    Another order of events, restarts between them, short slots, states on disk, and the rules each by itself.
    """
    source = random.Random(seed)  # noqa: S311 - a test's order
    plain = sorted(events, key=lambda each: each.event_time)

    times = sorted({each.event_time for each in plain})

    def run(job: Job, order: Sequence[Event], steps: int = 0, *, restarts: bool = False) -> list[Any]:
        ahead = list(order)
        for now in sorted(source.sample(times, min(steps, len(times)))):
            job.take(each for each in ahead if each.event_time < now + _DISORDER)
            ahead = [each for each in ahead if each.event_time >= now + _DISORDER]
            job.pass_time(now)
            if restarts:
                job.restart()
        job.take(ahead)
        return sorted(job.finish(), key=repr)

    yield "in order", run(Job(*rules), plain)
    shuffled = list(plain)
    source.shuffle(shuffled)
    yield "in another order", run(Job(*rules), shuffled, 20)
    yield "with restarts", run(Job(*rules), shuffled, 40, restarts=True)
    yield "in slots of a second", run(Job(*rules, slot=1_000), shuffled, 20)
    yield "with states on disk", run(Job(*rules, most=2), shuffled, 40, restarts=True)
    yield "each by itself", sorted((row for rule in rules for row in run(Job(rule), plain)), key=repr)


def side_by_side(*rules: Rule[Any, Any], events: Sequence[Event]) -> dict[str, list[Any]]:
    """Each job's results when all run over the events at once."""
    job = Job(*rules)
    job.take(events)
    found: dict[str, list[Any]] = {rule.job.value: [] for rule in rules}
    for row in job.finish():
        found[type(row).__name__.removesuffix("_result")].append(row)
    return found
