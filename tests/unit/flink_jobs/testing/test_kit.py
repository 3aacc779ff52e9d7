"""The kit that tests rules on lists: what it takes, when it hands over, and what it says when a rule fails."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from contracts.events import Event
from contracts.results import ResultType
from flink_jobs.rule import Emit, Rule, result_of
from flink_jobs.testing import Job, Rejected, RuleFailed, event, outcomes, side_by_side

Result = result_of(ResultType.FRAUD)


@dataclass(slots=True)
class Seen:
    """Times of a user's events that no result has told yet."""

    times: list[int]


class Told(Rule[int, Seen]):
    """Tells how many events a user has had once there was none for a minute."""

    job = ResultType.FRAUD
    key = ("user_id",)
    fields = ("event_type",)
    state = Seen

    def __init__(self, slot: int = 0, event_types: tuple[str, ...] = ()) -> None:
        self.slot, self.event_types = slot, event_types
        self.batches: list[list[int]] = []

    def on_batch(self, key: int, state: Seen | None, events: Sequence[Event], emit: Emit) -> Seen:
        times = [each.event_time for each in events]
        self.batches.append(times)
        if any(each.event_type == "broken" for each in events):
            raise ArithmeticError("no such thing")
        return Seen([*(state.times if state else []), *times])

    def due(self, state: Seen) -> int:
        return state.times[-1] + 60_000

    def on_time(self, key: int, state: Seen, now: int, emit: Emit) -> None:
        emit(told(key, state.times[-1], len(state.times)))


def told(user: int, last: int, count: int) -> tuple[object, ...]:
    return Result(
        event_time=last,
        window_start=last,
        window_end=last,
        user_id=user,
        suspicious_activity="",
        risk_score=float(count),
        alert_level="LOW",
        needs_from=last,
    )


def test_it_needs_no_jvm() -> None:
    program = "import sys, flink_jobs.testing, flink_jobs.jobs; print([m for m in sys.modules if m.startswith('py')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert "pyflink" not in done.stdout
    assert "py4j" not in done.stdout


class TestEvent:
    def test_it_has_the_defaults_of_the_contract(self) -> None:
        assert event(5) == Event(5, 1, "view")

    @pytest.mark.parametrize(
        ("value", "amount"),
        [(None, 0), (0.0, 0), (2.5, 2_500_000), (-0.1, -100_000), (1e18, 10**24), (1e-7, 0), (5e-7, 1), (-5e-7, -1)],
    )
    def test_its_amount_is_its_value_in_millionths(self, value: float | None, amount: int) -> None:
        assert event(0, value=value).amount == amount

    def test_fields_by_name(self) -> None:
        made = event(7, user_id=3, event_type="click", session_id="s", amount=9)
        assert (made.user_id, made.event_type, made.session_id, made.amount) == (3, "click", "s", 9)
        with pytest.raises(TypeError):
            event(7, colour="red")


class TestTime:
    def test_results_are_the_rules_in_order_of_time(self) -> None:
        job = Job(Told())
        job.take([event(70_000, user_id=2), event(0), event(5)])
        assert job.finish() == [told(1, 5, 2), told(2, 70_000, 1)]
        assert job.finish()[0].risk_score == 2

    def test_a_slot_is_handed_over_when_it_is_over_and_not_before(self) -> None:
        rule = Told(slot=1_000)
        job = Job(rule)
        job.take([event(1_999), event(500), event(1_000)])
        job.pass_time(1_999)
        assert rule.batches == [[500]]
        job.take([event(1_999)])
        job.pass_time(2_000)
        assert rule.batches == [[500], [1_000, 1_999, 1_999]]

    def test_shared_slots_have_the_tests_length(self) -> None:
        rule = Told()
        job = Job(rule, slot=10)
        job.take([event(12), event(19), event(20)])
        job.finish()
        assert rule.batches == [[12, 19], [20]]

    def test_a_late_event_is_refused(self) -> None:
        job = Job(Told())
        job.pass_time(100)
        job.take([event(100)])
        with pytest.raises(ValueError, match="is late: event time is 100"):
            job.take([event(99)])

    def test_results_so_far(self) -> None:
        job = Job(Told())
        job.take([event(0), event(600_000)])
        job.pass_time(300_000)
        assert job.results() == [told(1, 0, 1)]

    def test_a_restart_forgets_nothing(self) -> None:
        job = Job(Told(slot=1_000))
        job.take([event(0), event(1_500), event(2_500)])
        for now in (500, 1_000, 2_000):
            job.pass_time(now)
            job.restart()
        assert job.state_bytes() > 0
        assert job.finish() == [told(1, 2_500, 3)]


class TestFailures:
    def test_what_the_rule_raised_fails_the_test_in_its_words(self) -> None:
        job = Job(Told())
        job.take([event(3, event_type="broken")])
        with pytest.raises(RuleFailed, match="fraud raised ArithmeticError: no such thing"):
            job.finish()

    def test_a_test_may_ask_for_it(self) -> None:
        job = Job(Told())
        job.take([event(0), event(70_000, event_type="broken"), event(70_000, user_id=2)])
        job.pass_time(600_000)
        [rejected] = job.rejected
        assert isinstance(rejected, Rejected)
        assert (rejected.job, rejected.event_time) == ("fraud", 70_000)
        assert sorted(job.results()) == [told(1, 0, 1), told(2, 70_000, 1)]


class TestOutcomes:
    def test_every_way_gives_the_same_for_a_right_rule(self) -> None:
        events = [event(at * 7_000, user_id=at % 5) for at in range(200)]
        found = list(outcomes(Told(), events=events))
        assert [how for how, _ in found] == [
            "in order",
            "in another order",
            "with restarts",
            "in slots of a second",
            "with states on disk",
            "each by itself",
        ]
        assert all(rows == found[0][1] for _, rows in found)
        assert sum(row.risk_score for row in found[0][1]) == 200

    def test_a_rule_that_counts_its_batches_is_found_out(self) -> None:
        class Wrong(Told):
            """Its result depends on how the events are cut into slots."""

            def on_batch(self, key: int, state: Seen | None, events: Sequence[Event], emit: Emit) -> Seen:
                return Seen([*(state.times if state else []), events[-1].event_time])

        events = [event(at * 7_000, user_id=at % 5) for at in range(200)]
        found = dict(outcomes(Wrong(), events=events))
        assert found["in slots of a second"] != found["in order"]


def test_side_by_side_gives_each_jobs_results() -> None:
    assert side_by_side(Told(event_types=("view",)), events=[event(0), event(1, event_type="click")]) == {
        "fraud": [told(1, 0, 1)]
    }
