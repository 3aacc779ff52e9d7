"""Recommendation: per user the best categories of the last hour, every 5 minutes; recent events weigh more."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from flink_jobs.testing import Job
from flink_jobs.testing import event as kit_event
from tests.events import HOUR, MINUTE, Case, Output, Row, at, configured, event, log, logged, results_of
from tests.unit.flink_jobs.jobs.rules import ran, rules_of

STEP = 5 * MINUTE


def act(user: int, offset: int, category: str | None, event_type: str = "view") -> bytes:
    return event(offset, user_id=user, category=category, event_type=event_type)


def row(user: int, end: int, rank: int, category: str, last: int, *weights: tuple[float, int]) -> Row:
    """``weights``: (weight, time of the event)."""
    score = sum(weight * math.exp(-(end - offset) / HOUR) for weight, offset in weights)
    return {
        "window_start": at(end - HOUR),
        "window_end": at(end),
        "user_id": user,
        "category": category,
        "behavior_score": pytest.approx(Decimal(repr(round(score, 6))), abs=Decimal("0.000001")),
        "last_activity": at(last),
        "rank": rank,
    }


CASES = {
    "a view weighs 1, a click 2, a purchase 5, all else 0": Case(
        [
            act(1, 0, "viewed"),
            act(1, 1, "clicked", "click"),
            act(1, 2, "bought", "purchase"),
            act(1, 3, "else", "add_to_cart"),
        ],
        [
            row(1, STEP, 1, "bought", 2, (5, 2)),
            row(1, STEP, 2, "clicked", 1, (2, 1)),
            row(1, STEP, 3, "viewed", 0, (1, 0)),
            row(1, STEP, 4, "else", 3),
        ],
    ),
    "scores of a category add up, last_activity is the latest": Case(
        [act(2, 10, "a"), act(2, MINUTE, "a", "click"), act(2, MINUTE - 20, "a", "purchase")],
        [row(2, STEP, 1, "a", MINUTE, (1, 10), (2, MINUTE), (5, MINUTE - 20))],
    ),
    "listed when active in the window's last step, with the whole hour": Case(
        [act(3, 0, "old", "purchase"), act(3, 30 * MINUTE, "new")],
        [
            row(3, STEP, 1, "old", 0, (5, 0)),
            row(3, 35 * MINUTE, 1, "old", 0, (5, 0)),
            row(3, 35 * MINUTE, 2, "new", 30 * MINUTE, (1, 30 * MINUTE)),
        ],
    ),
    "an hour later it is gone": Case(
        [act(4, 0, "old"), act(4, HOUR - 1, "in"), act(4, HOUR + MINUTE, "out")],
        [
            row(4, STEP, 1, "old", 0, (1, 0)),
            row(4, HOUR, 1, "in", HOUR - 1, (1, HOUR - 1)),
            row(4, HOUR, 2, "old", 0, (1, 0)),
            row(4, HOUR + STEP, 1, "out", HOUR + MINUTE, (1, HOUR + MINUTE)),
            row(4, HOUR + STEP, 2, "in", HOUR - 1, (1, HOUR - 1)),
        ],
    ),
    "the best five; ties by category": Case(
        [act(5, 0, name) for name in ("f", "\U0001f600", "e", "\uffee", "b", "a", "\u00e4")],
        [
            row(5, STEP, 1, "a", 0, (1, 0)),
            row(5, STEP, 2, "b", 0, (1, 0)),
            row(5, STEP, 3, "e", 0, (1, 0)),
            row(5, STEP, 4, "f", 0, (1, 0)),
            row(5, STEP, 5, "\u00e4", 0, (1, 0)),
        ],
    ),
    "ties by code point, not by UTF-16 unit": Case(
        [act(6, 0, "\U0001f600"), act(6, 0, "\uffee")],
        [row(6, STEP, 1, "\uffee", 0, (1, 0)), row(6, STEP, 2, "\U0001f600", 0, (1, 0))],
    ),
    "users do not mix": Case(
        [act(7, 0, "a"), act(8, 0, "b")], [row(7, STEP, 1, "a", 0, (1, 0)), row(8, STEP, 1, "b", 0, (1, 0))]
    ),
    "without a category an event is skipped": Case([act(9, 0, None), act(9, 1, "")], []),
}


@pytest.fixture(scope="module")
def output() -> Output:
    return ran(logged(CASES), configured("recommendation"))


@pytest.mark.parametrize("name", CASES)
def test_recommendation(output: Output, name: str) -> None:
    case = CASES[name]
    found = results_of(case, output, "recommendation", "user_id")
    assert sorted(found, key=in_order) == list(case.results)


def in_order(row: Any) -> Any:
    return row["window_end"], row["user_id"], row["rank"]


def test_it_becomes_true_at_the_windows_end(output: Output) -> None:
    assert all(row["event_time"] == row["window_end"] for row in output.rows("recommendation"))
    assert not output.rejected


def test_window_step_decay_weights_and_top_of_the_settings_go_into_the_query() -> None:
    settings = configured(
        "recommendation",
        recommendation={
            "window": "2 s",
            "step": "1 s",
            "decay": "1 s",
            "top": "2",
            "weights": "view=0.25, click=2, purchase=5",
            "weight_other": "3",
        },
    )
    events = [act(1, 0, "a"), act(1, 0, "b", "else"), act(1, 0, "c", "click"), act(1, 1_500, "a")]
    rows = ran(log(events), settings).rows("recommendation")
    found = [(row["window_end"], row["rank"], row["category"], float(row["behavior_score"])) for row in rows]
    assert sorted(found) == [
        (at(1_000), 1, "b", near(3 * math.exp(-1))),
        (at(1_000), 2, "c", near(2 * math.exp(-1))),
        (at(2_000), 1, "b", near(3 * math.exp(-2))),
        (at(2_000), 2, "c", near(2 * math.exp(-2))),
    ]


def test_a_weight_may_take_away_and_be_of_any_event_type() -> None:
    settings = configured(
        "recommendation", recommendation={"weights": "view=1, add_to_cart=3, return=-2", "decay": "7 d"}
    )
    events = [act(1, 0, "a"), act(1, 0, "a", "return"), act(1, 0, "b", "add_to_cart"), act(1, 0, "c", "click")]
    rows = sorted(ran(log(events), settings).rows("recommendation"), key=lambda row: int(row["rank"]))
    kept = math.exp(-5 / (7 * 24 * 60))
    assert [(row["rank"], row["category"], float(row["behavior_score"])) for row in rows] == [
        (1, "b", near(3 * kept)),
        (2, "c", 0),
        (3, "a", near(-kept)),
    ]


def near(score: float) -> Any:
    return pytest.approx(score, abs=1e-6)


def test_a_step_of_another_length_goes_on_with_the_state_that_is_there() -> None:
    """After a savepoint and a change of the settings: no failure, and every user with activity is ranked."""
    for before, after in (("5 min", "20 min"), ("12 min", "1 h"), ("20 min", "5 min"), ("5 min", "7 min")):
        window = {"window": "70 min"} if after == "7 min" else {}
        first = rules_of(configured("recommendation", recommendation={"step": before}))
        second = rules_of(configured("recommendation", recommendation={"step": after, **window}))
        job = Job(*first)
        job.take(kit_event(minute * MINUTE, user_id=minute % 7, category="shoes") for minute in range(130))
        job.pass_time(123 * MINUTE)
        job.restart(*second)
        assert {row.user_id for row in job.finish() if row.event_time > 123 * MINUTE} == set(range(7)), (before, after)
