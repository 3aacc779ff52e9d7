"""Settings as the contracts write them: each key has its meaning, default and limits, and how its text is read.

A group of settings is a frozen dataclass whose fields are made by the functions of this module::

    window: int = a_duration("5 min", "1 s", "1 d", "length of the window")

Durations are whole milliseconds in here and texts with a unit in files.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

T = TypeVar("T")

#: Of a list: the alerts function gets one in its environment, which holds 4 KB (Lambda's quotas).
_MOST_CHARACTERS = 1_000
#: Milliseconds of each unit of a duration.
UNITS = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}


class SettingsError(ValueError):
    """A setting is not allowed. The message is one line: file, group, key, value and what is allowed."""


@dataclass(frozen=True)
class Kind:
    """How a text is read, what is allowed, in words, and what the setting means.

    ``read`` raises ValueError for what is not allowed. ``text`` writes a value as it is read: a duration with its unit.
    ``sql`` writes a value as a literal of Flink's SQL; None where it has none.
    """

    read: Callable[[str], Any]
    allowed: str
    meaning: str
    text: Callable[[Any], str] = str
    sql: Callable[[Any], str] | None = None


def duration(text: str) -> int:
    """Milliseconds of ``30 s``, ``5 min``, ``1 h``, ``250 ms`` or ``1 d``; ValueError for anything else."""
    match = re.fullmatch(r"([0-9]{1,9}) ?(ms|s|min|h|d)", text.strip())
    if match is None:
        raise ValueError(text)
    return int(match.group(1)) * UNITS[match.group(2)]


def _whole(text: str) -> int:
    # int() alone takes 1_000 and the digits of every script, too.
    if re.fullmatch(r"-?[0-9]{1,18}", text.strip()) is None:
        raise ValueError(text)
    return int(text)


def _number(text: str) -> float:
    if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?", text.strip()) is None:
        raise ValueError(text)
    return float(text)


def _bounded(read: Callable[[str], Any], low: Any, high: Any) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        value = read(text)
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return parse


def duration_text(millis: int) -> str:
    """The duration in its largest whole unit: ``5 min``."""
    largest = [(unit, size) for unit, size in reversed(UNITS.items()) if millis % size == 0 and (millis or unit == "s")]
    unit, size = largest[0]
    return f"{millis // size} {unit}"


def a_duration(default: str, low: str, high: str, meaning: str) -> Any:
    """A setting in milliseconds, written with a unit; in SQL an INTERVAL."""
    kind = Kind(
        _bounded(duration, duration(low), duration(high)),
        f"a duration from {low} to {high}, such as {default!r} (units: {', '.join(UNITS)})",
        meaning,
        duration_text,
        _interval,
    )
    return dataclasses.field(default=duration(default), metadata={"kind": kind})


def a_whole_number(default: int, low: int, high: int, meaning: str) -> Any:
    """A whole number within bounds."""
    kind = Kind(_bounded(_whole, low, high), f"a whole number from {low} to {high}", meaning, sql=str)
    return dataclasses.field(default=default, metadata={"kind": kind})


def a_number(default: float, low: float, high: float, meaning: str) -> Any:
    """A number within bounds; in SQL a DOUBLE."""
    kind = Kind(_bounded(_number, low, high), f"a number from {low} to {high}", meaning, sql=_double)
    return dataclasses.field(default=default, metadata={"kind": kind})


def a_choice(default: str, *choices: str, meaning: str) -> Any:
    """One of a closed list."""
    kind = Kind(_chosen(choices), "one of " + ", ".join(choices), meaning, sql=_quoted)
    return dataclasses.field(default=default, metadata={"kind": kind})


def a_flag(default: bool, meaning: str) -> Any:
    """true or false."""
    kind = Kind(lambda text: _chosen(("true", "false"))(text) == "true", "true or false", meaning, _flag, _flag)
    return dataclasses.field(default=default, metadata={"kind": kind})


def some_of(default: tuple[str, ...], choices: tuple[str, ...], meaning: str) -> Any:
    """One or more of a closed list, separated by commas, in the list's order."""

    def parse(text: str) -> tuple[str, ...]:
        names = {name.strip() for name in text.split(",")}
        if not names or not names <= set(choices):
            raise ValueError(text)
        return tuple(name for name in choices if name in names)

    kind = Kind(parse, "a comma-separated list of " + ", ".join(choices), meaning, ", ".join)
    return dataclasses.field(default=default, metadata={"kind": kind})


def names(default: tuple[str, ...], least: int, most: int, meaning: str) -> Any:
    """Names of any kind in an order that counts, separated by commas, each once; in SQL a list of texts, for IN."""

    def parse(text: str) -> tuple[str, ...]:
        found = tuple(name.strip() for name in text.split(","))
        if len(text) > _MOST_CHARACTERS or not least <= len(set(found)) == len(found) <= most or not all(found):
            raise ValueError(text)
        return found

    allowed = f"{least} to {most} names, each once, separated by commas, {_MOST_CHARACTERS} characters together"
    kind = Kind(parse, f"{allowed}, such as {', '.join(default)!r}", meaning, ", ".join, _list)
    return dataclasses.field(default=default, metadata={"kind": kind})


def numbers_by_name(default: tuple[tuple[str, float], ...], most: int, low: float, high: float, meaning: str) -> Any:
    """Numbers of names of any kind: ``name=number``, separated by commas, each name once."""
    number = _bounded(_number, low, high)

    def parse(text: str) -> tuple[tuple[str, float], ...]:
        found: dict[str, float] = {}
        for entry in text.split(",") if text.strip() else []:
            name, equals, value = (part.strip() for part in entry.rpartition("="))
            if not name or not equals or name in found:
                raise ValueError(text)
            found[name] = number(value)
        if len(found) > most:
            raise ValueError(text)
        return tuple(found.items())

    allowed = f"at most {most} of name=number, each name once, from {low} to {high}, such as {_pairs(default)!r}"
    kind = Kind(parse, allowed, meaning, _pairs)
    return dataclasses.field(default=default, metadata={"kind": kind})


def a_text(pattern: str, allowed: str, default: str | None = None, *, meaning: str) -> Any:
    """A text of a pattern; required where it has no default."""

    def parse(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise ValueError(text)
        return text

    metadata = {"kind": Kind(parse, allowed, meaning, sql=_quoted)}
    if default is None:
        return dataclasses.field(metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def a_time(meaning: str) -> Any:
    """A required time in UTC, as epoch milliseconds."""
    kind = Kind(time_of, "a time in UTC since 1970, such as 2026-11-24T00:00:00Z", meaning)
    return dataclasses.field(metadata={"kind": kind})


def time_of(text: str) -> int:
    """Epoch milliseconds of a time in UTC since 1970; ValueError for any other text."""
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z", text, re.ASCII) is None:
        raise ValueError(text)
    since = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    if since < timedelta(0):
        raise ValueError(text)
    return since // timedelta(milliseconds=1)


def _chosen(choices: tuple[str, ...]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(text)
        return text

    return parse


def _flag(value: bool) -> str:
    return str(value).lower()


def _interval(millis: int) -> str:
    seconds, rest = divmod(millis, 1_000)
    # Flink's default precision of 2 digits ends at 99 seconds.
    return f"INTERVAL '{seconds}.{rest:03d}' SECOND(8, 3)"


def _double(value: float) -> str:
    return f"{Decimal(repr(value)):f}E0"  # with an exponent it is a DOUBLE, without a DECIMAL


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _list(texts: Iterable[str]) -> str:
    return ", ".join(_quoted(text) for text in texts)


def _pairs(pairs: Iterable[tuple[str, float]]) -> str:
    return ", ".join(f"{name}={value:g}" for name, value in pairs)


@dataclass(frozen=True)
class Wrong:
    """Values of a group that do not go together: their keys, and what is allowed, in words."""

    keys: tuple[str, ...]
    allowed: str


class JobSettings:
    """Base of the settings of a job: a frozen dataclass whose fields this module's functions make."""

    def wrong(self) -> Iterator[Wrong]:
        """Values that are right by themselves and do not go together."""
        return iter(())


def kinds(cls: type[Any]) -> dict[str, Kind]:
    """The settings of a group by key."""
    return {field.name: field.metadata["kind"] for field in dataclasses.fields(cls)}


def read_group(cls: type[T], source: str, group: str, values: Mapping[str, str], *, together: bool = True) -> T:
    """One group as its dataclass; SettingsError for an unknown key, a missing one or a value not allowed.

    A dataclass field is named as its key; ``source`` names the file in messages. ``together``: whether the values must
    go together, too; not where only some of those that are set are known.
    """
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    parsed: dict[str, Any] = {}
    for key, text in values.items():
        if key not in fields:
            raise SettingsError(
                f"{source}: group {group!r} has no key {key!r}; allowed are {', '.join(sorted(fields))}"
            )
        kind: Kind = fields[key].metadata["kind"]
        try:
            parsed[key] = kind.read(text)
        except ValueError:
            raise SettingsError(
                f"{source}: group {group!r}, key {key!r}: {text!r} is not allowed; allowed is {kind.allowed}"
            ) from None
    for key, field in fields.items():
        if key not in parsed and field.default is dataclasses.MISSING:
            raise SettingsError(
                f"{source}: group {group!r}: key {key!r} is missing; allowed is {field.metadata['kind'].allowed}"
            )
    made = cls(**parsed)
    for wrong in made.wrong() if together and isinstance(made, JobSettings) else ():
        given = ", ".join(kind_of.text(getattr(made, key)) for key, kind_of in kinds(cls).items() if key in wrong.keys)
        keys = ", ".join(repr(key) for key in wrong.keys)
        raise SettingsError(
            f"{source}: group {group!r}, {'key' if len(wrong.keys) == 1 else 'keys'} {keys}: {given} is not allowed; "
            f"allowed is {wrong.allowed}"
        )
    return made
