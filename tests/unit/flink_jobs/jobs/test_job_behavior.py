"""Behavior: per session_id and user_id, sessions with a 30-minute gap: sequence, duration, sum, conversion."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.events import MINUTE, SECOND, Case, Output, Row, at, configured, event, log, logged, results_of
from tests.unit.flink_jobs.jobs.rules import ran

GAP = 30 * MINUTE


def step(session: str, offset: int, event_type: str, **fields: Any) -> bytes:
    return event(offset, session_id=session, event_type=event_type, **fields)


def steps(session: str, *steps: tuple[int, str]) -> list[bytes]:
    return [step(session, offset, event_type) for offset, event_type in steps]


def row(
    session: str, start: int, end: int, sequence: str, *, converted: bool = False, total: str = "0", user: int = 1
) -> Row:
    return {
        "session_id": session,
        "user_id": user,
        "session_start": at(start),
        "session_end": at(end),
        "event_count": sequence.count("->") + 1,
        "event_sequence": sequence,
        "session_duration": end - start,
        "total_value": Decimal(total),
        "conversion_flag": converted,
    }


CASES = {
    "view, click, purchase converts": Case(
        steps("a", (0, "view"), (SECOND, "click"), (2 * SECOND, "purchase")),
        [row("a", 0, 2 * SECOND, "view -> click -> purchase", converted=True)],
    ),
    "and need not be adjacent": Case(
        steps("b", (0, "view"), (1, "search"), (2, "click"), (3, "view"), (4, "purchase")),
        [row("b", 0, 4, "view -> search -> click -> view -> purchase", converted=True)],
    ),
    "but in that order": Case(
        steps("c", (0, "click"), (1, "view"), (2, "purchase")), [row("c", 0, 2, "click -> view -> purchase")]
    ),
    "an event alone": Case(steps("d", (5, "view")), [row("d", 5, 5, "view")]),
    "less than the gap is one session": Case(
        steps("e", (0, "view"), (GAP - 1, "click")), [row("e", 0, GAP - 1, "view -> click")]
    ),
    "events that arrive when the session would close keep it open": Case(
        steps("f", (0, "view"), (GAP - 1, "click"), (2 * GAP - 2, "purchase"), (3 * GAP - 3, "view")),
        [row("f", 0, 3 * GAP - 3, "view -> click -> purchase -> view", converted=True)],
    ),
    "the gap parts": Case(
        steps("g", (0, "view"), (GAP, "click")), [row("g", 0, 0, "view"), row("g", GAP, GAP, "click")]
    ),
    "out of order is put in order": Case(
        steps("h", (4 * SECOND, "purchase"), (2 * SECOND, "click"), (0, "view")),
        [row("h", 0, 4 * SECOND, "view -> click -> purchase", converted=True)],
    ),
    "an event that comes late joins what seemed two sessions": Case(
        steps("i", (0, "view"), (GAP + 2 * SECOND, "click"), (GAP - SECOND, "view")),
        [row("i", 0, GAP + 2 * SECOND, "view -> view -> click")],
    ),
    "ties: view, click, purchase, then by name": Case(
        steps("j", *((0, name) for name in ("zoom", "purchase", "add", "click", "view", "\U0001f600", "\uffee"))),
        [row("j", 0, 0, "view -> click -> purchase -> add -> zoom -> \uffee -> \U0001f600", converted=True)],
    ),
    "total_value is exact, null counts as 0": Case(
        [
            step("k", 0, "view", value=1e18),
            step("k", 1, "view", value=0.1),
            step("k", 2, "view"),
            step("k", 3, "view", value=0.2),
            step("k", 4, "view", value=-1e18),
        ],
        [row("k", 0, 4, "view -> view -> view -> view -> view", total="0.300000")],
    ),
    "one session_id of two users is two sessions": Case(
        [step("l", 0, "view", user_id=1), step("l", 1, "click", user_id=2)],
        [row("l", 0, 0, "view", user=1), row("l", 1, 1, "click", user=2)],
    ),
    "100 steps are written": Case(
        steps("m", *((offset, "view") for offset in range(100))), [row("m", 0, 99, " -> ".join(["view"] * 100))]
    ),
    "the 101st is a mark, and still counts": Case(
        steps("n", *((i, "view") for i in range(99)), *((i, "click") for i in range(99, 102)), (102, "purchase")),
        [
            row("n", 0, 102, " -> ".join(["view"] * 99 + ["click", "..."]), converted=True)
            | {"event_count": 103}
        ],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def output() -> Output:
    without_session = [event(7), event(8, session_id=None), event(9, session_id="")]
    return ran(logged(CASES) + log(without_session, "shard-1"), configured("behavior"))


@pytest.mark.parametrize("name", CASES)
def test_behavior(output: Output, name: str) -> None:
    case = CASES[name]
    assert results_of(case, output, "behavior", "session_id") == list(case.results)


def test_events_without_a_session_id_are_skipped(output: Output) -> None:
    assert not output.rejected
    assert {row["session_id"] for row in output.rows("behavior")} == set("abcdefghijklmn")


def test_settings() -> None:
    settings = configured("behavior", behavior={"gap": "10 s", "max_steps": "2"})
    events = steps("a", (0, "view"), (1, "click"), (2, "purchase"), (2 + 10 * SECOND, "view"))
    rows = ran(log(events), settings).rows("behavior")
    assert [row["event_sequence"] for row in rows] == ["view -> click -> ...", "view"]
    assert [row["event_time"] for row in rows] == [at(2 + 10 * SECOND), at(2 + 20 * SECOND)]


def test_the_funnel_is_a_setting_and_orders_events_of_one_time() -> None:
    settings = configured("behavior", behavior={"funnel": "visit, sign up, trial, pay"})
    visits = [
        *steps("a", (0, "pay"), (0, "trial"), (0, "sign up"), (0, "visit"), (0, "also")),
        *steps("b", (0, "visit"), (1, "sign up"), (2, "pay"), (3, "trial")),
    ]
    rows = {row["session_id"]: row for row in ran(log(visits), settings).rows("behavior")}
    assert rows["a"]["event_sequence"] == "visit -> sign up -> trial -> pay -> also"
    assert [rows[session]["conversion_flag"] for session in "ab"] == [True, False]
