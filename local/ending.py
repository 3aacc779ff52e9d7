"""Ends processes for good: politely first, by force after a grace, until none is left."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable

from local.process_table import Identity, ProcessTable

_POLL_SECONDS = 0.05
_KILL_SECONDS = 10.0


class NotEnded(Exception):
    """Processes that outlived SIGKILL (stuck in the kernel); the message names them."""


def end_processes(find: Callable[[], set[Identity]], table: ProcessTable, grace: float) -> set[Identity]:
    """End what `find` returns: SIGTERM once to each, SIGKILL to what is left after `grace` seconds.

    `find` is asked again all the time, so a process that is forked meanwhile is ended too; what it named once
    is remembered, because a group can no longer be named when its leader is gone. With a grace of 0 there is
    no SIGTERM. Returns everything that was ended.

    Raises:
        NotEnded: something is still there 10 s after the SIGKILL.
    """
    seen: set[Identity] = set()
    deadline = time.monotonic() + grace
    while living := find() | {known for known in seen if table.identify(known.pid) == known}:
        now = time.monotonic()
        if now > deadline + _KILL_SECONDS:
            names = ", ".join(str(identity.pid) for identity in sorted(living))
            raise NotEnded(f"still alive {_KILL_SECONDS:.0f} s after SIGKILL: pid {names}")
        if now >= deadline:
            _send(living, signal.SIGKILL)
        else:
            _send(living - seen, signal.SIGTERM)
        seen |= living
        time.sleep(_POLL_SECONDS)
    return seen


def _send(identities: set[Identity], signal_number: signal.Signals) -> None:
    for identity in identities:
        with contextlib.suppress(ProcessLookupError):  # it ended since `find` saw it: what we want
            os.kill(identity.pid, signal_number)
