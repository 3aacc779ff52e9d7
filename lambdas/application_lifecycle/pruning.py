"""Old snapshots: the service never deletes one, bills each, and takes 1,000 at most."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from lambdas.application_lifecycle.service import (
    SNAPSHOT_FAILED,
    SNAPSHOT_READY,
    FlinkApplication,
    LaterError,
    RefusedError,
    Snapshot,
)
from lambdas.common.logs import fields

LOGGER = logging.getLogger(__name__)

#: Time that pruning may take of one invocation; the next deployment goes on where it ended.
BUDGET = timedelta(seconds=20)


def superfluous(snapshots: list[Snapshot], keep: int) -> list[Snapshot]:
    """Those to delete, oldest first: READY or FAILED, older than the ``keep`` newest READY ones.

    A FAILED one does not count as kept (nothing can be restored from it) and stays as long as it is newer than
    a kept one. So with fewer than ``keep`` READY ones nothing goes, and never the newest.
    """
    newest_first = sorted(snapshots, key=lambda snapshot: snapshot.created, reverse=True)
    ready = [snapshot for snapshot in newest_first if snapshot.status == SNAPSHOT_READY]
    if len(ready) < keep:
        return []
    oldest_kept = ready[keep - 1]
    behind = newest_first[newest_first.index(oldest_kept) + 1 :]
    return [snapshot for snapshot in reversed(behind) if snapshot.status in (SNAPSHOT_READY, SNAPSHOT_FAILED)]


def prune(flink: FlinkApplication, keep: int, now: Callable[[], datetime]) -> int:
    """Deletes what is superfluous, ours and the service's alike; how many went.

    A failure is logged with its text and ends the pruning, never the deployment: it costs cents a month.
    """
    begun, deleted = now(), 0
    try:
        for snapshot in superfluous(flink.snapshots(), keep):
            if now() - begun > BUDGET:
                LOGGER.info("pruning goes on with the next deployment", extra=fields(application=flink.name))
                break
            flink.delete_snapshot(snapshot)
            deleted += 1
    except (LaterError, RefusedError) as error:
        LOGGER.warning("snapshots were not pruned", extra=fields(application=flink.name, reason=str(error)))
    return deleted
