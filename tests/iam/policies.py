"""A small judge of IAM policies: does a list of statements allow a call? As strict as IAM, and never more lenient.

It knows what our templates use and raises :class:`UnsupportedError` for anything else, so that a statement it does not
understand is no statement that passes. (moto's own enforcement denies correct statements; see the platform facts.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

Context = frozenset[tuple[str, str]]
NO_CONTEXT: Context = frozenset()
#: What the policy variable ``aws:userid`` stands for: whoever makes the recorded calls.
CALLER = "AROAEXAMPLE:session"


class UnsupportedError(Exception):
    """A policy says something that this judge does not know."""


@dataclass(frozen=True, order=True)
class Call:
    """An IAM action on a resource; ``context`` holds condition keys, one pair for each value."""

    action: str
    resource: str
    context: Context = field(default=NO_CONTEXT, compare=True, hash=True)

    def values(self, key: str) -> set[str]:
        """What the request says for a condition key; nothing where it does not have it."""
        return {value for name, value in self.context if name == key}


@dataclass(frozen=True)
class Permission:
    """A statement with its intrinsic functions resolved. ``conditions``: operator, key and accepted values."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    effect: str = "Allow"

    def matches(self, call: Call) -> bool:
        """Whether the statement is about the call."""
        return (
            any(wildcard(action.lower(), call.action.lower()) for action in self.actions)
            and any(resource_matches(resource, call.resource) for resource in self.resources)
            and all(_OPERATORS[operator](call.values(key), values) for operator, key, values in self.conditions)
        )


def allowed(permissions: Iterable[Permission], call: Call) -> bool:
    """IAM's verdict: denied by default, allowed by one statement, denied by any that says so."""
    effects = {permission.effect for permission in permissions if permission.matches(call)}
    return effects == {"Allow"}


def permission(statement: Mapping[str, Any], *, of_a_resource: bool = False) -> Permission:
    """A resolved statement of a template; ``of_a_resource``: it has a principal (and must say that it is anybody)."""
    body = dict(statement)
    effect = body.pop("Effect")
    if effect not in ("Allow", "Deny"):
        raise UnsupportedError(f"effect {effect}")
    if of_a_resource and body.pop("Principal") not in ("*", {"AWS": "*"}):
        raise UnsupportedError(f"principal of {statement}")
    sid = str(body.pop("Sid", ""))
    actions, resources = listed(body.pop("Action")), listed(body.pop("Resource"))
    conditions = []
    for operator, keys in body.pop("Condition", {}).items():
        if operator not in _OPERATORS:
            raise UnsupportedError(f"condition {operator}")
        conditions += [(operator, key, tuple(listed(values))) for key, values in keys.items()]
    if body:
        raise UnsupportedError(f"{', '.join(body)} in a statement")
    return Permission(sid, tuple(actions), tuple(resources), tuple(conditions), effect)


def listed(value: Any) -> list[str]:
    """One or several texts as a list of texts; :class:`UnsupportedError` for what is none."""
    found = value if isinstance(value, list) else [value]
    for text in found:
        if not isinstance(text, str):
            raise UnsupportedError(f"{text} is not resolved")
    known = [text.replace("${aws:userid}", CALLER) for text in found]
    for text in known:
        if "${" in text:
            raise UnsupportedError(f"policy variable in {text}")
    return known


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in text), re.DOTALL)


def wildcard(pattern: str, text: str) -> bool:
    """IAM's wildcards: ``*`` is any text, ``?`` any character."""
    return _pattern(pattern).fullmatch(text) is not None


def resource_matches(pattern: str, arn: str) -> bool:
    """Whether a Resource element names the ARN. Wildcards count in the last part of an ARN only, or as a lone ``*``."""
    if pattern == "*":
        return True
    place, found = pattern.split(":", 5), arn.split(":", 5)
    if len(place) < 6 or any("*" in part or "?" in part for part in place[:5]):
        raise UnsupportedError(f"resource {pattern}")
    return len(found) == 6 and place[:5] == found[:5] and wildcard(place[5], found[5])


def _single(found: set[str], operator: str) -> str | None:
    if len(found) > 1:
        raise UnsupportedError(f"{operator} of a key with several values")
    return next(iter(found), None)


def _string_equals(found: set[str], wanted: Sequence[str]) -> bool:
    return _single(found, "StringEquals") in wanted


def _string_like(found: set[str], wanted: Sequence[str]) -> bool:
    value = _single(found, "StringLike")
    return value is not None and any(wildcard(pattern, value) for pattern in wanted)


def _arn_like(found: set[str], wanted: Sequence[str]) -> bool:
    value = _single(found, "ArnLike")
    return value is not None and any(resource_matches(pattern, value) for pattern in wanted)


def _all_equal(found: set[str], wanted: Sequence[str]) -> bool:
    """True for a request without the key, as IAM has it."""
    return found <= set(wanted)


def condition_holds(operator: str, call: Call, key: str, value: str) -> bool:
    """Whether a condition with this one value is true of the call."""
    return _OPERATORS[operator](call.values(key), (value,))


_OPERATORS: Mapping[str, Callable[[set[str], Sequence[str]], bool]] = {
    "ArnLike": _arn_like,
    "ForAllValues:StringEquals": _all_equal,
    "StringEquals": _string_equals,
    "StringLike": _string_like,
}
