"""Aggregation: per event_type, 5-minute tumbling windows over events with a value."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.events import MINUTE, SECOND, Case, Output, Row, at, configured, event, log, logged, results_of
from tests.jobs.conftest import Flink

WINDOW = 5 * MINUTE


def sale(event_type: str, offset: int, value: float | None, user: int = 1) -> bytes:
    return event(offset, event_type=event_type, value=value, user_id=user)


def row(event_type: str, start: int, count: int, users: int, total: str, average: float) -> Row:
    return {
        "window_start": at(start),
        "window_end": at(start + WINDOW),
        "event_type": event_type,
        "event_count": count,
        "unique_users": users,
        "total_value": Decimal(total),
        "avg_value": pytest.approx(Decimal(repr(average))),
    }


CASES = {
    "count, users, sum and average": Case(
        [sale("a", 0, 10, user=1), sale("a", 1, 20.5, user=2), sale("a", 2, -0.25, user=1)],
        [row("a", 0, 3, 2, "30.25", 30.25 / 3)],
    ),
    "the window holds its start and not its end": Case(
        [sale("b", 0, 1), sale("b", WINDOW - 1, 2), sale("b", WINDOW, 4)],
        [row("b", 0, 2, 1, "3", 1.5), row("b", WINDOW, 1, 1, "4", 4)],
    ),
    "an empty window is no row": Case(
        [sale("c", 0, 1), sale("c", 3 * WINDOW, 2)],
        [row("c", 0, 1, 1, "1", 1), row("c", 3 * WINDOW, 1, 1, "2", 2)],
    ),
    "a null value does not count": Case(
        [sale("d", 0, 8), sale("d", 1, None, user=9), event(2, event_type="d", user_id=10)],
        [row("d", 0, 1, 1, "8", 8)],
    ),
    "without any value there is no row": Case([sale("e", 0, None)], []),
    "0 is a value": Case([sale("f", 0, 0), sale("f", 1, -0.0)], [row("f", 0, 2, 1, "0", 0)]),
    "sums are exact in any order": Case(
        [sale("g", offset, value) for offset, value in enumerate([1e18, 0.1, -1e18, 0.2, 1e17, 1e-6, -1e17])],
        [row("g", 0, 7, 1, "0.300001", 0.300001 / 7)],
    ),
    "ten times a tenth is one": Case([sale("h", i, 0.1) for i in range(10)], [row("h", 0, 10, 1, "1", 0.1)]),
    "values are rounded half up to six places": Case(
        [sale("i", 0, 0.0000005), sale("i", 1, -0.0000015), sale("i", 2, 0.00000049)],
        [row("i", 0, 3, 1, "-0.000001", -0.000001 / 3)],
    ),
    "out of order within the delay counts in its own window": Case(
        [sale("j", WINDOW + 2 * SECOND, 1), sale("j", WINDOW - SECOND, 2)],
        [row("j", 0, 1, 1, "2", 2), row("j", WINDOW, 1, 1, "1", 1)],
    ),
    "Unicode types": Case(
        [sale("\U0001f600 \u00e4", 0, 1), sale("a\u0000b\"\\", 1, 2)],
        [row("\U0001f600 \u00e4", 0, 1, 1, "1", 1), row("a\u0000b\"\\", 0, 1, 1, "2", 2)],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def output(flink: Flink) -> Output:
    return flink(logged(CASES), configured("aggregation"))


@pytest.mark.parametrize("name", CASES)
def test_aggregation(output: Output, name: str) -> None:
    case = CASES[name]
    found = results_of(case, output, "aggregation", "event_type")
    assert sorted(found, key=in_order) == sorted(case.results, key=in_order)


def in_order(row: Any) -> Any:
    return row["window_start"], row["event_type"]


def test_it_becomes_true_at_the_windows_end(output: Output) -> None:
    assert all(row["event_time"] == row["window_end"] for row in output.rows("aggregation"))
    assert not output.rejected


def test_the_window_of_the_settings_goes_into_the_query(flink: Flink) -> None:
    settings = configured("aggregation", aggregation={"window": "1500 ms"})
    rows = flink(log([sale("a", 0, 1), sale("a", 1_499, 2), sale("a", 1_500, 4)]), settings).rows("aggregation")
    assert [(row["window_start"], row["window_end"], row["total_value"]) for row in rows] == [
        (at(0), at(1_500), 3),
        (at(1_500), at(3_000), 4),
    ]
