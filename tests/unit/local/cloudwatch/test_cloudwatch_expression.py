"""Metric math over series: values by hand, gaps, and what is refused."""

from __future__ import annotations

import pytest

from local.cloudwatch.expression import evaluate
from local.cloudwatch.points import Points, Range
from monitoring.expressions import FUNCTIONS, ExpressionError, parse

OVER = Range(0, 50, 10)
SERIES: dict[str, Points] = {
    "a": {0: 1.0, 10: 2.0, 20: 4.0, 40: 8.0},
    "b": {0: 2.0, 20: 0.0, 30: 5.0, 40: 4.0},
    "none": {},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", SERIES["a"]),
        ("a + b", {0: 3.0, 20: 4.0, 40: 12.0}),
        ("a * 2 - 1", {0: 1.0, 10: 3.0, 20: 7.0, 40: 15.0}),
        ("a / b", {0: 0.5, 40: 2.0}),  # nothing where it would divide by zero
        ("-a", {0: -1.0, 10: -2.0, 20: -4.0, 40: -8.0}),
        ("a > 2", {0: 0.0, 10: 0.0, 20: 1.0, 40: 1.0}),
        ("RATE(a)", {10: 0.1, 20: 0.2, 40: 0.2}),
        ("DIFF(a)", {10: 1.0, 20: 2.0, 40: 4.0}),
        ("EPOCH(a)", {0: 0.0, 10: 10.0, 20: 20.0, 40: 40.0}),
        ("FILL(b, 0)", {0: 2.0, 10: 0.0, 20: 0.0, 30: 5.0, 40: 4.0}),
        ("FILL(none, 7)", dict.fromkeys(range(0, 50, 10), 7.0)),
        ("IF(b > 0, 100 * FILL(a, 0) / b, 0)", {0: 50.0, 20: 0.0, 30: 0.0, 40: 200.0}),
        ("IF(a > 1, 7, 0)", {0: 0.0, 10: 7.0, 20: 7.0, 40: 7.0}),
        ("3", dict.fromkeys(range(0, 50, 10), 3.0)),
        ("none", {}),
    ],
)
def test_given_an_expression_then_its_values(text: str, expected: Points) -> None:
    assert evaluate(parse(text), SERIES, OVER) == pytest.approx(expected)


def test_given_every_function_that_may_be_deployed_then_it_is_computed_here() -> None:
    for function, arguments in FUNCTIONS.items():
        text = f"{function}({', '.join(['a', '1', '2'][:arguments])})"
        assert evaluate(parse(text), SERIES, OVER), text


@pytest.mark.parametrize("text", ["c + 1", "RATE(3)", "FILL(3, 1)", "FILL(a, b)"])
def test_given_what_cannot_be_computed_then_it_is_said(text: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(parse(text), SERIES, OVER)
