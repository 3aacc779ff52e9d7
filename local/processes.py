"""The supervisor: starts the child processes of one run and sees to it that none outlives the run.

Three nets, each for what passes the one before: leaving the `with` block (success, error, Ctrl-C, SIGTERM,
SIGHUP) ends every child with its grandchildren; a watchdog process does it when the owner is killed with
SIGKILL (`local.watchdog`); the next start does it when the watchdog was killed too (`local.stale_runs`).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from local.ending import end_processes
from local.environment import child_environment
from local.launcher import launch, let_go, module_environment
from local.managed_process import ManagedProcess, ProcessDied, tail
from local.ports import free_port
from local.process_table import Identity, process_table
from local.run_record import (
    MARK_VARIABLE,
    Child,
    RunRecord,
    environment_mark,
    group_of,
    mark_value,
    read_record,
    survivors,
    write_record,
)
from local.stop_signals import StopSignals, Terminated
from local.waiting import WaitTimeout, wait_until
from local.watchdog import ALL_ENDED

__all__ = [
    "ManagedProcess",
    "ProcessDied",
    "RunInUse",
    "Supervisor",
    "Terminated",
    "WaitTimeout",
    "free_port",
    "tail",
    "wait_until",
]

SCRATCH = "scratch"
_WATCHDOG_SECONDS = 5.0


class RunInUse(Exception):
    """The run directory belongs to another run that is alive, or to one that died and is not cleaned up."""


class Supervisor:
    """Owns one run directory and the processes started for it. Use it as a context manager.

    Entered in the main thread it turns SIGTERM and SIGHUP into `Terminated`, so that every `with` and
    `finally` runs. Layout: `processes.json` (the record), `logs/<name>.log`, `scratch/<name>/` (removed at
    the end).

    Args:
        run_dir: created when missing. A directory of an ended run may be used again; its logs start anew.
        grace: seconds between SIGTERM and SIGKILL.
        keep_scratch: leave `scratch/` when the run ends.
    """

    def __init__(self, run_dir: Path, *, grace: float = 8.0, keep_scratch: bool = False) -> None:
        self.run_dir = run_dir.resolve()
        self.logs = self.run_dir / "logs"
        self._grace = grace
        self._keep_scratch = keep_scratch
        self._table = process_table()
        self._lock = threading.RLock()
        self._processes: dict[str, ManagedProcess] = {}
        self._logged: set[str] = set()
        self._signals = StopSignals()
        self._record: RunRecord | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Take the run directory and start the watchdog.

        Raises:
            RunInUse: the run in this directory is alive, or died and was not cleaned up.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        owner = self._table.identify(os.getpid())
        if owner is None:
            raise RuntimeError("this process is not in its own process table")
        self._signals.take()
        try:
            with _claim(self.run_dir):
                self._refuse_if_taken()
                self._write(RunRecord(mark=uuid.uuid4().hex, owner=owner))
            self._watch()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do as `close`."""
        self.close()

    @property
    def processes(self) -> Sequence[ManagedProcess]:
        """What was started and not stopped, in the order of the start."""
        with self._lock:
            return tuple(self._processes.values())

    def scratch(self, name: str) -> Path:
        """Return a directory (created when missing) for data that goes when the run ends."""
        path = self.run_dir / SCRATCH / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> ManagedProcess:
        """Start `command` in a session of its own; both its outputs go to `logs/<name>.log`.

        Args:
            name: lower case letters, digits and '-'; no living child may have it.
            command: the program and its arguments; no shell reads them.
            env: added to the allowed part of this process's environment.
            cwd: the working directory; this process's when None.

        Raises:
            ValueError: the name is malformed or taken.
            OSError: the program could not be started or recorded.
        """
        if not name or not all("a" <= letter <= "z" or "0" <= letter <= "9" or letter == "-" for letter in name):
            raise ValueError(f"process name {name!r}: only lower case letters, digits and '-'")
        with self._lock:
            record = self._running_record()
            if name in self._processes:
                raise ValueError(f"process name {name!r} is taken")
            marked = child_environment({**(env or {}), MARK_VARIABLE: mark_value(record.mark, name)})
            log = self.logs / f"{name}.log"
            mode = "ab" if name in self._logged else "wb"  # a restarted child goes on in its log
            with log.open(mode) as file:
                popen = launch(command, log=file, env=marked, cwd=cwd)
            self._logged.add(name)
            try:
                process = ManagedProcess(Child(name, self._identify(popen)), popen, log)
                self._write(replace(record, children=(*record.children, process.child)))
                self._processes[name] = process
                let_go(popen)
            except BaseException:
                popen.kill()  # still the launcher, or just its command: it has no children
                popen.wait()
                self._processes.pop(name, None)
                raise
        return process

    def run(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        timeout: float,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Path:
        """Start `command`, wait for its end and return its log. Arguments as for `start`; `timeout`: seconds.

        Raises:
            ProcessDied: its exit code was not 0.
            WaitTimeout: it took longer; it is ended then.
        """
        process = self.start(name, command, env=env, cwd=cwd)
        process.expected_to_end = True
        try:
            code = process.wait(timeout)
            if code is None:
                raise WaitTimeout(f"{name}: not done after {timeout:g} s\n{process.tail()}")
            if code != 0:
                raise ProcessDied(process.death())
        finally:
            self.stop(process)
        return process.log

    def stop(self, process: ManagedProcess, *, grace: float | None = None) -> None:
        """End a child and everything it started: SIGTERM, SIGKILL after `grace` seconds (0: SIGKILL at once).

        Raises:
            NotEnded: something of it survived SIGKILL.
        """
        with self._lock:
            record = self._running_record()
            process.expected_to_end = True
            mark = environment_mark(record.mark, process.name)
            self._end(
                lambda: self._table.marked(mark) | group_of(process.child, self._table),
                [process],
                self._grace if grace is None else grace,
            )
            self._processes.pop(process.name, None)
            self._write(replace(record, children=tuple(c for c in record.children if c != process.child)))

    def raise_if_died(self) -> None:
        """Raise when a child that should run has ended.

        Raises:
            ProcessDied: with the end of its log.
        """
        for process in self.processes:
            if not process.expected_to_end and process.returncode is not None:
                raise ProcessDied(process.death())

    def close(self) -> None:
        """End everything, all at the same time, and remove the scratch data. May be called again.

        Raises:
            NotEnded: something survived SIGKILL; the record stays, so the next start tries again.
        """
        with self._lock:
            self._signals.ignore()
            try:
                if self._record is not None and not self._record.ended:
                    self._close(self._record)
            finally:
                self._dismiss_watchdog()
                self._signals.give_back()

    def _close(self, record: RunRecord) -> None:
        processes = list(self._processes.values())
        for process in processes:
            process.expected_to_end = True
        self._end(lambda: survivors(record, self._table), processes, self._grace)
        self._processes.clear()
        if not self._keep_scratch:
            remove_tree(self.run_dir / SCRATCH)
        self._write(replace(record, children=(), ended=True))

    def _end(self, find: Callable[[], set[Identity]], processes: list[ManagedProcess], grace: float) -> None:
        end_processes(find, self._table, grace)
        for process in processes:
            process.wait(self._grace)  # reaps it: it is gone already

    def _identify(self, popen: subprocess.Popen[bytes]) -> Identity:
        identity = self._table.identify(popen.pid)
        if identity is None:
            raise OSError(f"process {popen.pid} ended before it was let go")
        return identity

    def _refuse_if_taken(self) -> None:
        before = read_record(self.run_dir)
        if before is None or before.ended:
            return
        if self._table.identify(before.owner.pid) == before.owner:
            raise RunInUse(f"{self.run_dir}: in use by the run with pid {before.owner.pid}")
        raise RunInUse(f"{self.run_dir}: its run died; clean_up_stale() comes first")

    def _running_record(self) -> RunRecord:
        if self._record is None or self._record.ended:
            raise RuntimeError("the supervisor is not entered, or closed")
        return self._record

    def _write(self, record: RunRecord) -> None:
        write_record(self.run_dir, record)
        self._record = record

    def _watch(self) -> None:
        with (self.logs / "watchdog.log").open("wb") as log:
            self._watchdog = subprocess.Popen(  # noqa: S603 - this interpreter and our own module
                [sys.executable, "-m", "local.watchdog", str(self.run_dir), str(self._grace)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=child_environment(module_environment()),
                start_new_session=True,
            )
        self._write(replace(self._running_record(), watchdog=self._identify(self._watchdog)))

    def _dismiss_watchdog(self) -> None:
        """Let the watchdog go; it keeps watching a run that could not be ended."""
        if self._watchdog is None or (self._record is not None and not self._record.ended):
            return
        self._watchdog.communicate(ALL_ENDED, timeout=_WATCHDOG_SECONDS)
        self._watchdog = None


def remove_tree(path: Path) -> int:
    """Remove a directory tree; return how many bytes its files had, 0 when it is not there.

    Raises:
        OSError: something could not be removed.
    """
    if not path.exists():
        return 0
    size = sum(file.lstat().st_size for file in path.rglob("*") if not file.is_dir())
    shutil.rmtree(path)
    return size


@contextlib.contextmanager
def _claim(run_dir: Path) -> Iterator[None]:
    """Let one process at a time decide whose the directory is."""
    with (run_dir / ".claim").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
