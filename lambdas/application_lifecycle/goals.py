"""One step towards a running or a stopped application. Called again and again, it gets there.

Nothing is remembered between two steps: which operations are ours is told by their time, at or after ``since``,
the moment of the request. So a step that is made twice does nothing twice.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from lambdas.application_lifecycle.service import (
    DELETING,
    DOWN,
    FORCEABLE,
    IN_PROGRESS,
    ROLLED_BACK,
    RUNNING,
    START,
    STOP,
    STOPPING,
    SUCCESSFUL,
    UP,
    UPDATE,
    Application,
    FlinkApplication,
    LifecycleError,
    Operation,
    RefusedError,
)
from lambdas.common.logs import fields

LOGGER = logging.getLogger(__name__)

#: Our clock and the service's may differ, and its times may be cut to the second.
CLOCK_MARGIN = timedelta(seconds=5)


@dataclass(frozen=True)
class Progress:
    """Whether the goal is reached, and the application as it was found (None: there is none)."""

    done: bool
    application: Application | None

    @property
    def status(self) -> str:
        """The application's status, for people."""
        return self.application.status if self.application else "absent"


def run(
    flink: FlinkApplication, since: datetime, *, allow_non_restored_state: bool = False, check_update: bool = True
) -> Progress:
    """A step towards RUNNING, from the latest snapshot where it is stopped.

    ``check_update``: what runs must be what was last deployed. After a system rollback the old code is RUNNING
    while CloudFormation reports success; that is an error here, with the update's own text.

    Raises :class:`LifecycleError` when the application is absent or going away, when the start failed (with the
    service's text) and when the last update did not hold. RUNNING says that Flink accepted the job; that a Python
    driver crashed after it is only in the log: the alarms watch it.
    """
    application = flink.describe()
    if application is None:
        raise LifecycleError(f"there is no application {flink.name}: deploy it first")
    waiting = Progress(False, application)
    if application.status in UP:
        if check_update and not _update_held(flink, application):
            return waiting
        return Progress(True, application)
    if application.status == DELETING:
        raise LifecycleError(f"{flink.name} is being deleted: wait until it is gone and deploy again")
    if application.status not in DOWN:
        return waiting
    if application.status == ROLLED_BACK and check_update:
        _update_held(flink, application)  # says why; a rollback that no update explains is started below
    starts = flink.operations(START, since - CLOCK_MARGIN)
    if not starts:
        flink.start(allow_non_restored_state=allow_non_restored_state)
        LOGGER.info("start asked for", extra=fields(application=flink.name, version=application.version))
    elif starts[0].failed:
        raise LifecycleError(
            f"{flink.name} did not start: {flink.reason(starts[0])} "
            "(the application's log says more; `AllowNonRestoredState` lets it start after operators were removed)"
        )
    elif starts[0].status == SUCCESSFUL:
        raise LifecycleError(
            f"{flink.name} was started and is {application.status} again: "
            "it was stopped meanwhile, or an update of it failed"
        )
    return waiting


def stop(flink: FlinkApplication, since: datetime, *, force: bool) -> Progress:
    """A step towards a stopped application; an absent one counts as stopped.

    It is stopped with a snapshot. ``force``: where that fails, or its state permits nothing else, it is stopped
    without one. Raises :class:`LifecycleError` with the service's text when it cannot be stopped.
    """
    application = flink.describe()
    if application is None or application.status in DOWN:
        return Progress(True, application)
    waiting = Progress(False, application)
    if application.status == DELETING:
        return Progress(force, application)  # who deletes the resource does not care who deletes the application
    if application.status == RUNNING:
        _stop_running(flink, since, force=force)
    elif force and application.status in FORCEABLE - {STOPPING}:
        _force(flink, f"it is {application.status}")
    return waiting


def _stop_running(flink: FlinkApplication, since: datetime, *, force: bool) -> None:
    stops = flink.operations(STOP, since - CLOCK_MARGIN)
    if stops and stops[0].status == IN_PROGRESS:
        return
    failed = [operation for operation in stops if operation.failed]
    if not failed:
        try:
            flink.stop(force=False)
        except RefusedError as error:
            if not force:
                raise
            _force(flink, str(error))
    elif force and len(failed) == 1:
        _force(flink, flink.reason(failed[0]))
    else:
        raise LifecycleError(
            f"{flink.name} did not stop: {flink.reason(failed[0])} (stop it by force if its work may be done again)"
        )


def _force(flink: FlinkApplication, reason: str) -> None:
    LOGGER.warning("stopping without a snapshot", extra=fields(application=flink.name, reason=reason))
    flink.stop(force=True)


def _update_held(flink: FlinkApplication, application: Application) -> bool:
    """Whether the last update is what the application is now; False while it is under way.

    Raises :class:`LifecycleError` when it failed or was rolled back, by the service or by a person.
    """
    updates = flink.operations(UPDATE)
    latest = updates[0] if updates else None
    if latest and latest.status == IN_PROGRESS:
        return False
    if application.rolled_back_from is None and not (latest and latest.failed):
        return True
    detail = flink.detail(latest) if latest else None
    rolled_back = _rolled_back(application, detail.updated_to if detail else None)
    if latest and detail and latest.failed:
        if detail.rollback_id or rolled_back or not _started_after(flink, latest):
            where = f"version {application.version} is {application.status}"
            what = "was rolled back by the service" if detail.rollback_id or rolled_back else "failed"
            raise LifecycleError(
                f"the update of {flink.name} {what}, {where}. Its reason: {latest.status}: "
                f"{detail.error or 'the service gives no reason'}"
            )
    elif rolled_back:
        raise LifecycleError(
            f"{flink.name} was rolled back from version {application.rolled_back_from}: version {application.version} "
            f"is {application.status}, and not what the stack says. Deploy a change of code or properties"
        )
    return True


def _rolled_back(application: Application, updated_to: int | None) -> bool:
    """Whether the rollback that the application tells of came after its latest update.

    The API does not say that the next update clears ``ApplicationVersionRolledBackFrom``; versions only grow.
    """
    left = application.rolled_back_from
    if left is None:
        return False
    if updated_to is not None:
        return updated_to <= left
    return application.updated_from is None or application.updated_from < left


def _started_after(flink: FlinkApplication, update: Operation) -> bool:
    """Whether a start succeeded after a failed update: then what runs is what the update left, the new version."""
    return any(start.status == SUCCESSFUL for start in flink.operations(START, update.started))
