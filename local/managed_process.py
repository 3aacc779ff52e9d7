"""One child process of a run, as its owner sees it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from local.run_record import Child

_TAIL_LINES = 25
_LINE_BYTES = 400


class ProcessDied(Exception):
    """A child ended on its own; the message holds its exit code and the end of its log."""


class ManagedProcess:
    """A child of the run: `name` (unique among the living), `pid` (its group too), `log` (its output)."""

    def __init__(self, child: Child, popen: subprocess.Popen[bytes], log: Path) -> None:
        self.child = child
        self.log = log
        self.expected_to_end = False
        self._popen = popen

    @property
    def name(self) -> str:
        """The name given at the start."""
        return self.child.name

    @property
    def pid(self) -> int:
        """The process id, which is the id of its group and session too."""
        return self.child.identity.pid

    @property
    def returncode(self) -> int | None:
        """The exit code (negative: the signal that ended it), None while it runs."""
        return self._popen.poll()

    def wait(self, seconds: float) -> int | None:
        """Wait up to `seconds` for the end; return the exit code, None when it still runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._popen.wait(seconds)
        return None

    def tail(self, lines: int = _TAIL_LINES) -> str:
        """Return the last `lines` lines of the log under a heading that names the file."""
        return f"--- the end of {self.log} ---\n{tail(self.log, lines)}"

    def death(self) -> str:
        """Return how it ended, with the end of its log, for a message."""
        code = self.returncode
        how = f"with exit code {code}"
        if code is not None and code < 0:
            how = f"by {signal.Signals(-code).name}"
        return f"{self.name} ended {how}\n{self.tail()}"


def tail(log: Path, lines: int = _TAIL_LINES) -> str:
    """Return the last `lines` lines of a text file, '' when there is none."""
    try:
        with log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - lines * _LINE_BYTES))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
