"""Behavior: per session_id and user, a session that ends when the next event is ``gap`` (30 min) away or more.

    event_sequence   = the event types in order of time, "view -> click"; the first ``max_steps`` (100), then a mark
    session_duration = session_end - session_start, milliseconds
    total_value      = exact sum of value, null counts as 0
    conversion_flag  = the steps of ``funnel`` (view, click, purchase) in their order, not adjacent

Events of one time are taken in the order of the funnel, then by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.events import Event
from contracts.jobs.behavior import BehaviorSettings
from contracts.results import MORE_MARK, STEP_SEPARATOR, ResultType
from flink_jobs.rule import Emit, Rule, result_of
from flink_jobs.settings import Settings

Result = result_of(ResultType.BEHAVIOR)

Key = tuple[int, str]


@dataclass(slots=True)
class OpenSession:
    """Times are epoch milliseconds; ``funnel``: how many of its steps were seen."""

    start: int
    last: int
    count: int
    micros: int
    steps: list[str]
    more_steps: bool
    funnel: int


class Behavior(Rule[Key, OpenSession]):
    """The rule; settings in milliseconds."""

    job = ResultType.BEHAVIOR
    key = ("user_id", "session_id")
    fields = ("event_type", "amount")
    state = OpenSession

    def __init__(self, settings: BehaviorSettings) -> None:
        self.gap, self.max_steps, self.funnel = settings.gap, settings.max_steps, settings.funnel
        self._ranks = {step: rank for rank, step in reversed(list(enumerate(self.funnel)))}

    def on_batch(self, key: Key, state: OpenSession | None, events: Sequence[Event], emit: Emit) -> OpenSession:
        """Adds the events' steps; one that is the gap or more behind the last begins another session."""
        session = state
        for event in self._in_order(events):
            time = event.event_time
            if session is not None and time - session.last >= self.gap:
                self._close(key, session, emit)
                session = None
            if session is None:
                session = OpenSession(time, time, 0, 0, [], False, 0)
            session.last = time
            session.count += 1
            session.micros += event.amount
            if len(session.steps) < self.max_steps:
                session.steps.append(event.event_type)
            else:
                session.more_steps = True
            if session.funnel < len(self.funnel) and event.event_type == self.funnel[session.funnel]:
                session.funnel += 1
        assert session is not None  # noqa: S101 - a batch has an event
        return session

    def due(self, state: OpenSession) -> int:
        """When the gap is over."""
        return state.last + self.gap

    def on_time(self, key: Key, state: OpenSession, now: int, emit: Emit) -> None:
        """The session is over."""
        self._close(key, state, emit)

    def _in_order(self, events: Sequence[Event]) -> Sequence[Event]:
        if len({event.event_time for event in events}) == len(events):
            return events
        other = len(self.funnel)
        return sorted(events, key=lambda event: (event[0], self._ranks.get(event.event_type, other), event.event_type))

    def _close(self, key: Key, session: OpenSession, emit: Emit) -> None:
        steps = [*session.steps, MORE_MARK] if session.more_steps else session.steps
        emit(
            Result(
                event_time=session.last + self.gap,
                session_id=key[1],
                user_id=key[0],
                session_start=session.start,
                session_end=session.last,
                event_count=session.count,
                event_sequence=STEP_SEPARATOR.join(steps),
                session_duration=session.last - session.start,
                total_value=session.micros,
                conversion_flag=session.funnel == len(self.funnel),
                # An event less than the gap before the first would have begun it.
                needs_from=session.start - self.gap,
            )
        )


def rule(settings: Settings) -> Behavior:
    """The rule with its settings."""
    return Behavior(settings.behavior)
