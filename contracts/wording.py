"""Sentences with a result's columns in them: ``"{severity}: {event_type} has {revenue} in {window_start}"``.

A boolean column may say what it stands for: ``{conversion_flag:converted|no conversion}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Any

_UNKNOWN = "unknown"


def fields(template: str) -> tuple[tuple[str, str], ...]:
    """Names in the template with what stands behind their colon; ValueError for braces that do not match."""
    found = []
    for _, name, spec, conversion in Formatter().parse(template):
        if name is not None:
            if conversion or "{" in (spec or ""):
                raise ValueError(
                    f"{{{name}}} may have two words behind a colon, as in {{flag:yes|no}}, and nothing else"
                )
            found.append((name, spec or ""))
    return tuple(found)


def sentence(template: str, values: Mapping[str, Any]) -> str:
    """The template with its fields filled in."""
    parts = []
    for text, name, spec, _ in Formatter().parse(template):
        parts.append(text)
        if name is not None:
            parts.append(said(values[name], spec or ""))
    return "".join(parts)


def said(value: Any, spec: str = "") -> str:
    """A value as a person reads it: numbers with a fraction in two decimals, lists with commas, null as ``unknown``."""
    match value:
        case None:
            return _UNKNOWN
        case bool():
            yes, _, no = (spec or "true|false").partition("|")
            return yes if value else no
        case float():
            return readable(value)
        case list() | tuple():
            return ", ".join(str(each) for each in value)
        case _:
            return str(value)


def readable(number: float) -> str:
    """Two decimals and thousands separators, or an exponent where those mislead."""
    if number == int(number) and abs(number) < 1e15:
        return f"{int(number):,}"
    return f"{number:,.2f}" if 0.01 <= abs(number) < 1e15 else f"{number:.4g}"
