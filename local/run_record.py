"""`processes.json`: what one run has started, written so that a later run can tell what is left of it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from local.process_table import Identity, ProcessTable

MARK_VARIABLE = "LAPTOP_RUN_MARK"
_FILE = "processes.json"


class BadRecord(Exception):
    """A `processes.json` that this version cannot read; the message names the file and the reason."""


@dataclass(frozen=True)
class Child:
    """One child process: its `name` in the run and the leader of its process group."""

    name: str
    identity: Identity


@dataclass(frozen=True)
class RunRecord:
    """The state of a run.

    `mark` is unique to the run and stands in the environment of everything that it starts, so that a process
    which left its group is found too. `children` are those started and not yet stopped. `ended` is True once
    nothing is left to do. `ended_by_watchdog` names what the watchdog ended after the owner had died.
    """

    mark: str
    owner: Identity
    watchdog: Identity | None = None
    children: tuple[Child, ...] = ()
    ended: bool = False
    ended_by_watchdog: tuple[str, ...] = field(default=())


def environment_mark(mark: str, name: str | None = None) -> str:
    """Return the text that the environment of a run's processes holds: of child `name`, or of all of them."""
    return f"{MARK_VARIABLE}={mark}:" + ("" if name is None else f"{name};")


def mark_value(mark: str, name: str) -> str:
    """Return the value of `MARK_VARIABLE` for child `name`; the ';' keeps it from being another's prefix."""
    return f"{mark}:{name};"


def survivors(record: RunRecord, table: ProcessTable) -> set[Identity]:
    """Return the living processes of a run, grandchildren included.

    A group is only trusted while its recorded leader lives: afterwards its number may belong to somebody
    else.
    """
    found = table.marked(environment_mark(record.mark))
    for child in record.children:
        found |= group_of(child, table)
    return found


def group_of(child: Child, table: ProcessTable) -> set[Identity]:
    """Return the living members of a child's group, none when its leader is gone (a reused pid)."""
    if table.identify(child.identity.pid) != child.identity:
        return set()
    return table.group(child.identity.pid)


def record_path(run_dir: Path) -> Path:
    """Return where the record of the run in `run_dir` lies."""
    return run_dir / _FILE


def write_record(run_dir: Path, record: RunRecord) -> None:
    """Write the record in one step: a reader sees the old one or the new one, also after a crash."""
    path = record_path(run_dir)
    temporary = path.with_name(f".{_FILE}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(asdict(record), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def read_record(run_dir: Path) -> RunRecord | None:
    """Return the record of the run in `run_dir`, None when it has none.

    Raises:
        BadRecord: the file is there and is not a record.
    """
    path = record_path(run_dir)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        data = json.loads(text)
        return RunRecord(
            mark=_text(data["mark"]),
            owner=_identity(data["owner"]),
            watchdog=None if data["watchdog"] is None else _identity(data["watchdog"]),
            children=tuple(Child(_text(child["name"]), _identity(child["identity"])) for child in data["children"]),
            ended=bool(data["ended"]),
            ended_by_watchdog=tuple(_text(name) for name in data["ended_by_watchdog"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise BadRecord(f"{path}: {type(error).__name__}: {error}") from error


def _identity(data: object) -> Identity:
    if not isinstance(data, dict):
        raise TypeError(f"expected a process, got {data!r}")
    return Identity(int(data["pid"]), _text(data["started"]))


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"expected a text, got {value!r}")
    return value
