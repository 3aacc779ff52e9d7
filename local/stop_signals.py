"""SIGTERM and SIGHUP as exceptions, so that every `with` and `finally` of the main thread runs."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class Terminated(SystemExit):
    """SIGTERM or SIGHUP arrived; the exit code is 128 + its number, as a shell reports it."""


class StopSignals:
    """Takes the stop signals of this process and gives them back.

    Outside the main thread it does nothing: Python delivers signals only there, so they are its owner's.
    """

    def __init__(self) -> None:
        self._before: dict[signal.Signals, object] = {}

    def take(self) -> None:
        """Raise `Terminated` on SIGTERM and SIGHUP from now on. What was ignored (nohup) stays ignored."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.getsignal(number)
        for number in (signal.SIGTERM, signal.SIGHUP):
            if self._before[number] is not signal.SIG_IGN:
                signal.signal(number, _terminate)

    def ignore(self) -> None:
        """Ignore a second Ctrl-C or SIGTERM: the end is under way and its time is bounded."""
        for number in self._before:
            signal.signal(number, signal.SIG_IGN)

    def give_back(self) -> None:
        """Restore the handlers from before `take`."""
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.getsignal() returned
        self._before.clear()


def _terminate(number: int, _frame: FrameType | None) -> None:
    raise Terminated(128 + number)
