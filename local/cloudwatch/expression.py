"""Computes metric math over series: the trees of :mod:`monitoring.expressions`.

Meanings are those of the CloudWatch guide, "Using math expressions": an operation holds where both sides have a value,
RATE and DIFF are against the value before, FILL gives missing periods a value.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from itertools import pairwise

from local.cloudwatch.points import Points, Range
from monitoring.expressions import Call, Expression, ExpressionError, Number, Operation, Reference

_OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}

_Value = float | Points


def evaluate(expression: Expression, series: Mapping[str, Points], over: Range) -> Points:
    """The value at each period of ``over``; a mere number holds at every one.

    Raises:
        ExpressionError: an id has no series, or a function has a number where it needs a series.
    """
    value = _value(expression, series, over)
    return dict.fromkeys(over.buckets(), value) if isinstance(value, float) else value


def _value(expression: Expression, series: Mapping[str, Points], over: Range) -> _Value:
    match expression:
        case Number(value):
            return value
        case Reference(identity):
            if identity not in series:
                raise ExpressionError(f"no metric has the id {identity}")
            return series[identity]
        case Operation(how, left, right):
            return _apply(_OPERATORS[how], _value(left, series, over), _value(right, series, over))
        case Call("IF", (condition, then, other)):
            return _choose(
                _value(condition, series, over), _value(then, series, over), _value(other, series, over), over
            )
        case Call("FILL", (filled, filler)):
            known, instead = _points(filled, series, over), _value(filler, series, over)
            if not isinstance(instead, float):
                raise ExpressionError("FILL takes a number for what is missing")
            return {time: known.get(time, instead) for time in over.buckets()}
        case Call("EPOCH", (argument,)):
            return {time: float(time) for time in _points(argument, series, over)}
        case Call("RATE" | "DIFF" as name, (argument,)):
            return _against_the_one_before(name, _points(argument, series, over))
    raise ExpressionError(f"{expression} is not computed here")


def _points(expression: Expression, series: Mapping[str, Points], over: Range) -> Points:
    value = _value(expression, series, over)
    if isinstance(value, float):
        raise ExpressionError(f"{expression} is a number where a series is needed")
    return value


def _apply(operation: Callable[[float, float], float], left: _Value, right: _Value) -> _Value:
    if isinstance(left, float):
        if isinstance(right, float):
            return float(operation(left, right))
        pairs = {time: (left, value) for time, value in right.items()}
    elif isinstance(right, float):
        pairs = {time: (value, right) for time, value in left.items()}
    else:
        pairs = {time: (left[time], right[time]) for time in left if time in right}
    # CloudWatch has no value where it would have to divide by zero.
    return {
        time: float(operation(*pair)) for time, pair in pairs.items() if operation is not operator.truediv or pair[1]
    }


def _choose(condition: _Value, then: _Value, other: _Value, over: Range) -> _Value:
    if isinstance(condition, float):
        return then if condition else other
    chosen = {time: then if condition[time] else other for time in over.buckets() if time in condition}
    picked = {time: each if isinstance(each, float) else each.get(time) for time, each in chosen.items()}
    return {time: value for time, value in picked.items() if value is not None}


def _against_the_one_before(name: str, points: Points) -> Points:
    differences = {time: (points[time] - points[before], time - before) for before, time in pairwise(sorted(points))}
    return {time: change / seconds if name == "RATE" else change for time, (change, seconds) in differences.items()}
