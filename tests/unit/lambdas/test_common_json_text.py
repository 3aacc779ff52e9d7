"""Limits of foreign JSON, each with its reason, the same whoever calls."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from lambdas.common.errors import RecordError
from lambdas.common.json_text import MAX_DEPTH, MAX_NUMBER, json_object


def nested(levels: int) -> str:
    """An object with lists in it, so many levels in all."""
    return '{"a":' + "[" * (levels - 1) + "]" * (levels - 1) + "}"


def called_at_depth(frames: int, call: Callable[[], object]) -> object:
    return call() if frames == 0 else called_at_depth(frames - 1, call)


@pytest.mark.parametrize("frames", [0, 500])
def test_the_depth_is_a_limit_of_ours_wherever_it_is_called(frames: int) -> None:
    assert called_at_depth(frames, lambda: json_object(nested(MAX_DEPTH)))
    for levels in (MAX_DEPTH + 1, 900, 100_000):
        with pytest.raises(RecordError, match="nests deeper than 100 levels"):
            called_at_depth(frames, lambda levels=levels: json_object(nested(levels)))  # type: ignore[misc]


def test_many_objects_beside_each_other_are_not_deep() -> None:
    assert len(json_object('{"a":[' + ",".join(["{}"] * 10_000) + "]}")["a"]) == 10_000  # type: ignore[arg-type]


def test_the_length_of_a_number_is_a_limit() -> None:
    assert json_object('{"n":' + "9" * MAX_NUMBER + "}")["n"] == int("9" * MAX_NUMBER)
    for number in ("9" * (MAX_NUMBER + 1), "0." + "1" * MAX_NUMBER, "9" * 1_000_000):
        with pytest.raises(RecordError, match="a number of more than 1000 characters"):
            json_object('{"n":' + number + "}")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("\ufeff{}", "not JSON"),
        ("[]", "not a JSON object"),
        ("null", "not a JSON object"),
        ('{"a":NaN}', "NaN or Infinity"),
        ('{"a":[-Infinity]}', "NaN or Infinity"),
        ('{"a":1e99999999999999999999}', "an exponent beyond"),
        ('{"a":{"b":1,"b":1}}', "a repeated key"),
    ],
)
def test_other_text_has_a_reason(text: str, reason: str) -> None:
    with pytest.raises(RecordError, match=reason):
        json_object(text)


def test_decimals_keep_their_digits() -> None:
    assert json_object('{"a":12.340000,"b":1e400}') == {"a": Decimal("12.340000"), "b": Decimal("1e400")}
    assert str(json_object('{"a":12.340000}')["a"]) == "12.340000"
