"""What the operating system knows about processes: who is alive, in which group, with which mark.

A pid alone does not name a process: it is given out again. Everything here therefore speaks of a pid together
with the time at which its process started. Linux is read through /proc, other systems (macOS) through `ps`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from local.environment import child_environment

_PS_SECONDS = 10.0


@dataclass(frozen=True, order=True)
class Identity:
    """One process for good: `pid`, and `started`, an opaque text that no later holder of the pid shares."""

    pid: int
    started: str


class ProcessTable(Protocol):
    """A view of the living processes. A zombie counts as gone: it holds nothing but its pid."""

    def identify(self, pid: int) -> Identity | None:
        """Return the identity of the living process `pid`, None when there is none."""

    def group(self, group_id: int) -> set[Identity]:
        """Return the living members of the process group `group_id`."""

    def marked(self, mark: str) -> set[Identity]:
        """Return the living processes of this user that were started with `mark` in their environment."""


class ProcTable:
    """The table of Linux, read from /proc."""

    def __init__(self, root: Path = Path("/proc")) -> None:
        self._root = root
        # Start times count from the boot, so the boot is part of the identity. A sandbox may hide it.
        boot = root / "sys/kernel/random/boot_id"
        self._boot = boot.read_text().strip() if boot.exists() else ""

    def identify(self, pid: int) -> Identity | None:
        """See `ProcessTable.identify`."""
        fields = self._stat(pid)
        return None if fields is None else self._identity(pid, fields)

    def group(self, group_id: int) -> set[Identity]:
        """See `ProcessTable.group`."""
        return {self._identity(pid, fields) for pid, fields in self._living() if int(fields[2]) == group_id}

    def marked(self, mark: str) -> set[Identity]:
        """See `ProcessTable.marked`. Reads the environment a process was started with."""
        wanted = mark.encode()
        return {self._identity(pid, fields) for pid, fields in self._living() if wanted in self._environment(pid)}

    def _living(self) -> Iterator[tuple[int, list[str]]]:
        for entry in self._root.iterdir():
            if entry.name.isdigit():
                fields = self._stat(int(entry.name))
                if fields is not None:
                    yield int(entry.name), fields

    def _stat(self, pid: int) -> list[str] | None:
        """Return the fields of /proc/<pid>/stat from field 3 (state) on, None for a zombie or no process."""
        try:
            text = (self._root / str(pid) / "stat").read_text(errors="replace")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return None
        fields = text.rpartition(")")[2].split()  # the name in parentheses may hold spaces and parentheses
        return None if fields[0] in "ZX" else fields

    def _identity(self, pid: int, fields: list[str]) -> Identity:
        return Identity(pid, f"{self._boot}:{fields[19]}")  # field 22 of the file: ticks since the boot

    def _environment(self, pid: int) -> bytes:
        try:
            return (self._root / str(pid) / "environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return b""  # gone meanwhile, or another user's: not ours in both cases


class PsTable:
    """The table of systems without /proc, read with `ps`. Its start times have a resolution of one second."""

    def identify(self, pid: int) -> Identity | None:
        """See `ProcessTable.identify`."""
        return next((identity for identity, _ in self._living() if identity.pid == pid), None)

    def group(self, group_id: int) -> set[Identity]:
        """See `ProcessTable.group`."""
        return {identity for identity, group in self._living() if group == group_id}

    def marked(self, mark: str) -> set[Identity]:
        """See `ProcessTable.marked`. `ps` shows the environment of this user's processes only."""
        pids = {int(line.split(None, 1)[0]) for line in _ps("axeww", "-o", "pid=,command=") if mark in line}
        return {identity for identity, _ in self._living() if identity.pid in pids}

    def _living(self) -> Iterator[tuple[Identity, int]]:
        for line in _ps("ax", "-o", "pid=,pgid=,state=,lstart="):
            pid, group, state, started = line.split(None, 3)
            if not state.startswith("Z"):
                yield Identity(int(pid), started.strip()), int(group)


def process_table() -> ProcessTable:
    """Return the table of this system."""
    return ProcTable() if sys.platform == "linux" else PsTable()


def _ps(*arguments: str) -> list[str]:
    done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
        ["/bin/ps", *arguments],
        check=True,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_PS_SECONDS,
        env=child_environment(),  # lstart is written in the zone and the language of who asks
    )
    return [line for line in done.stdout.splitlines() if line.strip()]
