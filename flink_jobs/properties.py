"""Property groups: the file format of the managed service, and how one text becomes one checked value.

The service hands an application ``/etc/flink/application_properties.json``: a list of
``{"PropertyGroupId": ..., "PropertyMap": {key: text}}``.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

Groups = dict[str, dict[str, str]]
T = TypeVar("T")

#: Of a list: the alerts function gets one in its environment, which holds 4 KB (Lambda's quotas).
_MOST_CHARACTERS = 1_000
_UNITS = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}


class SettingsError(ValueError):
    """A setting is not allowed. The message is one line: file, group, key, value and what is allowed."""


@dataclass(frozen=True)
class Kind:
    """How a text is read and what is allowed, in words. ``read`` raises ValueError for what is not."""

    read: Callable[[str], Any]
    allowed: str


def duration(text: str) -> int:
    """Milliseconds of ``30 s``, ``5 min``, ``1 h``, ``250 ms`` or ``1 d``; ValueError for anything else."""
    match = re.fullmatch(r"([0-9]{1,9}) ?(ms|s|min|h|d)", text.strip())
    if match is None:
        raise ValueError(text)
    return int(match.group(1)) * _UNITS[match.group(2)]


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


def a_duration(default: str, low: str, high: str) -> Any:
    """A setting in milliseconds, written with a unit."""
    kind = Kind(
        _bounded(duration, duration(low), duration(high)),
        f"a duration from {low} to {high}, such as {default!r} (units: {', '.join(_UNITS)})",
    )
    return dataclasses.field(default=duration(default), metadata={"kind": kind})


def a_whole_number(default: int, low: int, high: int) -> Any:
    """A whole number within bounds."""
    kind = Kind(_bounded(_whole, low, high), f"a whole number from {low} to {high}")
    return dataclasses.field(default=default, metadata={"kind": kind})


def a_number(default: float, low: float, high: float) -> Any:
    """A number within bounds."""
    kind = Kind(_bounded(_number, low, high), f"a number from {low} to {high}")
    return dataclasses.field(default=default, metadata={"kind": kind})


def a_choice(default: str, *choices: str) -> Any:
    """One of a closed list."""
    return dataclasses.field(default=default, metadata={"kind": Kind(_chosen(choices), "one of " + ", ".join(choices))})


def a_flag(default: bool) -> Any:
    """true or false."""
    kind = Kind(lambda text: _chosen(("true", "false"))(text) == "true", "true or false")
    return dataclasses.field(default=default, metadata={"kind": kind})


def some_of(default: tuple[str, ...], choices: tuple[str, ...]) -> Any:
    """One or more of a closed list, separated by commas, in the list's order."""

    def parse(text: str) -> tuple[str, ...]:
        names = {name.strip() for name in text.split(",")}
        if not names or not names <= set(choices):
            raise ValueError(text)
        return tuple(name for name in choices if name in names)

    kind = Kind(parse, "a comma-separated list of " + ", ".join(choices))
    return dataclasses.field(default=default, metadata={"kind": kind})


def names(default: tuple[str, ...], least: int, most: int) -> Any:
    """Names of any kind in an order that counts, separated by commas, each once."""

    def parse(text: str) -> tuple[str, ...]:
        found = tuple(name.strip() for name in text.split(","))
        if len(text) > _MOST_CHARACTERS or not least <= len(set(found)) == len(found) <= most or not all(found):
            raise ValueError(text)
        return found

    allowed = f"{least} to {most} names, each once, separated by commas, {_MOST_CHARACTERS} characters together"
    kind = Kind(parse, f"{allowed}, such as {', '.join(default)!r}")
    return dataclasses.field(default=default, metadata={"kind": kind})


def numbers_by_name(default: tuple[tuple[str, float], ...], most: int, low: float, high: float) -> Any:
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

    example = ", ".join(f"{name}={value:g}" for name, value in default)
    kind = Kind(parse, f"at most {most} of name=number, each name once, from {low} to {high}, such as {example!r}")
    return dataclasses.field(default=default, metadata={"kind": kind})


def a_text(pattern: str, allowed: str, default: str | None = None) -> Any:
    """A text of a pattern; required where it has no default."""

    def parse(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise ValueError(text)
        return text

    metadata = {"kind": Kind(parse, allowed)}
    if default is None:
        return dataclasses.field(metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def a_time() -> Any:
    """A required time in UTC, as epoch milliseconds."""

    def parse(text: str) -> int:
        if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z", text, re.ASCII) is None:
            raise ValueError(text)
        since = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
        if since < timedelta(0):
            raise ValueError(text)
        return since // timedelta(milliseconds=1)

    return dataclasses.field(metadata={"kind": Kind(parse, "a time in UTC since 1970, such as 2026-11-24T00:00:00Z")})


def _chosen(choices: tuple[str, ...]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(text)
        return text

    return parse


def load(path: Path) -> Groups:
    """The property groups of a file; SettingsError where it is not of the service's format."""
    try:
        groups = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}); allowed is a readable file") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path}: not JSON ({error}); allowed is a JSON list of property groups") from error
    result: Groups = {}
    for group in groups if isinstance(groups, list) else [None]:
        if not (
            isinstance(group, dict)
            and isinstance(group.get("PropertyGroupId"), str)
            and isinstance(group.get("PropertyMap"), dict)
            and all(isinstance(text, str) for text in group["PropertyMap"].values())
        ):
            raise SettingsError(
                f'{path}: allowed is a list of {{"PropertyGroupId": text, "PropertyMap": {{key: text}}}}'
            )
        if group["PropertyGroupId"] in result:
            raise SettingsError(f"{path}: group {group['PropertyGroupId']!r} is there twice; allowed is once")
        result[group["PropertyGroupId"]] = group["PropertyMap"]
    return result


def dump(groups: Groups) -> str:
    """The groups in the service's format."""
    return json.dumps([{"PropertyGroupId": name, "PropertyMap": values} for name, values in groups.items()], indent=2)


def read_group(cls: type[T], source: str, group: str, values: Mapping[str, str]) -> T:
    """One group as its dataclass; SettingsError for an unknown key, a missing one or a value not allowed.

    A dataclass field is named as its key; ``source`` names the file in messages.
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
    return cls(**parsed)
