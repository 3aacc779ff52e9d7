"""One line about a result, for a person: what its entry says."""

from __future__ import annotations

from typing import Any

from contracts import wording
from contracts.columns import ColumnType
from contracts.entry import Entry
from contracts.results import SCHEMAS

_ENTRIES: dict[str, Entry] = {job.value: entry for job, entry in SCHEMAS.items()}
_NUMBERS = (ColumnType.DOUBLE, ColumnType.DECIMAL)


def summary(result: dict[str, Any]) -> str:
    """What a result says, in the words of its job; a record that is none of ours says what it lacks."""
    try:
        job = result["result_type"]
        entry = _ENTRIES.get(job)
        return str(job) if entry is None else _told(result, entry)
    except KeyError as missing:
        return f"a record without {missing}"


def _told(result: dict[str, Any], entry: Entry) -> str:
    names = {name for name, _ in wording.fields(entry.line)}
    return wording.sentence(entry.line, {name: _value(result[name], entry.types[name]) for name in names})


def _value(value: Any, kind: ColumnType) -> Any:
    return float(value) if kind in _NUMBERS and value is not None else value
