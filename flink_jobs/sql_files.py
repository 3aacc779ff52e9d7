"""Reads the queries of sql/ and puts settings into them.

A query is plain SQL that runs as it stands. A literal that is a setting is marked by a comment before it::

    INTERVAL /*:aggregation.window*/ '5' MINUTE

The literal in the file is the design's default (a test holds it against the setting's). Where the setting says
something else, the runner replaces the literal.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

from flink_jobs.properties import SettingsError
from flink_jobs.settings import Settings

_MARK = re.compile(
    r"/\*:(?P<name>[a-z_]+\.[a-z_]+)\*/\s*"
    r"(?P<literal>(?P<interval>INTERVAL\s+'\d+'\s+(?:SECOND|MINUTE|HOUR|DAY)(?:\(\d+\))?)|\d+(?:\.\d+)?(?:E0)?)",
    re.IGNORECASE,
)
_UNITS = {"SECOND": 1_000, "MINUTE": 60_000, "HOUR": 3_600_000, "DAY": 86_400_000}


def literals(sql: str) -> list[tuple[str, float]]:
    """Marked settings and their literals' values, in order; an interval counts in milliseconds."""
    return [(match["name"], _value(match)) for match in _MARK.finditer(sql)]


def render(sql: str, settings: Settings) -> str:
    """The query with every marked literal set; SettingsError for a mark that names no setting or has no literal."""
    if len(_MARK.findall(sql)) != sql.count("/*:"):
        raise SettingsError(
            "sql: a mark is not followed by a literal; allowed is /*:group.key*/ before an INTERVAL or a number"
        )

    def replace(match: re.Match[str]) -> str:
        value = setting(settings, match["name"])
        if value == _value(match):
            return match.group(0)
        return f"/*:{match['name']}*/ {_literal(match, value)}"

    return _MARK.sub(replace, sql)


def setting(settings: Settings, name: str) -> float:
    """The number of ``group.key``."""
    group, key = name.split(".")
    try:
        return float(getattr(getattr(settings, group), key))
    except (AttributeError, TypeError, ValueError):
        raise SettingsError(f"sql: the mark {name!r} names no number; allowed is group.key of a setting") from None


def read(directory: Path, name: str, settings: Settings) -> str:
    """The query of ``name``.sql with its settings, without a closing semicolon."""
    sql = (directory / f"{name}.sql").read_text(encoding="utf-8-sig")
    return render(sql, settings).strip().removesuffix(";")


def _value(match: re.Match[str]) -> float:
    literal = match["literal"]
    if match["interval"] is None:
        return float(literal)
    number, unit = re.search(r"'(\d+)'\s+([A-Za-z]+)", literal).groups()  # type: ignore[union-attr]
    return float(int(number) * _UNITS[unit.upper()])


def _literal(match: re.Match[str], value: float) -> str:
    if match["interval"] is not None:
        seconds, millis = divmod(int(value), 1_000)
        # Flink's default precision of 2 digits ends at 99 seconds.
        return f"INTERVAL '{seconds}.{millis:03d}' SECOND(8, 3)"
    plain = f"{Decimal(repr(value)):f}"  # never with an exponent of its own
    return f"{plain}E0" if match["literal"].upper().endswith("E0") else plain.removesuffix(".0")
