"""Ends a run's processes when its owner dies without doing it: `kill -9`, the out-of-memory killer, a crash.

Why a process and not PR_SET_PDEATHSIG: that signal reaches direct children only, is lost on a fork (Flink's
Python workers are grandchildren), fires when the starting *thread* ends, and exists on Linux alone. A pipe
whose writing end only the owner holds is closed by the kernel however the owner ends, on every system.

Run by the supervisor as `python -m local.watchdog RUN_DIR GRACE` with the pipe as standard input.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from dataclasses import replace
from pathlib import Path

from local.ending import end_processes
from local.process_table import Identity, process_table
from local.run_record import environment_mark, group_of, read_record, survivors, write_record

ALL_ENDED = b"."
_OWNER_CHECK_SECONDS = 1.0


def main(arguments: list[str]) -> int:
    """Wait for the end of the owner, then end what it has left. Arguments: run directory, grace (s)."""
    run_dir, grace = Path(arguments[0]), float(arguments[1])
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)  # the owner's end is the only reason to go
    record = read_record(run_dir)
    if record is None:
        raise SystemExit(f"no record in {run_dir}")
    if _owner_finished(record.owner):
        return 0
    _end_run(run_dir, grace)
    return 0


def _owner_finished(owner: Identity) -> bool:
    """Wait for the owner; True when it said that everything is ended, False when it died."""
    table = process_table()
    while True:
        readable, _, _ = select.select([0], [], [], _OWNER_CHECK_SECONDS)
        if readable:
            return os.read(0, 1) == ALL_ENDED
        # A forked copy of the owner may hold the pipe open, so the owner itself is looked at too.
        if table.identify(owner.pid) != owner:
            return False


def _end_run(run_dir: Path, grace: float) -> None:
    record = read_record(run_dir)  # again: children were added since
    if record is None:
        return
    table = process_table()
    names = tuple(
        child.name
        for child in record.children
        if group_of(child, table) or table.marked(environment_mark(record.mark, child.name))
    )
    # Written first: if this process is ended too, the next start still knows what ran.
    write_record(run_dir, replace(record, ended_by_watchdog=names))
    end_processes(lambda: survivors(record, table), table, grace)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
