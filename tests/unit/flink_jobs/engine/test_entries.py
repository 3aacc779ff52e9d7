"""States between a rule's calls: on disk as in memory, over restarts, small in Flink's state, gone when forgotten."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.events import Event
from contracts.results import ResultType
from flink_jobs.engine.entries import StateError
from flink_jobs.engine.host import Host
from flink_jobs.engine.lanes import lanes
from flink_jobs.testing import Job, event
from tests.unit.flink_jobs.engine.sample import MINUTE, Count, Counting, hand_over, told

USERS = st.integers(0, 7)
#: Users and the minutes between their events: a state ends a minute after the last one.
STREAMS = st.lists(st.tuples(USERS, st.sampled_from([0, 1, MINUTE // 2, MINUTE, 3 * MINUTE])), max_size=60)


def stream(steps: list[tuple[int, int]]) -> list[Event]:
    now, found = 0, []
    for user, advance in steps:
        now += advance
        found.append(event(now, user_id=user, value=float(user)))
    return found


def run(events: list[Event], stops: set[int], most: int) -> tuple[list[Any], Job]:
    """What comes out, with time passing before each event, and a restart before those of ``stops``."""
    job = Job(Counting(slot=1_000), most=most)
    for number, each in enumerate(events):
        job.pass_time(each.event_time)
        if number in stops:
            job.restart()
        job.take([each])
    return sorted(job.finish()), job


@settings(max_examples=60)
@given(steps=STREAMS, stops=st.sets(st.integers(0, 59)), most=st.sampled_from([1, 2, 3, 5, 8, 1_000]))
def test_disk_and_restarts_do_not_show(steps: list[tuple[int, int]], stops: set[int], most: int) -> None:
    events = stream(steps)
    wanted, _ = run(events, set(), 1_000)
    found, job = run(events, stops, most)
    assert found == wanted
    assert sum(row.risk_score for row in found) == len(events)
    job.checkpoint()
    assert job.state_bytes() == 0, "all keys are forgotten"


def test_a_state_that_is_touched_comes_back_from_disk() -> None:
    job = Job(Counting(slot=1_000), most=2)
    for turn in range(3):
        job.take(event(turn * 10_000, user_id=user) for user in range(200))
    assert {row.risk_score for row in job.finish()} == {3}


def test_many_states_come_back_when_they_are_due() -> None:
    job = Job(Counting(slot=1_000), most=2)
    job.take(event(user, user_id=user) for user in range(3_000))
    assert sorted(row.user_id for row in job.finish()) == list(range(3_000))


def kilobytes_of(work: Callable[[], Any]) -> float:
    """Memory that is held when the work is done; what it gives is held, too."""
    tracemalloc.start()
    try:
        held = work()
        assert held is not None
        return tracemalloc.get_traced_memory()[0] / 1e3
    finally:
        tracemalloc.stop()


def test_large_states_count_as_several() -> None:
    @dataclass(slots=True)
    class Text:
        text: str

    class Large(Counting):
        """A state of 50,000 bytes, due in an hour."""

        state = Text

        def on_batch(self, key: int, state: Any, events: Any, emit: Any) -> Any:
            return Text("x" * 50_000)

        def due(self, state: Any) -> int:
            return 60 * MINUTE

    def work() -> Host:
        host = started(Large(), most=200)
        for user in range(400):
            hand_over(host, 0, 1, {0: [event(0, user_id=user)]})
        return host

    assert kilobytes_of(work) < 1_000


def test_dates_of_forgotten_keys_do_not_pile_up() -> None:
    class Late(Counting):
        """Due in a year, and forgotten at every second event."""

        def on_batch(self, key: int, state: Count | None, events: Any, emit: Any) -> Count | None:
            return None if state else Count(1, 0, events[0].event_time)

        def due(self, state: Count) -> int:
            return state.last + 365 * 24 * 60 * MINUTE

    def work() -> Host:
        host = started(Late())
        for turn in range(60_000):
            hand_over(host, turn, turn + 1, {0: [event(turn)]})
        return host

    assert kilobytes_of(work) < 500


def test_a_key_of_a_million_events_has_a_small_state() -> None:
    host, store = started(Counting()), Recorded()
    for slot in range(50):
        start = slot * MINUTE
        hand_over(host, start, start + MINUTE, {0: [event(start + MINUTE - 1)] * 20_000})
        host.write(0, store)
        assert 0 < sum(map(len, store.values.values())) < 200
    hand_over(host, 60 * MINUTE, 60 * MINUTE, {})
    assert [row[5] for given in host.given() for row in given.rows] == [1_000_000]


def test_a_checkpoint_writes_what_changed_and_now_and_then_all() -> None:
    """However long it goes on, Flink's state holds little more than twice what is there."""
    job = Job(Counting(slot=1_000), most=50)
    users = 300
    job.take(event(0, user_id=user) for user in range(users))
    job.pass_time(1_000)
    job.checkpoint()
    whole, sizes = job.state_bytes(), []
    for second in range(1, 400):
        job.take(event(second * 1_000, user_id=user) for user in range(users) if (user + second) % 30 == 0)
        job.pass_time((second + 1) * 1_000)
        job.checkpoint()
        sizes.append(job.state_bytes())
    assert max(sizes) < 2.5 * whole
    grown = [later - before for before, later in pairwise(sizes)]
    assert max(grown) < whole / 10, "a checkpoint adds what changed"
    assert min(grown) < 0, "and now and then all is written, and the changes go"


def test_a_checkpoint_without_a_change_writes_nothing() -> None:
    host, store = started(Counting()), Recorded()
    hand_over(host, 0, MINUTE, {0: [event(1)]})
    host.write(0, store)
    assert len(store.puts) == 1
    host.write(0, store)
    assert len(store.puts) == 1


def test_what_is_forgotten_leaves_the_state_at_the_next_checkpoint() -> None:
    job = Job(Counting(slot=1_000))
    job.take(event(0, user_id=user) for user in range(500))
    job.take([event(10 * MINUTE, user_id=9_999)])
    job.pass_time(30_000)
    job.checkpoint()
    full = job.state_bytes()
    job.pass_time(11 * MINUTE - 1_000)
    job.checkpoint()
    assert 0 < job.state_bytes() < full / 50
    job.restart()
    assert [row.user_id for row in job.finish()][500:] == [9_999]


def test_a_rule_may_forget_a_key_in_a_batch() -> None:
    job = Job(Counting())
    job.take([event(0, category="forget"), event(0, user_id=2)])
    job.pass_time(MINUTE)
    job.checkpoint()
    held = job.state_bytes()
    assert [row.risk_score for row in job.finish()] == [1, 1]
    alone = Job(Counting())
    alone.take([event(0, user_id=2)])
    alone.pass_time(MINUTE)
    alone.checkpoint()
    assert abs(held - alone.state_bytes()) < 10


def test_a_state_that_is_never_due_is_kept_even_on_disk() -> None:
    job = Job(Counting(slot=1_000), most=2)
    job.take(event(user * 2_000, user_id=user, category="never") for user in range(50))
    assert {row.risk_score for row in job.finish()} == {1}, "one each, told as they came"
    job.restart()
    assert len(job.results()) == 50
    assert job.state_bytes() > 0


def started(*rules: Counting, store: Recorded | None = None, most: int = 1_000) -> Host:
    [lane] = lanes(rules)
    host = Host(lane, most)
    host.read(0, store or Recorded())
    return host


class Recorded:
    """A group's part of Flink's state, and the names that were put into it."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.puts: list[str] = []

    def put(self, key: str, value: bytes) -> None:
        self.puts.append(key)
        self.values[key] = value

    def remove(self, key: str) -> None:
        del self.values[key]

    def items(self) -> Iterator[tuple[str, bytes]]:
        return iter(list(self.values.items()))


def stored(rule: Counting) -> Recorded:
    """The state of a user with one event, by the rule."""
    store = Recorded()
    host = started(rule, store=store)
    hand_over(host, 0, MINUTE, {0: [event(1)]})
    host.write(0, store)
    return store


class TestOtherState:
    def test_another_version_is_refused_with_what_to_do(self) -> None:
        class Next(Counting):
            """Means something else by the same fields."""

            version = 2

        with pytest.raises(StateError) as raised:
            started(Next(), store=stored(Counting()))
        assert str(raised.value) == (
            "fraud: the state that is restored is 1:user_id:count,micros,last (version:key:fields), the rule's is "
            "2:user_id:count,micros,last. Start with the code that wrote it. Or take fraud out of jobs.enabled, start, "
            "stop, and put it in again: it then begins anew."
        )

    def test_so_are_other_fields(self) -> None:
        class Changed(Counting):
            """Has forgotten to raise the version."""

            state = Less

        with pytest.raises(StateError, match=r"is 1:user_id:count,micros,last .*, the rule's is 1:user_id:last"):
            started(Changed(), store=stored(Counting()))

    def test_so_is_another_key(self) -> None:
        class BySession(Counting):
            """The same state, kept by other values."""

            key = ("user_id", "session_id")

        with pytest.raises(StateError, match=r"is 1:user_id:.*, the rule's is 1:user_id,session_id:"):
            started(BySession(), store=stored(Counting()))

    def test_a_job_that_left_and_comes_again_begins_anew(self) -> None:
        store = stored(Counting())
        before = dict(store.values)
        started(Other(), store=store).write(0, store)
        assert before
        assert store.values == {}
        host = started(Counting(), store=store)
        hand_over(host, MINUTE // 2, MINUTE, {0: [event(MINUTE // 2)]})
        hand_over(host, 10 * MINUTE, 10 * MINUTE, {})
        assert [given.rows for given in host.given()] == [[told(1, Count(1, 0, MINUTE // 2))]]

    def test_the_others_of_its_lane_go_on(self) -> None:
        store = Recorded()
        host = started(Counting(), Other(), store=store)
        hand_over(host, 0, MINUTE, {0: [event(1)]})
        host.write(0, store)
        assert {name.split()[0] for name in store.values} == {"fraud", "session"}
        alone = started(Counting(), store=store)
        hand_over(alone, 10 * MINUTE, 10 * MINUTE, {})
        assert [given.rows for given in alone.given()] == [[told(1, Count(1, 0, 1))]]
        assert {name.split()[0] for name in store.values} == {"fraud"}


@dataclass(slots=True)
class Less:
    """Another state."""

    last: int


class Other(Counting):
    """Another job with the same rule."""

    job = ResultType.SESSION
