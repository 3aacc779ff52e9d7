"""Waiting for a condition instead of for a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from local.managed_process import ManagedProcess, ProcessDied

T = TypeVar("T")

_POLL_SECONDS = 0.1


class WaitTimeout(Exception):
    """What was waited for did not come in time; the message says what, how long, and shows the logs' ends."""


def wait_until(
    condition: Callable[[], T | None],
    timeout: float,
    what: str,
    *,
    process: ManagedProcess | Iterable[ManagedProcess] = (),
    interval: float = _POLL_SECONDS,
) -> T:
    """Ask `condition` again and again until it returns something true, and return that.

    Args:
        condition: its exceptions pass through, so it handles those that only mean "not yet".
        timeout: seconds.
        what: completes "waiting for ...", for the message.
        process: one or more children that the condition depends on; the wait ends at once when one dies.
        interval: seconds between two questions.

    Raises:
        ProcessDied: one of the children ended.
        WaitTimeout: the time is over.
    """
    processes = [process] if isinstance(process, ManagedProcess) else list(process)
    deadline = time.monotonic() + timeout
    while True:
        for each in processes:
            if each.returncode is not None:
                raise ProcessDied(f"waiting for {what}: {each.death()}")
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            tails = "\n".join(each.tail() for each in processes)
            raise WaitTimeout(f"waiting for {what}: not there after {timeout:g} s\n{tails}".rstrip())
        if processes:
            processes[0].wait(interval)
        else:
            time.sleep(interval)
