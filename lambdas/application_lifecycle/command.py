"""Starting and stopping from a script, with the same steps as a deployment."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from lambdas.application_lifecycle import goals
from lambdas.application_lifecycle.service import (
    READY,
    RUNNING,
    FlinkApplication,
    FlinkClient,
    LaterError,
    LifecycleError,
)

POLL_SECONDS = 10.0
PATIENCE = timedelta(minutes=45)


def _now() -> datetime:
    return datetime.now(UTC)


def run_until_done(
    client: FlinkClient,
    application: str,
    desired: str,
    *,
    force: bool = False,
    allow_non_restored_state: bool = False,
    patience: timedelta = PATIENCE,
    wait: Callable[[float], None] = time.sleep,
    now: Callable[[], datetime] = _now,
    tell: Callable[[str], None] = lambda _: None,
) -> str:
    """Bring ``application`` to ``desired``, RUNNING or READY; its status then (to be stopped, ``absent`` will do).

    ``force``: stop without a snapshot where none can be taken. ``wait`` is called with seconds between two looks,
    ``tell`` with the status, or why a look failed, at each. What runs need not be what was last deployed: a person who
    rolled back by hand may start that.

    Raises :class:`LifecycleError` with the service's text, or when ``patience`` is over.
    """
    if desired not in (RUNNING, READY):
        raise LifecycleError(f"desired is {desired!r}: allowed are {RUNNING}, {READY}")
    flink, since = FlinkApplication(client, application), now()
    while True:
        try:
            if desired == RUNNING:
                progress = goals.run(
                    flink, since, allow_non_restored_state=allow_non_restored_state, check_update=False
                )
            else:
                progress = goals.stop(flink, since, force=force)
        except LaterError as error:
            found = str(error)
        else:
            found = progress.status
            if progress.done:
                return found
        tell(found)
        if now() - since > patience:
            raise LifecycleError(f"{application} is not {desired} after {patience} h:mm:ss: {found}")
        wait(POLL_SECONDS)
