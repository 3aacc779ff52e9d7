"""Subjects, labels and clipped texts, whatever they are made from."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lambdas.alerts.labels import clip, label, subject

# every code point there is, half surrogate pairs included
ANY_TEXT = st.text(st.characters(codec=None), max_size=400)


@given(ANY_TEXT)
@example("")
@example("\n")
@example(" " * 300)
@example("a" * 100)
@example("\u2028Subject: forged\r\nBcc: someone")
def test_a_subject_is_one_sns_takes(text: str) -> None:
    made = subject(text)
    assert re.fullmatch(r"[!-~]([ -~]{0,97}[!-~])?", made), made


def test_a_subject_that_fits_is_kept_and_a_long_one_marked() -> None:
    assert subject("HIGH anomaly: click") == "HIGH anomaly: click"
    assert subject("x" * 99) == "x" * 99
    assert subject("x" * 100) == "x" * 96 + "..."
    assert subject("LOW anomaly: 구매\r\n!") == "LOW anomaly: ?!"


@given(ANY_TEXT)
@example(":")
@example("")
@example("\ud800")
@example(" : ")
def test_a_label_is_one_cloudwatch_takes(text: str) -> None:
    made = label(text)
    assert re.fullmatch(r"[ -~]{1,255}", made)
    assert not made.startswith(":")
    assert made == made.strip()
    assert made == label(text)
    assert label(made) == made


@given(ANY_TEXT, ANY_TEXT)
@example("é", "è")
@example(" a", "a")
@example("x" * 256, "x" * 257)
def test_different_texts_have_different_labels(one: str, other: str) -> None:
    assert (label(one) == label(other)) == (one == other)


@pytest.mark.parametrize("text", ["click", "add_to_cart", "a b", "x" * 255, "a:b", "!"])
def test_a_text_that_fits_is_its_own_label(text: str) -> None:
    assert label(text) == text


def test_a_label_stays_readable() -> None:
    assert label("구매 A") == "__ A~" + label("구매 A")[-8:]
    assert label(":x").startswith("_x~")
    assert len(label("y" * 300)) == 255


@given(ANY_TEXT)
def test_a_clipped_text_is_short_and_says_so(text: str) -> None:
    made = clip(text)
    assert len(made) <= 256
    assert made == text or (made.endswith("...") and text.startswith(made[:-3]))
