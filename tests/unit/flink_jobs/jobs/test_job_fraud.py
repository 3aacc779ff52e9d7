"""Fraud: purchases of a user in any (t - 5 min, t]; LOW at the 11th, MEDIUM at the 21st, HIGH at the 51st."""

from __future__ import annotations

from typing import Any

import pytest

from tests.events import HOUR, MINUTE, SECOND, Case, Output, Row, at, configured, event, log, logged, results_of
from tests.unit.flink_jobs.jobs.rules import ran

WINDOW = 5 * MINUTE


def purchases(user: int, *offsets: int) -> list[bytes]:
    return [event(offset, user_id=user, event_type="purchase") for offset in offsets]


def alert(user: int, offset: int, level: str, count: float) -> Row:
    return {
        "window_start": at(offset - WINDOW),
        "window_end": at(offset),
        "user_id": user,
        "suspicious_activity": "High frequency transactions",
        "risk_score": count,
        "alert_level": level,
    }


def every(step: int, count: int, first: int = 0) -> list[int]:
    return list(range(first, first + step * count, step))


CASES = {
    "10 purchases are no alert": Case(purchases(1, *every(SECOND, 10)), []),
    "the 11th is LOW": Case(purchases(2, *every(SECOND, 11)), [alert(2, 10 * SECOND, "LOW", 11)]),
    "6 + 6 across the boundary of a 5-minute window are one LOW": Case(
        purchases(3, *every(SECOND, 6, WINDOW - 6 * SECOND), *every(SECOND, 6, WINDOW)),
        [alert(3, WINDOW + 4 * SECOND, "LOW", 11)],
    ),
    "60 purchases at one millisecond are LOW, MEDIUM and HIGH": Case(
        purchases(4, *[MINUTE] * 60),
        [alert(4, MINUTE, "LOW", 11), alert(4, MINUTE, "MEDIUM", 21), alert(4, MINUTE, "HIGH", 51)],
    ),
    "500 purchases, one a second, are one alert a level": Case(
        purchases(5, *every(SECOND, 500)),
        [
            alert(5, 10 * SECOND, "LOW", 11),
            alert(5, 20 * SECOND, "MEDIUM", 21),
            alert(5, 50 * SECOND, "HIGH", 51),
        ],
    ),
    "the first of 11 is 5 minutes old: 10 in the window": Case(purchases(6, 0, *every(1, 10, WINDOW - 9)), []),
    "the first of 11 is 1 ms younger: 11 in the window": Case(
        purchases(7, 1, *every(1, 10, WINDOW - 9)), [alert(7, WINDOW, "LOW", 11)]
    ),
    # The count falls below 11 when the first burst leaves the window, at 5 min; a whole window later LOW re-arms.
    "5 minutes below the level re-arm it": Case(
        purchases(8, *[0] * 11, *[2 * WINDOW] * 11), [alert(8, 0, "LOW", 11), alert(8, 2 * WINDOW, "LOW", 11)]
    ),
    "1 ms less than 5 minutes below does not": Case(
        purchases(9, *[0] * 11, *[2 * WINDOW - 1] * 11), [alert(9, 0, "LOW", 11)]
    ),
    "a level re-arms on its own": Case(
        purchases(10, *[0] * 21, *every(25 * SECOND, 48, 25 * SECOND), *[1210 * SECOND] * 15),
        [alert(10, 0, "LOW", 11), alert(10, 0, "MEDIUM", 21), alert(10, 1210 * SECOND, "MEDIUM", 21)],
    ),
    "out of order within the delay counts by event time": Case(
        purchases(11, *every(400, 10, 4_000)[::-1], 4_000),
        [alert(11, 4_000 + 9 * 400, "LOW", 11)],
    ),
    "purchases of two users do not add up": Case(
        purchases(12, *every(SECOND, 6)) + purchases(13, *every(SECOND, 6)), []
    ),
    "only purchases count": Case(
        [*purchases(14, *every(SECOND, 10)), event(10 * SECOND, user_id=14, event_type="view")], []
    ),
}


@pytest.fixture(scope="module")
def output() -> Output:
    return ran(logged(CASES), configured("fraud"))


@pytest.mark.parametrize("name", CASES)
def test_fraud(output: Output, name: str) -> None:
    case = CASES[name]
    found = results_of(case, output, "fraud", "user_id")
    assert sorted(found, key=in_order) == list(case.results)


def in_order(row: Row) -> Any:
    return row["window_end"], row["risk_score"]


def test_envelope(output: Output) -> None:
    [row] = [row for row in output.rows("fraud") if row["user_id"] == 2]
    assert (row["result_type"], row["event_time"], row["run"]) == ("fraud", at(10 * SECOND), "live")
    assert row["result_id"].startswith("fraud-")


def test_settings() -> None:
    settings = configured("fraud", fraud={"window": "1 h", "low": "2", "medium": "3", "high": "4"})
    rows = ran(log(purchases(1, 0, 30 * MINUTE, HOUR - 1, HOUR)), settings).rows("fraud")
    assert [(row["window_end"], row["alert_level"], row["risk_score"]) for row in rows] == [
        (at(30 * MINUTE), "LOW", 2),
        (at(HOUR - 1), "MEDIUM", 3),
    ]


def test_the_event_types_that_count_are_a_setting() -> None:
    settings = configured("fraud", fraud={"event_types": "refund, gift card", "low": "2", "medium": "3", "high": "4"})
    kinds = ("refund", "purchase", "gift card", "purchase")
    records = log(event(second * SECOND, user_id=1, event_type=kind) for second, kind in enumerate(kinds))
    [row] = ran(records, settings).rows("fraud")
    assert (row["window_end"], row["alert_level"], row["risk_score"]) == (at(2 * SECOND), "LOW", 2)
