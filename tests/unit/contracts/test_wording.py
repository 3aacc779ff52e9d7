"""Sentences of entries: how a value reads."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.wording import fields, said, sentence


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (900_001, "900001"),
        (12.0, "12"),
        (1234.5, "1,234.50"),
        (0.0001, "0.0001"),
        (1e18, "1e+18"),
        (None, "unknown"),
        (True, "true"),
        ("books", "books"),
        (("view", "click"), "view, click"),
    ],
)
def test_a_value_reads_as_a_person_writes_it(value: Any, text: str) -> None:
    assert said(value) == text


def test_a_sentence_has_its_columns_in_it() -> None:
    text = "{user_id} {bought:bought|only looked} for {revenue}"
    assert fields(text) == (("user_id", ""), ("bought", "bought|only looked"), ("revenue", ""))
    assert sentence(text, {"user_id": 7, "bought": False, "revenue": 2.5}) == "7 only looked for 2.50"


@pytest.mark.parametrize("text", ["{user_id", "user_id}", "{user_id!r}", "{a:{b}}"])
def test_braces_that_say_nothing_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\{|\}|brace"):
        fields(text)
