"""Cleans up after runs whose owner died without doing it."""

from __future__ import annotations

import fcntl
import time
from dataclasses import replace
from pathlib import Path

from local.ending import end_processes
from local.process_table import Identity, ProcessTable, process_table
from local.processes import SCRATCH, remove_tree
from local.run_record import (
    BadRecord,
    RunRecord,
    environment_mark,
    group_of,
    read_record,
    survivors,
    write_record,
)

_POLL_SECONDS = 0.1
_WATCHDOG_SECONDS = 30.0


def clean_up_stale(runs_dir: Path, *, grace: float = 5.0) -> list[str]:
    """End and remove what dead runs left under `runs_dir` (one directory a run); never touch a living run.

    Whether an owner lives is told by its pid and start time together, so a pid that was given out again
    neither saves a dead run nor gets its new holder killed. Logs and results stay. `grace`: seconds between
    SIGTERM and SIGKILL.

    Returns:
        One sentence for each run that was cleaned up or could not be read, for the user; empty when there was
        nothing.

    Raises:
        NotEnded: a process survived SIGKILL.
        OSError: data could not be removed.
    """
    if not runs_dir.is_dir():
        return []
    table = process_table()
    lines = []
    with (runs_dir / ".clean-up").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two demos may start at the same moment
        for run_dir in sorted(path for path in runs_dir.iterdir() if path.is_dir()):
            try:
                record = read_record(run_dir)
            except BadRecord as error:
                lines.append(f"run {run_dir.name}: left as it is, its record cannot be read ({error})")
                continue
            if record is None or record.ended or table.identify(record.owner.pid) == record.owner:
                continue
            lines.append(_clean_up(run_dir, record, table, grace))
    return lines


def _clean_up(run_dir: Path, record: RunRecord, table: ProcessTable, grace: float) -> str:
    record = _after_watchdog(run_dir, record, table)
    names = [
        child.name
        for child in record.children
        if group_of(child, table) or table.marked(environment_mark(record.mark, child.name))
    ]
    # The watchdog's own failure (it was killed, too) must not leave it waiting for nothing.
    ended = end_processes(lambda: survivors(record, table) | _watchdog_of(record, table), table, grace)
    size = remove_tree(run_dir / SCRATCH)
    write_record(run_dir, replace(record, children=(), ended=True))
    parts = [f"run {run_dir.name}: its owner (pid {record.owner.pid}) was killed"]
    if record.ended_by_watchdog:
        parts.append(f"its watchdog ended {', '.join(record.ended_by_watchdog)}")
    if ended:
        parts.append(f"ended {len(ended)} processes now ({', '.join(names) or 'unnamed'})")
    if not record.ended_by_watchdog and not ended:
        parts.append("no process of it was left")
    parts.append(f"removed {size / 1e6:.1f} MB of its data")
    return "; ".join(parts)


def _after_watchdog(run_dir: Path, record: RunRecord, table: ProcessTable) -> RunRecord:
    """Give a watchdog that is at work the time to finish, and return what it wrote."""
    deadline = time.monotonic() + _WATCHDOG_SECONDS
    while _watchdog_of(record, table) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return read_record(run_dir) or record


def _watchdog_of(record: RunRecord, table: ProcessTable) -> set[Identity]:
    watchdog = record.watchdog
    return {watchdog} if watchdog is not None and table.identify(watchdog.pid) == watchdog else set()
