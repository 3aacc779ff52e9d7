"""Session: per user, events less than 30 minutes apart, cut 24 hours after the first."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.events import HOUR, MINUTE, SECOND, Case, Output, Row, at, configured, event, log, logged, results_of
from tests.unit.flink_jobs.jobs.rules import ran

GAP = 30 * MINUTE
DAY = 24 * HOUR


def visits(user: int, *offsets: int, **fields: Any) -> list[bytes]:
    return [event(offset, user_id=user, **fields) for offset in offsets]


def row(user: int, start: int, end: int, count: int, *, total: str = "0", types: tuple[str, ...] = ("view",)) -> Row:
    return {
        "user_id": user,
        "session_start": at(start),
        "session_end": at(end),
        "duration_minutes": pytest.approx(Decimal(end - start) / MINUTE),
        "event_count": count,
        "total_value": Decimal(total),
        "event_types": list(types),
    }


def names(first: int, last: int) -> list[str]:
    return [f"type-{number:03d}" for number in range(first, last)]


CASES = {
    "an event alone": Case(visits(1, 5), [row(1, 5, 5, 1)]),
    "less than the gap is one session": Case(visits(2, 0, GAP - 1), [row(2, 0, GAP - 1, 2)]),
    "the gap parts": Case(visits(3, 0, GAP), [row(3, 0, 0, 1), row(3, GAP, GAP, 1)]),
    "an event that comes late joins what seemed two sessions": Case(
        visits(4, 0, GAP + 2 * SECOND, GAP - SECOND), [row(4, 0, GAP + 2 * SECOND, 3)]
    ),
    "an event that comes late is the start": Case(visits(5, 4 * SECOND, 0), [row(5, 0, 4 * SECOND, 2)]),
    "event types in order of first appearance, ties by name": Case(
        [
            event(2, user_id=6, event_type="a"),
            event(1, user_id=6, event_type="z"),
            event(1, user_id=6, event_type="c"),
            event(3, user_id=6, event_type="z"),
            event(0, user_id=6, event_type="\U0001f600"),
        ],
        [row(6, 0, 3, 5, types=("\U0001f600", "c", "z", "a"))],
    ),
    "total_value is exact, null counts as 0": Case(
        [
            *visits(7, 0, value=1e18),
            *visits(7, 1, value=0.1),
            *visits(7, 2),
            *visits(7, 3, value=0.2),
            *visits(7, 4, value=-1e18),
            *visits(7, 5, value=-0.0000005),
        ],
        [row(7, 0, 5, 6, total="0.299999")],
    ),
    # 24 h of visits every 29 min: the 50th is at 23:41, the 51st at 24:10.
    "cut 24 hours after the first event": Case(
        visits(8, *range(0, DAY + 2 * HOUR, 29 * MINUTE)),
        [row(8, 0, 49 * 29 * MINUTE, 50), row(8, 50 * 29 * MINUTE, 53 * 29 * MINUTE, 4)],
    ),
    "an event 1 ms before 24 h is in, at 24 h it is not": Case(
        visits(9, *range(0, DAY - MINUTE, 20 * MINUTE), DAY - 1, DAY, DAY + 1),
        [row(9, 0, DAY - 1, 73), row(9, DAY, DAY + 1, 2)],
    ),
    "100 types are written": Case(
        [event(i, user_id=10, event_type=name) for i, name in enumerate(names(0, 100))],
        [row(10, 0, 99, 100, types=tuple(names(0, 100)))],
    ),
    "the 101st is a mark": Case(
        [event(i, user_id=11, event_type=name) for i, name in enumerate(names(0, 103))],
        [row(11, 0, 102, 103, types=(*names(0, 100), "..."))],
    ),
    "the largest and the smallest user_id": Case(
        [*visits(2**63 - 1, 0), *visits(-(2**63), 1)], [row(2**63 - 1, 0, 0, 1), row(-(2**63), 1, 1, 1)]
    ),
}


@pytest.fixture(scope="module")
def output() -> Output:
    return ran(logged(CASES), configured("session"))


@pytest.mark.parametrize("name", CASES)
def test_session(output: Output, name: str) -> None:
    case = CASES[name]
    assert results_of(case, output, "session", "user_id") == list(case.results)


def test_it_becomes_true_when_no_event_can_follow(output: Output) -> None:
    times = {
        (row["user_id"], row["session_start"]): row["event_time"]
        for row in output.rows("session")
        if row["user_id"] in (3, 8)
    }
    assert times == {
        (3, at(0)): at(GAP),
        (3, at(GAP)): at(2 * GAP),
        (8, at(0)): at(DAY),
        (8, at(50 * 29 * MINUTE)): at(53 * 29 * MINUTE + GAP),
    }


def test_settings() -> None:
    settings = configured("session", session={"gap": "10 s", "max_span": "1 min", "max_types": "1"})
    events = [
        *visits(1, *range(0, 70 * SECOND, 7 * SECOND)),
        *visits(2, 80 * SECOND),
        event(81 * SECOND, user_id=2, event_type="click"),
    ]
    rows = ran(log(events), settings).rows("session")
    assert [(row["user_id"], row["event_count"], row["event_types"]) for row in rows] == [
        (1, 9, ["view"]),
        (1, 1, ["view"]),
        (2, 2, ["view", "..."]),
    ]
