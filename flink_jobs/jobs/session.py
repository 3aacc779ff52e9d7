"""Session: per user, the events with less than ``gap`` (30 min) between them, cut ``max_span`` (24 h) after the first.

    duration_minutes = (session_end - session_start) / 60,000 ms
    total_value      = exact sum of value, null counts as 0
    event_types      = in order of first appearance (ties by name), the first ``max_types`` (100), then a mark

A session is over ``gap`` after its last event, or at the cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.events import Event
from contracts.jobs.session import SessionSettings
from contracts.results import MORE_MARK, ResultType
from flink_jobs.rule import Emit, Rule, result_of
from flink_jobs.settings import Settings

Result = result_of(ResultType.SESSION)


@dataclass(slots=True)
class OpenSession:
    """Times are epoch milliseconds; ``types`` has the first time of each event type."""

    start: int
    last: int
    count: int
    micros: int
    types: dict[str, int]
    more_types: bool


class Session(Rule[int, OpenSession]):
    """The rule; settings in milliseconds."""

    job = ResultType.SESSION
    key = ("user_id",)
    fields = ("event_type", "amount")
    state = OpenSession

    def __init__(self, settings: SessionSettings) -> None:
        self.gap, self.max_span, self.max_types = settings.gap, settings.max_span, settings.max_types

    def on_batch(self, key: int, state: OpenSession | None, events: Sequence[Event], emit: Emit) -> OpenSession:
        """Adds the events; one that is too far from the last, or from the first, begins another session."""
        session = state
        for event in events:
            time = event.event_time
            if session is not None and self.due(session) <= time:
                self._close(key, session, emit)
                session = None
            if session is None:
                session = OpenSession(time, time, 0, 0, {}, False)
            session.last = time
            session.count += 1
            session.micros += event.amount
            if event.event_type not in session.types:
                session.types[event.event_type] = time
                if len(session.types) > self.max_types:
                    session.types = dict(_in_order(session.types)[: self.max_types])
                    session.more_types = True
        assert session is not None  # noqa: S101 - a batch has an event
        return session

    def due(self, state: OpenSession) -> int:
        """When the session is over."""
        return min(state.last + self.gap, state.start + self.max_span)

    def on_time(self, key: int, state: OpenSession, now: int, emit: Emit) -> None:
        """The session is over."""
        self._close(key, state, emit)

    def _close(self, user: int, session: OpenSession, emit: Emit) -> None:
        names = [name for name, _ in _in_order(session.types)]
        emit(
            Result(
                event_time=self.due(session),
                user_id=user,
                session_start=session.start,
                session_end=session.last,
                duration_minutes=(session.last - session.start) / 60_000,
                event_count=session.count,
                total_value=session.micros,
                event_types=[*names, MORE_MARK] if session.more_types else names,
                # An event less than the gap before the first would have begun it.
                needs_from=session.start - self.gap,
            )
        )


def _in_order(types: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(types.items(), key=lambda item: (item[1], item[0]))


def rule(settings: Settings) -> Session:
    """The rule with its settings."""
    return Session(settings.session)
