"""Conditions of an entry: Python's comparisons over the result's columns and the job's settings.

    is_anomaly and anomaly_score > high_score
    revenue >= 1000 or orders > 50
    category in ("books", "games")

Allowed are ``and``, ``or``, ``not``, comparisons, ``in``, ``+ - * /``, numbers, texts, ``True`` and ``False``. A
comparison with a null is false. Times are no numbers and cannot be compared. Nothing else is evaluated.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any


class ConditionError(ValueError):
    """The text cannot be a condition; the message names the mistake."""


_COMPARED: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda value, values: value in values,
    ast.NotIn: lambda value, values: value not in values,
}
_COMPUTED: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_OTHERS = (ast.And, ast.Or, ast.BoolOp, ast.Not, ast.USub, ast.UnaryOp, ast.BinOp, ast.Compare, ast.Tuple, ast.Load)


@cache
def parsed(text: str) -> ast.expr:
    """The condition's syntax tree; raises ConditionError for a text that cannot be one."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ConditionError(
            f"{text!r} is no condition: write one such as revenue > 1000 and category == 'books'"
        ) from error
    for node in ast.walk(tree):
        constant = isinstance(node, ast.Constant) and isinstance(node.value, int | float | str)
        known = isinstance(node, (ast.Name, *_OTHERS, *_COMPARED, *_COMPUTED))
        if not (constant or known):
            part = ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__
            raise ConditionError(
                f"{text!r}: {part} is not allowed in a condition; allowed are columns, settings, numbers, texts, "
                "comparisons, and, or, not, in, + - * /"
            )
    return tree


def names(text: str) -> frozenset[str]:
    """The columns and settings that the condition reads."""
    return frozenset(node.id for node in ast.walk(parsed(text)) if isinstance(node, ast.Name))


def clash(text: str, samples: Mapping[str, Any]) -> str | None:
    """The part of the condition that does not fit its values' types: a text beside a number, or no yes or no at all.

    ``samples`` has a value of the type of each name; None stands for any type.
    """
    tree = parsed(text)
    try:
        kind = _kind(tree, samples)
    except _ClashError as error:
        return str(error)
    return None if kind in (_FLAG, None) else ast.unparse(tree)


_FLAG, _NUMBER, _TEXT = "yes or no", "number", "text"


class _ClashError(Exception):
    """The part that does not fit."""


def _kind(node: ast.expr, samples: Mapping[str, Any]) -> str | None:
    """Kind of a part's values; None for any."""

    def fits(found: str | None, wanted: str | None) -> None:
        if None not in (found, wanted) and found != wanted:
            raise _ClashError(ast.unparse(node))

    match node:
        case ast.Constant():
            return _kind_of(node.value)
        case ast.Name():
            return _kind_of(samples[node.id])
        case ast.BoolOp():
            for each in node.values:
                fits(_kind(each, samples), _FLAG)
            return _FLAG
        case ast.UnaryOp():
            wanted = _FLAG if isinstance(node.op, ast.Not) else _NUMBER
            fits(_kind(node.operand, samples), wanted)
            return wanted
        case ast.BinOp():
            fits(_kind(node.left, samples), _NUMBER)
            fits(_kind(node.right, samples), _NUMBER)
            return _NUMBER
        case ast.Compare():
            left = _kind(node.left, samples)
            for operation, right in zip(node.ops, node.comparators, strict=True):
                if isinstance(operation, ast.In | ast.NotIn):
                    for element in _elements(node, right, samples):
                        fits(element, left)
                else:
                    kind = _kind(right, samples)
                    fits(kind, left)
                    left = kind
                    if left == _FLAG and not isinstance(operation, ast.Eq | ast.NotEq):
                        raise _ClashError(ast.unparse(node))
            return _FLAG
    raise _ClashError(ast.unparse(node))


def _elements(node: ast.expr, right: ast.expr, samples: Mapping[str, Any]) -> list[str | None]:
    """Kinds of what ``in`` looks into; a text is none: ``("books")`` without its comma would hold for ``book``."""
    if isinstance(right, ast.Tuple):
        return [_kind(each, samples) for each in right.elts]
    if isinstance(right, ast.Name) and isinstance(samples[right.id], tuple):
        return [_kind_of(each) for each in samples[right.id]]
    raise _ClashError(ast.unparse(node))


def _kind_of(value: Any) -> str | None:
    match value:
        case bool():
            return _FLAG
        case int() | float():
            return _NUMBER
        case str():
            return _TEXT
    return None


def holds(text: str, values: Mapping[str, Any]) -> bool:
    """Whether the condition is true of ``values``, which have all its :func:`names`."""
    return bool(_value(parsed(text), values))


def _value(node: ast.expr, values: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            return values[node.id]
        case ast.Tuple():
            return tuple(_value(each, values) for each in node.elts)
        case ast.BoolOp():
            parts = (bool(_value(each, values)) for each in node.values)
            return all(parts) if isinstance(node.op, ast.And) else any(parts)
        case ast.UnaryOp():
            operand = _value(node.operand, values)
            if isinstance(node.op, ast.Not):
                return not operand
            return None if operand is None else -operand
        case ast.BinOp():
            left, right = _value(node.left, values), _value(node.right, values)
            if left is None or right is None or (isinstance(node.op, ast.Div) and right == 0):
                return None
            return _COMPUTED[type(node.op)](left, right)
        case ast.Compare():
            left = _value(node.left, values)
            for operation, other in zip(node.ops, node.comparators, strict=True):
                right = _value(other, values)
                if left is None or right is None or not _COMPARED[type(operation)](left, right):
                    return False
                left = right
            return True
    raise ConditionError(ast.unparse(node))  # parsed() lets nothing else through
