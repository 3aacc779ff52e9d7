"""The part of CloudWatch's metric math that the kit uses, as a tree; anything else is refused.

    expression = search | sum
    search     = SEARCH('{namespace,dimension} MetricName="name"', 'statistic', period)   only as the whole expression
    sum        = number | id | sum (+ - * /) sum | sum (> < >= <=) sum | (sum) | -sum | FUNCTION(sum, ...)

:data:`FUNCTIONS` are the functions and how many arguments they take. The text is Python's grammar, too, so Python's own
parser reads it; nothing is ever evaluated by it. Meaning: CloudWatch user guide, "Using math expressions".
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

#: IF(condition, then, else); FILL(series, number); RATE(series) by the second; DIFF(series) to the value before;
#: EPOCH(series): each value's time in seconds.
FUNCTIONS = {"IF": 3, "FILL": 2, "RATE": 1, "DIFF": 1, "EPOCH": 1}
_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Gt: ">",
    ast.Lt: "<",
    ast.GtE: ">=",
    ast.LtE: "<=",
}
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
_SEARCH = re.compile(r"\{([\w/]+),(\w+)\} MetricName=\"(\w+)\"")


class ExpressionError(ValueError):
    """The expression is none that the kit uses; the message says what is not."""


@dataclass(frozen=True)
class Number:
    """A number."""

    value: float


@dataclass(frozen=True)
class Reference:
    """A metric or another expression, by its id."""

    id: str


@dataclass(frozen=True)
class Operation:
    """``left operator right``; a comparison is 1 or 0."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Call:
    """A function of :data:`FUNCTIONS`."""

    function: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class Search:
    """Every series of a metric that has just this dimension, with any value of it."""

    namespace: str
    dimension: str
    metric: str
    statistic: str
    period: int


Expression = Number | Reference | Operation | Call | Search


def search(namespace: str, dimension: str, metric: str, statistic: str, period: int) -> str:
    """The text of a :class:`Search`."""
    return f"SEARCH('{{{namespace},{dimension}}} MetricName=\"{metric}\"', '{statistic}', {period})"


def parse(text: str) -> Expression:
    """The tree of an expression; ExpressionError for one that the kit does not use."""
    try:
        body = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError) as error:
        raise ExpressionError(f"{text!r} is no expression: {error}") from error
    if isinstance(body, ast.Call) and isinstance(body.func, ast.Name) and body.func.id == "SEARCH":
        return _search(body, text)
    return _tree(body, text)


def references(expression: Expression) -> Iterator[str]:
    """The ids that an expression reads."""
    match expression:
        case Reference(id):
            yield id
        case Operation(_, left, right):
            yield from references(left)
            yield from references(right)
        case Call(_, arguments):
            for argument in arguments:
                yield from references(argument)


def _search(call: ast.Call, text: str) -> Search:
    values = [one.value for one in call.args if isinstance(one, ast.Constant)]
    match values:
        case [str(query), str(statistic), int(period)] if len(call.args) == 3 and not call.keywords:
            found = _SEARCH.fullmatch(query)
            if found is not None:
                return Search(found[1], found[2], found[3], statistic, period)
    raise ExpressionError(
        f"{text!r}: a SEARCH is SEARCH('{{namespace,dimension}} MetricName=\"name\"', 'stat', period)"
    )


def _tree(node: ast.expr, text: str) -> Expression:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return Number(float(value))
        case ast.Name(id=name) if _ID.fullmatch(name):
            return Reference(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Operation("-", Number(0.0), _tree(operand, text))
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
            return Operation(_OPERATORS[type(operator)], _tree(left, text), _tree(right, text))
        case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in _OPERATORS:
            return Operation(_OPERATORS[type(operator)], _tree(left, text), _tree(right, text))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if FUNCTIONS.get(name) == len(arguments):
            return Call(name, tuple(_tree(one, text) for one in arguments))
    raise ExpressionError(
        f"{text!r}: {ast.unparse(node)} is not allowed; allowed are numbers, ids, + - * /, > < >= <= and "
        + ", ".join(f"{name} of {count}" for name, count in FUNCTIONS.items())
    )
