"""Session: per user, the events with less than 30 minutes between them, cut 24 hours after the first.

Gives user_id, session_start, session_end (last event), duration_minutes, event_count, exact total_value, and
event_types in order of first appearance (ties by name; at most 100, then a mark). It comes out when the watermark
proves that no event can follow: at session_end + gap, or at the cut.

This is the model for a stateful function of your own: rules without Flink in :mod:`flink_jobs.sessions`, and here
only state, timers and rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from pyflink.common import Row, Types
from pyflink.datastream import DataStream, KeyedProcessFunction, RuntimeContext, TimerService
from pyflink.datastream.state import ListState, ListStateDescriptor, ValueState, ValueStateDescriptor

from contracts.events import DECIMAL_SCALE
from contracts.results import MORE_MARK
from flink_jobs.gateway import java, keyed_by_first_field
from flink_jobs.sessions import Interval, SessionRules
from flink_jobs.settings import SessionSettings

#: Columns of the output, in order.
COLUMNS = (
    "event_time",
    "user_id",
    "session_start",
    "session_end",
    "duration_minutes",
    "event_count",
    "total_value",
    "event_types",
    "needs_from",
)


@dataclass
class UserState:
    """One user's state, in one entry: every entry that is read costs a round trip to the JVM.

    ``timer`` is the one close timer that is set; ``ready`` is when the first event of the stash may be added, None
    while the stash is empty.
    """

    intervals: list[Interval] = field(default_factory=list)
    timer: int | None = None
    ready: int | None = None


class SessionJob(KeyedProcessFunction):  # type: ignore[misc]  # PyFlink has no types
    """Keyed by user; in: (event_type, amount) with the event time as timestamp; out: COLUMNS."""

    def __init__(self, rules: SessionRules) -> None:
        self._rules = rules
        self._user: ValueState
        self._stash: ListState

    def open(self, runtime_context: RuntimeContext) -> None:
        """Registers the state: the user's intervals, and the events that are too far ahead for them."""
        pickled = Types.PICKLED_BYTE_ARRAY()
        self._user = runtime_context.get_state(ValueStateDescriptor("user", pickled))
        self._stash = runtime_context.get_list_state(ListStateDescriptor("stash", pickled))

    def process_element(self, value: Row, ctx: KeyedProcessFunction.Context) -> Iterator[Row]:
        """Adds the event to its user's intervals, or to the stash."""
        time: int = ctx.timestamp()
        timers = ctx.timer_service()
        watermark: int = timers.current_watermark()
        event_type, amount = value
        micros = 0 if amount is None else int(amount.scaleb(DECIMAL_SCALE))
        event = Interval(time, time, 1, micros, {event_type: time})
        user: UserState = self._user.value() or UserState()
        # A timer that is set while others fire reaches the JVM after all that were due, and events may come first.
        closed = self._advance(user, watermark)
        if self._rules.must_wait(time, watermark):
            self._stash.add(event)
            ready = self._rules.ready_at(time)
            user.ready = ready if user.ready is None else min(user.ready, ready)
            timers.register_event_time_timer(ready)
        else:
            user.intervals = self._rules.add(user.intervals, event, watermark)
        self._keep(user, timers)
        yield from self._rows(ctx.get_current_key(), closed)

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Iterator[Row]:
        """Emits what the watermark completes; a superseded timer finds nothing to do."""
        user: UserState | None = self._user.value()
        if user is None:
            return
        timers = ctx.timer_service()
        closed = self._advance(user, timers.current_watermark())
        self._keep(user, timers)
        yield from self._rows(ctx.get_current_key(), closed)

    def _advance(self, user: UserState, watermark: int) -> list[Interval]:
        waiting: list[Interval] = []
        stash_is_due = user.ready is not None and user.ready <= watermark
        if stash_is_due:
            waiting = list(self._stash.get())
        closed, user.intervals, still_waiting = self._rules.advance(user.intervals, waiting, watermark)
        if stash_is_due:
            self._stash.update(still_waiting)
            user.ready = min((self._rules.ready_at(event.start) for event in still_waiting), default=None)
        if user.timer is not None and user.timer <= watermark:
            user.timer = None
        return closed

    def _keep(self, user: UserState, timers: TimerService) -> None:
        closes = self._rules.closes_at(user.intervals)
        if closes is None and user.ready is None:
            self._user.clear()
            return
        # One timer a user is enough: when it fires too early it is set again, and moved when it would be too late.
        if closes is not None and (user.timer is None or closes < user.timer):
            user.timer = closes
            timers.register_event_time_timer(closes)
        self._user.update(user)

    def _rows(self, user_id: int, sessions: list[Interval]) -> Iterator[Row]:
        for session in sessions:
            yield self._row(user_id, session)

    def _row(self, user_id: int, session: Interval) -> Row:
        event_types = session.event_types()
        if session.more_types:
            event_types.append(MORE_MARK)
        sign, digits, _ = Decimal(session.micros).as_tuple()
        return Row(
            self._rules.became_true(session),
            user_id,
            session.start,
            session.end,
            (session.end - session.start) / 60_000,
            session.count,
            Decimal((sign, digits, -DECIMAL_SCALE)),
            event_types,
            self._rules.needs_from(session),
        )


def attach(events: DataStream, settings: SessionSettings) -> DataStream:
    """The job's rows from the stream of accepted events."""
    rules = SessionRules(settings.gap, settings.max_span, settings.max_types)
    keyed = keyed_by_first_field(java("jobs.SessionInput").attach(events._j_data_stream))
    output = Types.ROW_NAMED(
        list(COLUMNS),
        [
            Types.LONG(),
            Types.LONG(),
            Types.LONG(),
            Types.LONG(),
            Types.DOUBLE(),
            Types.LONG(),
            Types.BIG_DEC(),
            Types.OBJECT_ARRAY(Types.STRING()),
            Types.LONG(),
        ],
    )
    return keyed.process(SessionJob(rules), output_type=output).name("session").uid("session-intervals")
