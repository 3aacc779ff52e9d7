"""From ``config/<environment>.toml`` to checked settings, or to one line for each thing that is wrong."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.model import Environment
from config.rules import check, readers_check

FOLDER = Path(__file__).resolve().parent


class ConfigurationError(ValueError):
    """The settings are not allowed: a line each, with file, key, value and what is allowed."""


def environments(folder: Path = FOLDER) -> tuple[str, ...]:
    """Names of the environments that have a file."""
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


def load(name: str, folder: Path = FOLDER) -> Environment:
    """The settings of environment ``name``; ConfigurationError for what is not allowed."""
    if name not in environments(folder):
        raise ConfigurationError(f"environment {name!r} is not allowed; allowed are {', '.join(environments(folder))}")
    path = folder / f"{name}.toml"
    source = f"{folder.name}/{path.name}"
    if re.fullmatch(r"[a-z][a-z0-9]{0,7}", name) is None:
        raise ConfigurationError(f"{source}: the file's name is not allowed; allowed are 1 to 8 of a-z 0-9, then .toml")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{source}: not TOML ({error}); allowed is a TOML file") from error
    return parse({**content, "name": name}, source)


def parse(content: dict[str, Any], source: str) -> Environment:
    """Checked settings from a file's content; ``source`` names the file in messages."""
    try:
        environment = Environment.model_validate(content)
    except ValidationError as error:
        raise ConfigurationError("\n".join(_lines(error, source))) from error
    findings = check(environment, source) or readers_check(environment)
    if findings:
        raise ConfigurationError("\n".join(_line(source, *finding) for finding in findings))
    return environment


def _line(source: str, key: str, value: object, allowed: str) -> str:
    if not key:  # the application's own check has said all of it
        return allowed
    return f"{source}: {key}: {value!r} is not allowed; allowed is {allowed}"


def _lines(error: ValidationError, source: str) -> list[str]:
    lines = []
    for found in error.errors(include_url=False):
        key = ".".join(str(part) for part in found["loc"])
        kind, context = found["type"], found.get("ctx", {})
        if kind == "extra_forbidden":
            lines.append(f"{source}: unknown key {key!r}; allowed are {', '.join(_keys(found['loc'][:-1]))}")
        elif kind == "missing":
            lines.append(f"{source}: {key}: missing; it is required")
        else:
            allowed = str(context["error"]) if kind == "value_error" else _allowed(kind, context, found["msg"])
            lines.append(_line(source, key, found["input"], allowed))
    return lines


def _keys(location: tuple[int | str, ...]) -> list[str]:
    """The keys of the section at ``location``."""
    section: Any = Environment
    for part in location:
        annotation = section.model_fields[part].annotation
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        section = next(kind for kind in candidates if isinstance(kind, type) and hasattr(kind, "model_fields"))
    return sorted(set(section.model_fields) - {"name"})


_BOUNDS = {
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "literal_error": "one of {expected}",
    "too_short": "at least {min_length} of them",
    "too_long": "at most {max_length} of them",
}
_TYPES = {
    "int_type": "a whole number",
    "bool_type": "true or false",
    "string_type": "a text",
    "tuple_type": "a list",
    "dict_type": "a table of texts",
    "model_type": "a table",
    "model_attributes_type": "a table",
}


def _allowed(kind: str, context: dict[str, Any], message: str) -> str:
    if kind in _BOUNDS:
        return _BOUNDS[kind].format(**context)
    return _TYPES.get(kind, message)
