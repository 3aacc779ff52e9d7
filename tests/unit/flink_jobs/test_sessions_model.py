"""The session job and its rules against a plain model, over generated orders of events, watermarks and timers."""

from __future__ import annotations

import pickle
import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_jobs.session_job import SessionJob
from flink_jobs.sessions import Event, Interval, SessionRules

#: A watermark beyond everything.
END = 10**9


@dataclass(frozen=True)
class Click:
    """An event of the one user whom a test is about."""

    time: int
    type: str
    micros: int


@dataclass(frozen=True)
class Session:
    """What comes out: edges, count, sum, types in order, and whether types were left out."""

    start: int
    end: int
    count: int
    micros: int
    types: tuple[str, ...]
    more: bool


def model(clicks: list[Click], rules: SessionRules) -> list[Session]:
    """Sorted events, parted at the gap and at the cut."""
    parts: list[list[Click]] = []
    for click in sorted(clicks, key=lambda each: (each.time, each.type)):
        fits = parts and click.time - parts[-1][-1].time < rules.gap and click.time - parts[-1][0].time < rules.max_span
        if fits:
            parts[-1].append(click)
        else:
            parts.append([click])
    sessions = []
    for part in parts:
        types = list(dict.fromkeys(click.type for click in part))
        sessions.append(
            Session(
                part[0].time,
                part[-1].time,
                len(part),
                sum(click.micros for click in part),
                tuple(types[: rules.max_types]),
                len(types) > rules.max_types,
            )
        )
    return sessions


class FakeState:
    """A MapState of one key."""

    def __init__(self) -> None:
        self.entries: dict[int, Any] = {}

    def items(self) -> list[tuple[int, Any]]:
        return list(self.entries.items())

    def put(self, key: int, value: Any) -> None:
        self.entries[key] = value

    def remove(self, key: int) -> None:
        del self.entries[key]


class Job(SessionJob):
    """The job itself, but for its rows."""

    def _row(self, _user_id: int, session: Interval) -> Any:
        return session


class Operator:
    """Flink around the job: state, timers, and a watermark. It is context, timer service and runtime context in one.

    ``late_timers``: a timer that is set while others fire comes with the next watermark only, and events may come
    before it. So it is in PyFlink: the JVM hands over all timers that are due before it hears of a new one.
    """

    USER = -7

    def __init__(self, rules: SessionRules, late_timers: bool, watermark: int = -(2**63), slot: int = 1) -> None:
        self.rules = rules
        self.watermark = watermark
        self.timers: set[int] = set()
        self.out: list[Interval] = []
        self._late_timers = late_timers
        self._slot = slot
        self._states = {"users": FakeState(), "due": FakeState()}
        self._open()

    def restart(self) -> None:
        """A checkpoint, and a new job that is restored from it."""
        self._states = pickle.loads(pickle.dumps(self._states))  # noqa: S301 - the test's own bytes
        self._open()

    def _open(self) -> None:
        self._job = Job(self.rules, self._slot)
        self._job.open(self)

    def get_map_state(self, descriptor: Any) -> FakeState:
        return self._states[descriptor.get_name()]

    def get_current_key(self) -> int:
        return 3

    def timer_service(self) -> Operator:
        return self

    def current_watermark(self) -> int:
        return self.watermark

    def register_event_time_timer(self, time: int) -> None:
        self.timers.add(time)

    @property
    def intervals(self) -> list[Interval]:
        user = self._states["users"].entries.get(self.USER)
        return [] if user is None else user.intervals

    def state_size(self) -> int:
        """Bytes of what the state holds."""
        return sum(len(pickle.dumps(value)) for state in self._states.values() for value in state.entries.values())

    def is_empty(self) -> bool:
        return not any(state.entries for state in self._states.values())

    def element(self, *clicks: Click) -> None:
        columns = (
            [self.USER] * len(clicks),
            [click.time for click in clicks],
            [click.type for click in clicks],
            [Decimal((int(click.micros < 0), tuple(map(int, str(abs(click.micros)))), -6)) for click in clicks],
        )
        self.out += self._job.process_element(columns, self)

    def on_watermark(self, watermark: int) -> None:
        self.watermark = watermark
        while due := sorted(timer for timer in self.timers if timer <= watermark):
            for timer in due if self._late_timers else due[:1]:
                self.timers.remove(timer)
                self.out += self._job.on_timer(timer, self)
            if self._late_timers:
                return


def run(clicks: list[Click], rules: SessionRules, chance: random.Random, late_timers: bool) -> list[Session]:
    """Sends every event once, in any order that the watermark allows, between advances of the watermark.

    Some come alone, some with others of their slot, and now and then the job is restarted.
    """
    slot = chance.randint(1, rules.gap)
    operator = Operator(rules, late_timers, slot=slot)
    rest = list(clicks)
    while rest:
        if chance.random() < 0.4:
            # Up to the next event that has not come: it must stay ahead of the watermark.
            lowest = min(click.time for click in rest)
            operator.on_watermark(chance.randint(max(operator.watermark, -50), lowest - 1))
        if chance.random() < 0.1:
            operator.restart()
        batch = [rest.pop(chance.randrange(len(rest)))]
        for click in list(rest):
            if click.time // slot == batch[0].time // slot and chance.random() < 0.5:
                batch.append(click)
                rest.remove(click)
        operator.element(*batch)
    operator.on_watermark(END)
    # What a late timer has set comes with the next watermark.
    operator.on_watermark(END + 1)
    assert operator.is_empty()
    return [
        Session(each.start, each.end, each.count, each.micros, tuple(each.event_types()), each.more_types)
        for each in operator.out
    ]


CLICKS = st.lists(
    st.builds(
        Click,
        st.one_of(st.integers(0, 60), st.integers(0, 400)),
        st.sampled_from("abcd"),
        st.one_of(st.integers(-9, 9), st.integers(-(10**24), 10**24)),
    ),
    min_size=1,
    max_size=25,
)
RULES = st.builds(
    lambda gap, more, types: SessionRules(gap, gap + more, types),
    st.integers(2, 12),
    st.integers(0, 40),
    st.integers(1, 4),
)
MINUTES = SessionRules(gap=30, max_span=24 * 60, max_types=100)


@pytest.mark.parametrize("late_timers", [False, True])
@given(CLICKS, RULES, st.randoms(use_true_random=False))
@settings(max_examples=400)
def test_given_any_order_of_events_and_watermarks_then_the_sessions_are_the_models(
    late_timers: bool, clicks: list[Click], rules: SessionRules, chance: random.Random
) -> None:
    assert run(clicks, rules, chance, late_timers) == model(clicks, rules)


@pytest.mark.parametrize("late_timers", [False, True])
def test_given_long_dense_sessions_then_the_sessions_are_the_models(late_timers: bool) -> None:
    """Many cuts in a row, which short generated lists seldom hold."""
    for seed in range(300):
        chance = random.Random(seed)
        gap = chance.randint(2, 8)
        rules = SessionRules(gap, gap + chance.randint(0, 30), chance.randint(1, 4))
        span = chance.choice((50, 150))
        clicks = [Click(chance.randrange(span), chance.choice("abcd"), chance.randint(-9, 9)) for _ in range(60)]
        assert run(clicks, rules, chance, late_timers) == model(clicks, rules), f"seed {seed}"


def clicks_at(*times: int) -> list[Click]:
    return [Click(time, "view", 1) for time in times]


def spans(operator: Operator) -> list[tuple[int, int, int]]:
    return [(each.start, each.end, each.count) for each in operator.out]


@pytest.mark.parametrize("late_timers", [False, True])
def test_given_a_watermark_that_jumps_past_several_sessions_then_each_is_cut_in_its_place(
    late_timers: bool,
) -> None:
    """Catching up: the slow shard lets go and many timers are due at once."""
    operator = Operator(SessionRules(gap=30, max_span=60, max_types=9), late_timers, watermark=-1)
    for click in clicks_at(0, 40, 60, 80, 99, 100, 115, 130, 145, 165):
        operator.element(click)

    operator.on_watermark(110)
    operator.on_watermark(END)

    assert spans(operator) == [(0, 0, 1), (40, 99, 4), (100, 145, 4), (165, 165, 1)]


@pytest.mark.parametrize("late_timers", [False, True])
def test_given_a_watermark_that_jumps_past_several_sessions_then_all_come_out_with_it(late_timers: bool) -> None:
    operator = Operator(MINUTES, late_timers)
    operator.on_watermark(-1)
    for click in clicks_at(0, 100, 200):
        operator.element(click)

    operator.on_watermark(229)

    assert spans(operator) == [(0, 0, 1), (100, 100, 1), (200, 200, 1)]


@pytest.mark.parametrize(("second", "sessions"), [(29, [(0, 29, 2)]), (30, [(0, 0, 1), (30, 30, 1)])])
def test_given_two_events_then_exactly_the_gap_between_them_parts_sessions(
    second: int, sessions: list[tuple[int, int, int]]
) -> None:
    operator = Operator(MINUTES, late_timers=True)
    operator.on_watermark(-1)
    for click in clicks_at(0, second):
        operator.element(click)
    operator.on_watermark(END)
    assert spans(operator) == sessions


def test_given_an_event_between_two_intervals_then_they_become_one_session() -> None:
    operator = Operator(MINUTES, late_timers=True)
    operator.on_watermark(-1)
    for click in clicks_at(50, 0, 25):
        operator.element(click)
    assert len(operator.intervals) == 1
    operator.on_watermark(END)
    assert spans(operator) == [(0, 50, 3)]


def test_given_a_session_of_a_day_then_the_event_at_24_hours_begins_the_next() -> None:
    times = [*range(0, 24 * 60, 20), 24 * 60 - 1, 24 * 60, 24 * 60 + 1]
    operator = Operator(MINUTES, late_timers=True)
    operator.on_watermark(-1)
    for click in clicks_at(*times):
        operator.element(click)
    operator.on_watermark(END)
    assert spans(operator) == [(0, 1439, 73), (1440, 1441, 2)]
    assert [operator.rules.became_true(each) for each in operator.out] == [1440, 1441 + 30]


def test_given_a_watermark_just_before_the_end_of_the_gap_then_nothing_comes_out_yet() -> None:
    operator = Operator(MINUTES, late_timers=True)
    operator.on_watermark(-1)
    operator.element(Click(0, "view", 1))
    operator.on_watermark(28)
    assert operator.out == []
    operator.on_watermark(29)
    assert spans(operator) == [(0, 0, 1)]


def test_given_more_types_than_allowed_then_the_earliest_stay_and_the_mark_is_set() -> None:
    rules = SessionRules(gap=30, max_span=60, max_types=2)
    intervals: list[Interval] = []
    for time, name in ((20, "c"), (10, "b"), (10, "a"), (5, "c")):
        intervals = rules.add(intervals, Interval(time, time, 1, 0, {name: time}), -1)
    assert intervals[0].event_types() == ["c", "a"]
    assert intervals[0].more_types


def test_given_exactly_the_types_that_are_allowed_then_no_mark_is_set() -> None:
    rules = SessionRules(gap=30, max_span=60, max_types=2)
    intervals: list[Interval] = []
    for time, name in ((1, "b"), (1, "a"), (2, "a"), (0, "b")):
        intervals = rules.add(intervals, Interval(time, time, 1, 0, {name: time}), -1)
    assert intervals[0].event_types() == ["b", "a"]
    assert not intervals[0].more_types


def test_given_events_on_both_sides_of_a_cut_in_one_batch_then_they_are_parted_there() -> None:
    operator = Operator(SessionRules(gap=30, max_span=60, max_types=9), late_timers=True, slot=30)
    operator.on_watermark(-1)
    for click in clicks_at(5, 30, 45):
        operator.element(click)
    operator.on_watermark(29)
    operator.element(*clicks_at(66, 64, 65, 61))
    operator.on_watermark(END)
    assert spans(operator) == [(5, 64, 5), (65, 66, 2)]


def test_given_more_types_than_allowed_in_one_batch_then_the_earliest_stay_and_the_mark_is_set() -> None:
    rules = SessionRules(gap=30, max_span=60, max_types=2)
    interval = rules.interval([Event(20, "c", 0), Event(10, "b", 1), Event(10, "a", 2), Event(5, "c", 3)])
    assert (interval.event_types(), interval.more_types) == (["c", "a"], True)
    assert (interval.start, interval.end, interval.count, interval.micros) == (5, 20, 4, 6)


def test_given_a_hot_user_then_one_look_at_it_is_due() -> None:
    operator = Operator(SessionRules(gap=30, max_span=10**6, max_types=9), late_timers=False)
    for time in range(10_000):
        operator.on_watermark(time - 1)
        operator.element(Click(time, "view", 1))
        assert len(operator.timers) <= 1


def test_given_a_million_events_of_one_user_then_the_state_stays_below_10_kb() -> None:
    """An event every 5 s without a pause, in batches of a minute, with 150 types; cut after each 24 h."""
    operator = Operator(SessionRules(30 * 60_000, 24 * 3_600_000, 100), late_timers=True, slot=60_000)
    for first in range(0, 5_000 * 1_000_000, 60_000):
        operator.on_watermark(first - 60_001)
        operator.element(
            *(Click(first + n * 5_000, f"type-{(first // 5_000 + n) % 150}", 10**24 - n) for n in range(12))
        )
        if first % 6_000_000 == 0:
            assert operator.state_size() < 10_000
    assert sum(each.count for each in operator.out) + sum(each.count for each in operator.intervals) >= 1_000_000
    assert len(operator.out) == 57  # of 57.9 days


def test_given_huge_and_small_values_then_the_sum_is_exact() -> None:
    rules = SessionRules(gap=30, max_span=60, max_types=2)
    intervals: list[Interval] = []
    for micros in (10**24, 1, -(10**24), 1):
        intervals = rules.add(intervals, Interval(0, 0, 1, micros, {"a": 0}), -1)
    assert intervals[0].micros == 2
