"""Lanes: which jobs share slots and an exchange, what is handed over to them, and what a rule must not declare."""

from __future__ import annotations

import pytest

from contracts.results import ResultType
from flink_jobs.engine.lanes import LONGEST_SLOT, RuleError, lanes
from flink_jobs.testing import Job, event
from tests.events import KIT_JOBS, configured
from tests.unit.flink_jobs.engine.sample import MINUTE, Count, Counting
from tests.unit.flink_jobs.jobs.rules import rules_of


class BySession(Counting):
    """By user and session."""

    job = ResultType.BEHAVIOR
    key = ("user_id", "session_id")
    fields = ("value",)


class ByType(Counting):
    """By type."""

    job = ResultType.ANOMALY
    key = ("event_type",)
    fields = ("event_ref",)


def test_jobs_of_one_key_and_pace_share_a_lane() -> None:
    user, session, kind, own = Counting(), BySession(), ByType(), ByType(slot=10_000)
    found = lanes([user, kind, session, own])
    assert [(lane.name, lane.rules) for lane in found] == [
        ("user_id", (user, session)),
        ("event_type", (kind,)),
        ("anomaly", (own,)),
    ]
    assert [lane.key for lane in found] == ["user_id", "event_type", "event_type"]
    assert [(lane.slot, lane.shrinks) for lane in found] == [
        (LONGEST_SLOT, True),
        (LONGEST_SLOT, True),
        (10_000, False),
    ]


def test_the_kits_own_jobs_are_three_lanes() -> None:
    found = lanes(rules_of(configured(*KIT_JOBS)))
    assert {lane.name: {rule.job.value for rule in lane.rules} for lane in found} == {
        "user_id": {"session", "behavior", "recommendation"},
        "anomaly": {"anomaly"},
        "fraud": {"fraud"},
    }


def test_a_lane_is_given_what_any_of_its_jobs_reads_in_the_events_order() -> None:
    [lane] = lanes([Counting(needs=("event_ref",)), BySession()])
    assert lane.fields == (
        *("event_time", "user_id", "event_type", "value", "amount", "session_id", "category", "event_ref"),
    )
    [alone] = lanes([BySession()])
    assert alone.fields == ("event_time", "user_id", "value", "session_id")


def test_the_type_is_handed_over_where_it_decides() -> None:
    [lane] = lanes([BySession(event_types=("view",))])
    assert "event_type" in lane.fields


def test_events_of_the_types_of_all_its_jobs_come() -> None:
    [both] = lanes([Counting(event_types=("view", "click")), BySession(event_types=("purchase", "view"))])
    assert both.event_types == ("click", "purchase", "view")
    [one_reads_all] = lanes([Counting(event_types=("view",)), BySession()])
    assert one_reads_all.event_types == ()


def test_events_come_that_have_what_all_jobs_need() -> None:
    [alone] = lanes([BySession(needs=("value",))])
    assert alone.needs == ("value", "session_id")
    [both] = lanes([BySession(needs=("value",)), Counting(needs=("category", "value"))])
    assert both.needs == ("value",)


def test_each_job_of_a_lane_is_given_its_own_events_only() -> None:
    class Given:
        """Records batches instead of counting them."""

        def __init__(self) -> None:
            self.batches: list[tuple[object, list[int]]] = []

        def on_batch(self, key: object, state: Count | None, events: list[object], emit: object) -> None:
            self.batches.append((key, [each.event_time for each in events]))  # type: ignore[attr-defined]

    class First(Given, Counting):  # type: ignore[misc]
        """By user."""

        def __init__(self) -> None:
            Given.__init__(self)
            self.event_types, self.needs = ("view",), ("value",)  # type: ignore[misc]

    class Second(Given, BySession):  # type: ignore[misc]
        """By user and session."""

    first, second = First(), Second()
    job = Job(first, second)
    job.take(
        [
            event(1, value=1.0),
            event(2, session_id="s"),
            event(3, value=1.0, event_type="click", session_id="t"),
            event(4, value=1.0, session_id="s"),
            event(5, event_type="click"),
        ]
    )
    job.pass_time(MINUTE)
    assert first.batches == [(1, [1, 4])]
    assert second.batches == [((1, "s"), [2, 4]), ((1, "t"), [3])]


class TestErrors:
    def test_a_field_that_events_have_not(self) -> None:
        class Wrong(Counting):
            """Reads what is not there."""

            fields = ("colour",)

        with pytest.raises(RuleError, match=r"^fraud: events have no field colour. Name one of event_time, user_id, "):
            lanes([Wrong()])

    def test_needs_that_events_have_not(self) -> None:
        with pytest.raises(RuleError, match="fraud: events have no field colour"):
            lanes([Counting(needs=("colour",))])

    @pytest.mark.parametrize("field", ["value", "amount", "event_ref"])
    def test_a_key_that_is_none(self, field: str) -> None:
        class Wrong(Counting):
            """By a number with a fraction, or by what never comes again."""

            key = ("user_id", field)

        with pytest.raises(RuleError, match=f"fraud: key {field} is neither a text nor a whole number. Name a field"):
            lanes([Wrong()])

    @pytest.mark.parametrize(("slot", "told"), [(-1, "-1"), (60_001, "60,001")])
    def test_a_slot_below_nothing_or_above_a_minute(self, slot: int, told: str) -> None:
        with pytest.raises(RuleError, match=f"fraud: slot must be 0 to 60,000 milliseconds, got {told}"):
            lanes([Counting(slot=slot)])
