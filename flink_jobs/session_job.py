"""Session: per user, the events with less than 30 minutes between them, cut 24 hours after the first.

Gives user_id, session_start, session_end (last event), duration_minutes, event_count, exact total_value, and event_types
in order of first appearance (ties by name; at most 100, then a mark). It comes out when the watermark proves that no
event can follow: at session_end + gap, or at the cut.

This is the model for a stateful function of your own: rules without Flink in :mod:`flink_jobs.sessions`, and here
only state, timers and rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pyflink.common import Row, Types
from pyflink.datastream import DataStream, KeyedProcessFunction, RuntimeContext
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
)


class SessionJob(KeyedProcessFunction):  # type: ignore[misc]  # PyFlink has no types
    """Keyed by user; in: (user_id, (event_type, amount)) with the event time as timestamp; out: COLUMNS."""

    def __init__(self, rules: SessionRules) -> None:
        self._rules = rules
        self._intervals: ValueState
        self._stash: ListState
        self._timer: ValueState

    def open(self, runtime_context: RuntimeContext) -> None:
        """Registers the state: intervals, events too far ahead, and the one timer that is set."""
        pickled = Types.PICKLED_BYTE_ARRAY()
        self._intervals = runtime_context.get_state(ValueStateDescriptor("intervals", pickled))
        self._stash = runtime_context.get_list_state(ListStateDescriptor("stash", pickled))
        self._timer = runtime_context.get_state(ValueStateDescriptor("timer", Types.LONG()))

    def process_element(self, value: Row, ctx: KeyedProcessFunction.Context) -> None:
        """Adds the event to its user's intervals, or to the stash."""
        time: int = ctx.timestamp()
        timers = ctx.timer_service()
        watermark: int = timers.current_watermark()
        event_type, amount = value
        micros = 0 if amount is None else int(amount.scaleb(DECIMAL_SCALE))
        event = Interval(time, time, 1, micros, {event_type: time})
        if self._rules.must_wait(time, watermark):
            self._stash.add(event)
            timers.register_event_time_timer(self._rules.ready_at(time))
            return
        intervals = self._rules.add(self._intervals.value() or [], event, watermark)
        self._keep(intervals, timers)

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Iterator[Row]:
        """Adds what waited for this time, then emits what it completes; a superseded timer finds nothing to do."""
        intervals: list[Interval] = self._intervals.value() or []
        waiting = list(self._stash.get())
        if waiting:
            ready = [event for event in waiting if not self._rules.must_wait(event.start, timestamp)]
            if ready:
                self._stash.update(
                    [event for event in waiting if self._rules.must_wait(event.start, timestamp)]
                )
            for event in ready:
                intervals = self._rules.add(intervals, event, timestamp)
        closed, intervals = self._rules.close(intervals, timestamp)
        if self._timer.value() == timestamp:
            self._timer.clear()
        self._keep(intervals, ctx.timer_service())
        user_id: int = ctx.get_current_key()
        for session in closed:
            yield self._row(user_id, session)

    def _keep(self, intervals: list[Interval], timers: Any) -> None:
        closes = self._rules.closes_at(intervals)
        if closes is None:
            self._intervals.clear()
            return
        self._intervals.update(intervals)
        timer = self._timer.value()
        # One timer a user is enough: it is set again when it fires too early, and moved when it would fire too late.
        if timer is None or closes < timer:
            self._timer.update(closes)
            timers.register_event_time_timer(closes)

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
        ],
    )
    return keyed.process(SessionJob(rules), output_type=output).name("session").uid("session-intervals")
