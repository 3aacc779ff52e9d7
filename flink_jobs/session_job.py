"""Session: per user, the events with less than 30 minutes between them, cut 24 hours after the first.

Gives user_id, session_start, session_end (last event), duration_minutes, event_count, exact total_value, and
event_types in order of first appearance (ties by name; at most 100, then a mark). It comes out when the watermark
proves that no event can follow: at session_end + gap, or at the cut, and up to a minute of event time after it.

This is the model for a stateful function of your own: rules without Flink in :mod:`flink_jobs.sessions`, state that
does not cost a question each in :mod:`flink_jobs.group_state`, and here only state, timers and rows. Events come in
batches, one of a minute and a group of users each (``SessionInput`` and ``Batching`` in flink_jobs/java): what a
call costs is paid once for all events in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from pyflink.common import Row, Types
from pyflink.datastream import DataStream, KeyedProcessFunction, RuntimeContext, TimerService
from pyflink.datastream.state import MapStateDescriptor

from contracts.events import DECIMAL_SCALE
from contracts.results import MORE_MARK
from flink_jobs.gateway import java, keyed_by_first_field
from flink_jobs.group_state import GroupState
from flink_jobs.sessions import Event, Interval, SessionRules
from flink_jobs.settings import SessionSettings

#: Longest slot of a batch, milliseconds: Batching.MAX_SLOT_MILLIS. The watermark comes at the ends of slots.
MAX_SLOT = 60_000

#: Users whose state a worker keeps at hand; some 200 MB. Beyond them a group is read again when its turn comes.
MOST_USERS = 200_000

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
    """One user's state. Times are ends of slots.

    ``look`` is when the user is to be looked at next because an interval may close; ``waits`` are the times at which
    events that are too far ahead for the intervals may be added.
    """

    intervals: list[Interval] = field(default_factory=list)
    look: int | None = None
    waits: list[int] = field(default_factory=list)


#: Users to look at, each with the events of theirs that may be added then.
Due = dict[int, list[Interval]]


class SessionJob(KeyedProcessFunction):  # type: ignore[misc]  # PyFlink has no types
    """Keyed by group of users; in: user_ids, times, event_types, amounts of some events; out: COLUMNS."""

    def __init__(self, rules: SessionRules, slot: int) -> None:
        self._rules = rules
        self._slot = slot
        self._armed: set[int] = set()
        self._users: GroupState[int, UserState]
        self._due: GroupState[int, Due]

    def open(self, runtime_context: RuntimeContext) -> None:
        """Registers the state: users by id, and who is due by time, for which the group has one timer each."""
        users = MapStateDescriptor("users", Types.LONG(), Types.PICKLED_BYTE_ARRAY())
        due = MapStateDescriptor("due", Types.LONG(), Types.PICKLED_BYTE_ARRAY())
        self._users = GroupState(runtime_context.get_map_state(users), MOST_USERS)
        self._due = GroupState(runtime_context.get_map_state(due), MOST_USERS)

    def process_element(self, value: Row, ctx: KeyedProcessFunction.Context) -> Iterator[Row]:
        """Adds the events to their users' intervals, or to what waits. Without events: only sees to the timers."""
        self._enter(ctx)
        events: dict[int, list[Event]] = defaultdict(list)
        for user_id, time, event_type, amount in zip(*value, strict=True):
            events[user_id].append(Event(time, event_type, _micros(amount)))
        for user_id, theirs in events.items():
            yield from self._update(user_id, theirs, ctx.timer_service())

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Iterator[Row]:
        """Emits what the watermark completes for the users who are due; for a superseded reason there is nothing."""
        self._enter(ctx)
        for user_id in self._due.get(timestamp) or ():
            yield from self._update(user_id, [], ctx.timer_service())
        self._due.remove(timestamp)

    def _enter(self, ctx: KeyedProcessFunction.Context) -> None:
        group = ctx.get_current_key()
        self._users.enter(group)
        self._due.enter(group)
        if group not in self._armed:
            # A timer may be missing from what was restored (see SessionInput.ToRows); one that is there stays one.
            self._armed.add(group)
            for time in self._due:
                ctx.timer_service().register_event_time_timer(time)

    def _update(self, user_id: int, events: list[Event], timers: TimerService) -> Iterator[Row]:
        user = self._users.get(user_id) or UserState()
        watermark: int = timers.current_watermark()
        # A timer that is set while others fire reaches the JVM after all that were due, and events may come first.
        closed = self._advance(user_id, user, watermark)
        ready = [event for event in events if not self._rules.must_wait(event.time, watermark)]
        if ready:
            user.intervals = self._rules.add_events(user.intervals, ready, watermark)
        for event in events:
            if self._rules.must_wait(event.time, watermark):
                self._wait(user_id, user, event, timers)
        closes = self._rules.closes_at(user.intervals)
        # One look at a user is enough: a look too early is put off, and one that would be too late is moved.
        if closes is not None and (user.look is None or self._end_of_slot(closes) < user.look):
            user.look = self._end_of_slot(closes)
            self._look_at(user_id, user.look, timers)
        if user.intervals or user.waits:
            self._users.put(user_id, user)
        else:
            self._users.remove(user_id)
        for session in closed:
            yield self._row(user_id, session)

    def _advance(self, user_id: int, user: UserState, watermark: int) -> list[Interval]:
        waiting: list[Interval] = []
        for time in [time for time in user.waits if time <= watermark]:
            due = self._due.get(time) or {}
            waiting += due[user_id]
            due[user_id] = []
            self._due.put(time, due)
            user.waits.remove(time)
        closed, user.intervals, _ = self._rules.advance(user.intervals, waiting, watermark)
        if user.look is not None and user.look <= watermark:
            user.look = None
        return closed

    def _wait(self, user_id: int, user: UserState, event: Event, timers: TimerService) -> None:
        time = self._end_of_slot(self._rules.ready_at(event.time))
        self._look_at(user_id, time, timers).append(self._rules.interval([event]))
        if time not in user.waits:
            user.waits.append(time)

    def _look_at(self, user_id: int, time: int, timers: TimerService) -> list[Interval]:
        due = self._due.get(time)
        if due is None:
            due = {}
            timers.register_event_time_timer(time)
        waiting = due.setdefault(user_id, [])
        self._due.put(time, due)
        return waiting

    def _end_of_slot(self, time: int) -> int:
        return time // self._slot * self._slot + self._slot - 1

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


def _micros(amount: Decimal | None) -> int:
    return 0 if amount is None else int(amount.scaleb(DECIMAL_SCALE))


def attach(events: DataStream, settings: SessionSettings) -> DataStream:
    """The job's rows from the stream of accepted events."""
    rules = SessionRules(settings.gap, settings.max_span, settings.max_types)
    slot = min(settings.gap, MAX_SLOT)
    keyed = keyed_by_first_field(java("jobs.SessionInput").attach(events._j_data_stream, slot))
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
    return keyed.process(SessionJob(rules, slot), output_type=output).name("session").uid("session-intervals")
