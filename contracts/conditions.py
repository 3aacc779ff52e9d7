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
    """The text is no condition; the message says what is wrong with it."""


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
    """The condition's tree; ConditionError for what is none."""
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
    """The part of the condition that no value of the samples' types fits: a text compared with a number, say."""
    for node in ast.walk(parsed(text)):
        if isinstance(node, ast.Compare | ast.BinOp | ast.UnaryOp):
            try:
                _value(node, samples)
            except TypeError:
                return ast.unparse(node)
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
