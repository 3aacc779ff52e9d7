"""A demo that runs as a person's does, in a process of its own, with its live page."""

from __future__ import annotations

import queue
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[1]


class DemoProcess:
    """Use it as a context manager; ``lines`` is what it has said so far."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self.lines: list[str] = []
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        """Starts it."""
        self._process = subprocess.Popen(  # noqa: S603 - this checkout's own module
            [sys.executable, "-m", "local.demo", *self._arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends it, and waits until all that it started has ended."""
        self.end()

    def end(self) -> None:
        """Ends it as Ctrl-C does."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)

    def told(self, pattern: str, seconds: float) -> re.Match[str]:
        """Waits for a line that matches, from the start; AssertionError with all lines when none comes."""
        deadline = time.monotonic() + seconds
        for line in self.lines:
            if match := re.search(pattern, line):
                return match
        while (left := deadline - time.monotonic()) > 0:
            try:
                line_or_end = self._queue.get(timeout=left)
            except queue.Empty:
                break
            if line_or_end is None:
                break
            self.lines.append(line_or_end)
            if match := re.search(pattern, line_or_end):
                return match
        raise AssertionError(f"no line {pattern!r} within {seconds:g} s:\n{''.join(self.lines)}")

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._queue.put(line)
        self._queue.put(None)
