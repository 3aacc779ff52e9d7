"""Anomaly: z-score of a value against the whole 10-s slices of the hour before its own, per event_type."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest

from tests.events import HOUR, SECOND, Case, Output, Row, at, configured, event, log, logged, results_of
from tests.unit.flink_jobs.jobs.rules import ran

SLICE = 10 * SECOND


def value(event_type: str, offset: int, number: float | None, **fields: object) -> bytes:
    return event(offset, event_type=event_type, value=number, **fields)


def around(event_type: str, count: int, step: int = SECOND) -> list[bytes]:
    """Values 9 and 11 by turns: mean 10, deviation sqrt(n / (n - 1))."""
    return [value(event_type, i * step, 9 + i % 2 * 2) for i in range(count)]


def row(event_type: str, number: float, count: int, mean: float, deviation: float) -> Row:
    return {
        "user_id": 1,
        "event_type": event_type,
        "current_value": number,
        "moving_average": close(mean),
        "deviation": close(deviation),
        "baseline_count": count,
        "anomaly_score": close(min(1e6, abs(number - mean) / deviation) if deviation else 1e6),
        "is_anomaly": True,
        "expected_low": close(mean - 3 * deviation),
        "expected_high": close(mean + 3 * deviation),
    }


def close(number: float | np.floating[Any]) -> object:
    return pytest.approx(float(number), rel=1e-9, abs=1e-9)


DEVIATION_30 = math.sqrt(30 / 29)

CASES = {
    "far above the mean": Case([*around("a", 30), value("a", 30_000, 20)], [row("a", 20, 30, 10, DEVIATION_30)]),
    "far below the mean": Case([*around("b", 30), value("b", 30_000, 0)], [row("b", 0, 30, 10, DEVIATION_30)]),
    "at three deviations it is none": Case([*around("c", 30), value("c", 30_000, 10 + 2.99 * DEVIATION_30)], []),
    "above three it is one": Case(
        [*around("d", 30), value("d", 30_000, 10 + 3.01 * DEVIATION_30)],
        [row("d", 10 + 3.01 * DEVIATION_30, 30, 10, DEVIATION_30)],
    ),
    "29 values are no baseline": Case([*around("e", 29), value("e", 30_000, 1e6)], []),
    "an event is not in its own baseline, nor is its slice": Case(
        # The two last values share a slice: the same 30 values judge both.
        [*around("f", 30), value("f", 30_000, 20), value("f", 39_999, 20)],
        [row("f", 20, 30, 10, DEVIATION_30), row("f", 20, 30, 10, DEVIATION_30)],
    ),
    "the next slice knows it": Case(
        [*around("g", 30), value("g", 30_000, 20), value("g", 40_000, 40)],
        [
            row("g", 20, 30, 10, DEVIATION_30),
            row("g", 40, 31, 320 / 31, float(np.std([9, 11] * 15 + [20], ddof=1))),
        ],
    ),
    "a deviation of 0 and another value: score 1e6": Case(
        [*[value("h", i * SECOND, 0.1) for i in range(30)], value("h", 30_000, 0.1), value("h", 30_000, 0.2)],
        [row("h", 0.2, 30, 0.1, 0)],
    ),
    "the hour holds the slice that starts an hour before": Case(
        [*around("i", 30, step=300), value("i", HOUR, 20)], [row("i", 20, 30, 10, DEVIATION_30)]
    ),
    "and not the one before that": Case([*around("j", 30, step=300), value("j", HOUR + SLICE, 20)], []),
    "types do not mix": Case([*around("k", 30), value("l", 30_000, 20)], []),
    "null values do not count": Case(
        [*around("m", 30), *[value("m", i, None) for i in range(26_000, 29_000, 100)], value("m", 30_000, 20)],
        [row("m", 20, 30, 10, DEVIATION_30)],
    ),
    "out of order within the delay, at its slice's place": Case(
        [*around("n", 30)[:-1], value("n", 31_000, 20), around("n", 30)[-1]], [row("n", 20, 30, 10, DEVIATION_30)]
    ),
}


@pytest.fixture(scope="module")
def output() -> Output:
    return ran(logged(CASES), configured("anomaly"))


@pytest.mark.parametrize("name", CASES)
def test_anomaly(output: Output, name: str) -> None:
    case = CASES[name]
    found = [as_float(row) for row in results_of(case, output, "anomaly", "event_type")]
    assert found == list(case.results)


def as_float(row: Row) -> Row:
    exact = ("user_id", "event_type", "baseline_count", "is_anomaly")
    return {name: value if name in exact or value is None else float(value) for name, value in row.items()}


def test_the_id_is_the_events() -> None:
    events = [*around("a", 30), *[value("a", 30_000, 20, event_id=name) for name in ("x", "y")]]
    rows = ran(log(events), configured("anomaly")).rows("anomaly")
    assert len({row["result_id"] for row in rows}) == 2
    assert {row["event_time"] for row in rows} == {at(30_000)}


def test_every_event_when_configured() -> None:
    rules = {"emit_all": "true", "minimum_count": "2", "threshold": "0.5", "slice": "4 s", "baseline": "12 s"}
    events = [value("a", offset * 4 * SECOND, number) for offset, number in enumerate([1, 3, 2, 9, 4, 4])]
    rows = ran(log(events), configured("anomaly", anomaly=rules)).rows("anomaly")
    found = [(r["baseline_count"], r["moving_average"], r["anomaly_score"], r["is_anomaly"]) for r in rows]
    assert [(r[0], r[1] and float(r[1]), r[2] and float(r[2]), r[3]) for r in found] == [
        (0, None, None, False),
        (1, None, None, False),
        (2, close(2), 0, False),
        (3, close(2), close(7), True),
        (3, close(14 / 3), close((14 / 3 - 4) / np.std([3, 2, 9], ddof=1)), False),
        (3, close(5), close(1 / np.std([2, 9, 4], ddof=1)), False),
    ]


def test_large_means_do_not_cancel() -> None:
    """Values of 1e9 +- 1 agree with numpy of the shifted values: deviation to 1e-6, mean to 1e-14 relative."""
    source = random.Random(1)
    numbers = [1e9 + source.choice([-1.0, 1.0]) for _ in range(5_000)]
    events = [value("a", offset * SECOND, number) for offset, number in enumerate(numbers)]
    settings = configured("anomaly", anomaly={"emit_all": "true"})
    rows = {row["event_time"]: row for row in ran(log(events), settings).rows("anomaly")}
    for second in range(30, 5_000, 7):
        first, own = second // 10 * 10 - 3_600, second // 10 * 10
        baseline = np.array(numbers[max(0, first) : own]) - 1e9
        row = rows[at(second * SECOND)]
        assert row["baseline_count"] == len(baseline)
        assert float(row["moving_average"]) - 1e9 == pytest.approx(baseline.mean(), abs=1e-5)
        assert float(row["deviation"]) == pytest.approx(baseline.std(ddof=1), rel=1e-6)


def test_one_huge_value_leaves_no_trace_an_hour_later() -> None:
    """The events after the hour have the very results that they have without the value, digit for digit."""
    source = random.Random(2)
    quiet = [value("a", offset * SECOND, source.gauss(100, 5)) for offset in range(2 * 3_600)]
    settings = configured("anomaly", anomaly={"emit_all": "true"})
    undisturbed = ran(log(quiet), settings)
    huge = value("a", 500, 1e17)
    disturbed = ran(log([quiet[0], huge, *quiet[1:]]), settings)
    end_of_trace = at(HOUR + SLICE)
    clean = {row["result_id"]: row for row in undisturbed.rows("anomaly")}
    traced = 0
    for row in disturbed.rows("anomaly"):
        if row["event_time"] >= end_of_trace:
            assert row == clean[row["result_id"]]
        else:
            traced += row != clean.get(row["result_id"])
    assert traced > 3_000, "within the hour the value counts"


def test_two_records_of_the_same_bytes_are_one_result() -> None:
    """Without event_id both count in the baseline; the result names the bytes, so it is one for both."""
    events = [*around("a", 30), value("a", 30_000, 20), value("a", 30_000, 20), value("a", 40_000, 40)]
    rows = ran(log(events), configured("anomaly")).rows("anomaly")
    assert [(row["current_value"], row["baseline_count"]) for row in rows] == [(20, 30), (40, 32)]
