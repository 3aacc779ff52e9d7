"""The metric math that we use is read to a tree; everything else is refused and never evaluated."""

from __future__ import annotations

import pytest

from monitoring.expressions import (
    Call,
    ExpressionError,
    Number,
    Operation,
    Reference,
    Search,
    parse,
    references,
    search,
)

_A, _B = Reference("a"), Reference("b")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a", _A),
        ("1.5", Number(1.5)),
        ("a + b * 2", Operation("+", _A, Operation("*", _B, Number(2)))),
        ("(a + b) * 2", Operation("*", Operation("+", _A, _B), Number(2))),
        ("a - b - 1", Operation("-", Operation("-", _A, _B), Number(1))),
        ("-a / b", Operation("/", Operation("-", Number(0), _A), _B)),
        ("a >= 3", Operation(">=", _A, Number(3))),
        ("RATE(a)", Call("RATE", (_A,))),
        ("FILL(a, 0)", Call("FILL", (_A, Number(0)))),
        ("IF(a > 0, b, DIFF(a))", Call("IF", (Operation(">", _A, Number(0)), _B, Call("DIFF", (_A,))))),
        ("EPOCH(a) - a / 1000", Operation("-", Call("EPOCH", (_A,)), Operation("/", _A, Number(1000)))),
    ],
)
def test_what_we_use_is_read(text: str, tree: object) -> None:
    assert parse(text) == tree


def test_a_search_is_written_as_it_is_read() -> None:
    text = search("RealTimeAnalytics/dev", "EventType", "EventCount", "Sum", 300)
    assert text == "SEARCH('{RealTimeAnalytics/dev,EventType} MetricName=\"EventCount\"', 'Sum', 300)"
    assert parse(text) == Search("RealTimeAnalytics/dev", "EventType", "EventCount", "Sum", 300)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a +",
        "a ** 2",
        "a % 2",
        "a and b",
        "not a",
        "a == b",
        "1 < a < 3",
        "True",
        "'text'",
        "A",
        "a.b",
        "a[0]",
        "[a, b]",
        "lambda: a",
        "__import__('os')",
        "IF(a, b)",
        "FILL(a, 0, 1)",
        "RATE(m=a)",
        "SUM(METRICS())",
        "ANOMALY_DETECTION_BAND(a, 2)",
        "SEARCH('{ns,Dim} MetricName=\"X\"', 'Sum')",
        "SEARCH('anything', 'Sum', 300)",
        "SEARCH('{ns,Dim} MetricName=\"X\"', 'Sum', 300) + 1",
        "(" * 5000 + "a" + ")" * 5000,
    ],
)
def test_anything_else_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse(text)
    assert len(str(refused.value).splitlines()) == 1


def test_references_are_all_ids_that_are_read() -> None:
    assert set(references(parse("IF(a > 0, 100 * FILL(r, 0) / e, 0)"))) == {"a", "r", "e"}
    assert not set(references(parse("1 + 2")))
