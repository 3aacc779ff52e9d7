"""Conditions of entries: Python's comparisons, and nothing that could do more."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.conditions import ConditionError, holds, names, parsed

ROW: dict[str, Any] = {"revenue": 12.5, "orders": 3, "category": "books", "returned": True, "score": None}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("True", True),
        ("returned", True),
        ("not returned", False),
        ("revenue > 12", True),
        ("10 < revenue <= 12", False),
        ("revenue / orders >= 4", True),
        ("-revenue < 0", True),
        ("revenue > 100 or orders == 3", True),
        ("revenue > 100 and orders == 3", False),
        ("category in ('books', 'games')", True),
        ("category not in ('books', 'games')", False),
        ("category == 'games'", False),
        ("score > 3", False),
        ("not score > 3", True),
        ("score == 0", False),
        ("revenue / 0 > 1", False),
        ("score + 1 > 0", False),
    ],
)
def test_a_condition_holds_as_python_says_and_a_null_fulfils_no_comparison(text: str, wanted: bool) -> None:
    assert holds(text, ROW) is wanted


def test_a_condition_names_what_it_reads() -> None:
    assert names("revenue > much and category in ('a', 'b')") == {"revenue", "much", "category"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "revenue >",
        "print('x')",
        "().__class__",
        "lambda: 1",
        "revenue if returned else 0",
        "[1][0]",
        "f'{revenue}'",
        "revenue ** 9 ** 9",
        "revenue := 1",
        "None",
        "b'x' == category",
        "(" * 500,
    ],
)
def test_what_is_no_condition_is_refused_in_a_line(text: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parsed(text)
    assert len(str(caught.value).splitlines()) == 1


@given(st.text())
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    try:
        parsed(text)
    except ConditionError:
        return
    names(text)
