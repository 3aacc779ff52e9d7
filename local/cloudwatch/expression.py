"""Metric math, as much of it as our dashboard and alarms use: parsed by Python's own parser, never evaluated by it.

Meanings are those of the CloudWatch guide, "Using math expressions": an operation holds where both sides have a value,
RATE and DIFF are against the value before, FILL gives missing periods a value, SUM, AVG, MIN and MAX over one series
give a number and over several a series.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from local.cloudwatch.points import Points, Range, Series

_Operation = Callable[[float, float], float]
_OPERATORS: dict[type[ast.operator], _Operation] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: dict[type[ast.cmpop], _Operation] = {
    ast.Gt: operator.gt,
    ast.Lt: operator.lt,
    ast.GtE: operator.ge,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_AGGREGATES: dict[str, Callable[[Sequence[float]], float]] = {
    "SUM": sum,
    "AVG": lambda values: sum(values) / len(values),
    "MIN": min,
    "MAX": max,
}
#: Name to how many arguments it takes.
_FUNCTIONS = {"ABS": 1, "CEIL": 1, "FLOOR": 1, "RATE": 1, "DIFF": 1, "DIFF_TIME": 1, "PERIOD": 1, "FILL": 2, "IF": 3}
_SEARCH = re.compile(
    r"""SEARCH\(\s*'\{(?P<schema>[^}']+)\}\s*MetricName="(?P<name>[^"']+)"'\s*,"""
    r"""\s*'(?P<statistic>[A-Za-z0-9.]+)'\s*(?:,\s*(?P<period>\d+)\s*)?\)"""
)

Value = float | Points | list[Points]


class ExpressionError(ValueError):
    """The expression is outside the subset that is understood; the message says what and where."""


@dataclass(frozen=True)
class Search:
    """``SEARCH('{namespace,dimension} MetricName="name"', 'statistic', period)``: one series a dimension's value."""

    namespace: str
    dimensions: tuple[str, ...]
    name: str
    statistic: str
    period: int | None

    @classmethod
    def parse(cls, text: str) -> Search | None:
        """The search; None where the text is none. ExpressionError for one of another form."""
        if not text.lstrip().upper().startswith("SEARCH"):
            return None
        match = _SEARCH.fullmatch(text.strip())
        if match is None:
            raise ExpressionError(
                f"{text!r}: a search must read "
                "SEARCH('{namespace,dimension} MetricName=\"name\"', 'statistic', period)"
            )
        namespace, *dimensions = (part.strip().strip('"') for part in match["schema"].split(","))
        period = None if match["period"] is None else int(match["period"])
        return cls(namespace, tuple(dimensions), match["name"], match["statistic"], period)


class Expression:
    """A checked expression; ``names`` are the ids that it needs.

    Raises:
        ExpressionError: it is outside of the subset.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: set[str] = set()
        try:
            self._tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ExpressionError(f"{text!r} is no expression: {error}") from error
        self._check(self._tree)

    def evaluate(self, series: Mapping[str, Series], over: Range) -> Points:
        """The value at each period; a number holds at every period of ``over``.

        Raises:
            ExpressionError: an id has no series, or the result is an array of series.
        """
        value = self._value(self._tree, series, over)
        if isinstance(value, list):
            raise ExpressionError(f"{self.text!r} gives several series; only METRICS() inside SUM, AVG, MIN, MAX may")
        return dict.fromkeys(over.buckets(), value) if isinstance(value, float) else value

    def _check(self, node: ast.expr) -> None:
        match node:
            case ast.Constant(value=bool()):
                raise self._refuse(node)
            case ast.Constant(value=int() | float()):
                pass
            case ast.Name(id=name):
                if not re.fullmatch(r"[a-z][A-Za-z0-9_]*", name):
                    raise self._refuse(node)
                self.names.add(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                self._check(operand)
            case ast.BinOp(left=left, op=how, right=right) if type(how) in _OPERATORS:
                self._check(left)
                self._check(right)
            case ast.Compare(left=left, ops=[how], comparators=[right]) if type(how) in _COMPARISONS:
                self._check(left)
                self._check(right)
            case ast.Call(func=ast.Name(id="METRICS"), args=[], keywords=[]):
                pass
            case ast.Call(func=ast.Name(id=name), args=[ast.List(elts=each)], keywords=[]) if name in _AGGREGATES:
                for argument in each:
                    self._check(argument)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if len(arguments) == (
                1 if name in _AGGREGATES else _FUNCTIONS.get(name)
            ):
                for argument in arguments:
                    self._check(argument)
            case _:
                raise self._refuse(node)

    def _refuse(self, node: ast.expr) -> ExpressionError:
        known = ", ".join(sorted({*_FUNCTIONS, *_AGGREGATES, "METRICS"}))
        return ExpressionError(
            f"{self.text!r}: {ast.unparse(node)!r} is not understood; allowed are numbers, ids, + - * /, "
            f"comparisons and {known}"
        )

    def _value(self, node: ast.expr, series: Mapping[str, Series], over: Range) -> Value:
        match node:
            case ast.Constant(value=value) if isinstance(value, int | float):
                return float(value)
            case ast.Name(id=name):
                if name not in series:
                    raise ExpressionError(f"{self.text!r}: no metric has the id {name!r}")
                return series[name].points
            case ast.UnaryOp(operand=operand):
                return _apply(operator.mul, -1.0, self._single(operand, series, over))
            case ast.BinOp(left=left, op=how, right=right):
                operation = _OPERATORS[type(how)]
                return _apply(operation, self._single(left, series, over), self._single(right, series, over))
            case ast.Compare(left=left, ops=[how], comparators=[right]):
                comparison = _COMPARISONS[type(how)]
                return _apply(comparison, self._single(left, series, over), self._single(right, series, over))
            case ast.Call(func=ast.Name(id="METRICS")):
                return [each.points for each in series.values()]
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self._call(name, arguments, series, over)
        raise self._refuse(node)  # _check let it pass: a gap between the two

    def _single(self, node: ast.expr, series: Mapping[str, Series], over: Range) -> float | Points:
        value = self._value(node, series, over)
        if isinstance(value, list):
            raise self._refuse(node)
        return value

    def _call(self, name: str, arguments: list[ast.expr], series: Mapping[str, Series], over: Range) -> Value:
        if name in _AGGREGATES:
            return self._aggregate(_AGGREGATES[name], arguments[0], series, over)
        value = self._single(arguments[0], series, over)
        if name == "PERIOD":
            return float(over.period)
        if name == "FILL":
            filler = self._single(arguments[1], series, over)
            if not isinstance(filler, float) or isinstance(value, float):
                raise self._refuse(arguments[1])
            return {time: value.get(time, filler) for time in over.buckets()}
        if name == "IF":
            return _choose(
                value, self._single(arguments[1], series, over), self._single(arguments[2], series, over), over
            )
        if isinstance(value, float):
            raise self._refuse(arguments[0])
        if name in ("RATE", "DIFF", "DIFF_TIME"):
            return _against_the_one_before(name, value)
        if name == "ABS":
            return {time: abs(each) for time, each in value.items()}
        rounding = float.__ceil__ if name == "CEIL" else float.__floor__
        return {time: float(rounding(float(each))) for time, each in value.items()}

    def _aggregate(
        self,
        combine: Callable[[Sequence[float]], float],
        argument: ast.expr,
        series: Mapping[str, Series],
        over: Range,
    ) -> float | Points:
        if isinstance(argument, ast.List):
            several: Value = [self._points(each, series, over) for each in argument.elts]
        else:
            several = self._value(argument, series, over)
        if isinstance(several, float):
            return several
        if isinstance(several, list):
            times = sorted({time for each in several for time in each})
            return {time: float(combine([each[time] for each in several if time in each])) for time in times}
        return float(combine(list(several.values()))) if several else {}

    def _points(self, node: ast.expr, series: Mapping[str, Series], over: Range) -> Points:
        value = self._single(node, series, over)
        return dict.fromkeys(over.buckets(), value) if isinstance(value, float) else value


def _apply(operation: _Operation, left: float | Points, right: float | Points) -> float | Points:
    if isinstance(left, float) and isinstance(right, float):
        return _computed(operation, left, right) or 0.0
    if isinstance(left, float):
        assert not isinstance(right, float)  # noqa: S101 - for the type checker: handled above
        pairs = {time: (left, value) for time, value in right.items()}
    elif isinstance(right, float):
        pairs = {time: (value, right) for time, value in left.items()}
    else:
        pairs = {time: (left[time], right[time]) for time in left if time in right}
    computed = {time: _computed(operation, *pair) for time, pair in pairs.items()}
    return {time: value for time, value in computed.items() if value is not None}


def _computed(operation: _Operation, left: float, right: float) -> float | None:
    """None where it is no number: CloudWatch leaves a division by zero out."""
    try:
        return float(operation(left, right))
    except ZeroDivisionError:
        return None


def _choose(condition: float | Points, then: float | Points, other: float | Points, over: Range) -> float | Points:
    if isinstance(condition, float):
        return then if condition else other
    chosen = {time: then if condition[time] else other for time in over.buckets() if time in condition}
    picked = {time: each if isinstance(each, float) else each.get(time) for time, each in chosen.items()}
    return {time: value for time, value in picked.items() if value is not None}


def _against_the_one_before(name: str, points: Points) -> Points:
    times = sorted(points)
    told: dict[int, float] = {}
    for before, time in pairwise(times):
        difference, seconds = points[time] - points[before], time - before
        told[time] = {"RATE": difference / seconds, "DIFF": difference, "DIFF_TIME": float(seconds)}[name]
    return told
