"""The custom resource BEFORE the application: a snapshot of what runs, before CloudFormation touches it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from lambdas.application_lifecycle.goals import CLOCK_MARGIN
from lambdas.application_lifecycle.properties import CODE, PROPERTIES, ROLE_GRACE, application_name, key, patience
from lambdas.application_lifecycle.service import (
    DELETING,
    DOWN,
    FORCE_STOPPING,
    FORCEABLE,
    RUNNING,
    SNAPSHOT,
    SNAPSHOT_CREATING,
    SNAPSHOT_READY,
    Application,
    DeniedError,
    FlinkApplication,
    FlinkClient,
    LaterError,
    LifecycleError,
    RefusedError,
)
from lambdas.application_lifecycle.service import Snapshot as Found
from lambdas.application_lifecycle.stack import CloudFormationClient, deployment
from lambdas.common.custom_resource import (
    IsCompleteAnswer,
    OnEventAnswer,
    RequestType,
    ResourceRequest,
    accepted,
    complete,
    incomplete,
)
from lambdas.common.logs import fields

LOGGER = logging.getLogger(__name__)

POLICY = "Snapshot"
REQUIRED, BEST_EFFORT = "required", "best-effort"

#: How long a snapshot may take where the deployment goes on without it, too.
BEST_EFFORT_PATIENCE = timedelta(minutes=10)

_NONE = ""  # the name of no snapshot


class _Without(Enum):
    """What to do when no snapshot can be taken."""

    FAIL = auto()
    FORCE_STOP = auto()
    LEAVE = auto()


@dataclass(frozen=True)
class Snapshotter:
    """Snapshots a RUNNING application when its code or properties are about to change. ``now``: the time in UTC.

    Properties: ApplicationName, Code, Properties, and, optional, Snapshot (``required``, the default, or
    ``best-effort``) and WaitMinutes (1 to 60, default 40). Attributes: SnapshotName (empty: none was taken).

    Create and Delete do nothing: there is no state yet, or none that anybody wants. On Update, an application
    that is absent or stopped is left alone, one in between is waited for.

    **When no snapshot can be taken** (the job restarts for ever, its checkpoints fail):

    - ``required``: the deployment fails before anything was changed, with the service's text and the way out.
    - ``best-effort``: the application is force-stopped, and the deployment goes on. The service would try a
      snapshot of its own when a RUNNING application is updated, and the update would fail on it; a stopped one is
      updated, then started from its latest good snapshot. What came after that is read and computed again from the
      stream (within its retention); ids of results do not change by it. Should another resource fail the
      deployment before the application is updated, it stays stopped: start it by hand.
    - **a rollback** of CloudFormation sends an Update with the old properties, at a time when what runs may be what
      has just failed; it must never hang on a snapshot of that. So the stack's events are asked when a snapshot
      fails. If the application was changed before the rollback, the resource is ``best-effort`` whatever it says,
      and what the application then starts from is the snapshot that was taken before it was changed. If it was
      not (the snapshot itself failed the deployment), nothing will touch it: it is left running as it is.
    """

    client: FlinkClient
    cloudformation: CloudFormationClient
    now: Callable[[], datetime]

    def on_event(self, event: Mapping[str, object]) -> OnEventAnswer:
        """Check the properties; calls nothing, so that it may be repeated and cannot fail half-way.

        Raises :class:`~lambdas.common.custom_resource.RequestError`.
        """
        request = ResourceRequest.of(event)
        if request.type is RequestType.DELETE:
            return accepted(request.physical_id or "", self.now())
        snapshot_name(request), _policy(request), patience(request)
        return accepted(f"{application_name(request)}-snapshot", self.now())

    def is_complete(self, event: Mapping[str, object]) -> IsCompleteAnswer:
        """One step towards the snapshot, and whether the application may be changed now.

        Raises :class:`~lambdas.application_lifecycle.service.LifecycleError` when it must not be.
        """
        request = ResourceRequest.of(event)
        if request.type is not RequestType.UPDATE:
            return complete(SnapshotName=_NONE)
        flink = FlinkApplication(self.client, application_name(request))
        waited = request.waited(self.now())
        try:
            taken = self._step(request, flink, waited)
            found = "the application did not become one that can be changed"
        except LaterError as error:
            taken, found = None, str(error)
            LOGGER.warning("asking again later", extra=fields(application=flink.name, reason=found))
        except DeniedError as error:
            if waited > ROLE_GRACE:
                raise
            taken, found = None, str(error)
            LOGGER.warning("asking again later", extra=fields(application=flink.name, reason=found))
        if taken is None and waited > patience(request):
            if self._without(request) is _Without.FAIL:
                raise LifecycleError(f"no snapshot of {flink.name} after {patience(request)} h:mm:ss: {found}")
            LOGGER.error("going on without a snapshot", extra=fields(application=flink.name, reason=found))
            taken = _NONE
        if taken is None:
            return incomplete()
        LOGGER.info("ready for the change", extra=fields(application=flink.name, snapshot=taken))
        return complete(SnapshotName=taken)

    def _step(self, request: ResourceRequest, flink: FlinkApplication, waited: timedelta) -> str | None:
        """The snapshot's name when it is there, none's when none is needed, None when it takes longer."""
        application = flink.describe()
        if application is None or application.status in DOWN:
            return _NONE
        name = snapshot_name(request)
        found = flink.snapshot(name)
        if found and found.status == SNAPSHOT_READY:
            return name
        reason = self._failure(request, flink, application, found)
        if reason is None and waited > BEST_EFFORT_PATIENCE:
            # long enough for those who go on without; the others wait for the end of the patience
            if self._without(request) is _Without.FAIL:
                return None
            reason = f"there is none after {waited}, and it is {application.status}"
        return None if reason is None else self._go_on(request, flink, application, reason)

    def _failure(
        self, request: ResourceRequest, flink: FlinkApplication, application: Application, found: Found | None
    ) -> str | None:
        """Why there will be no snapshot; None while there may be one, which is asked for if need be."""
        if application.status in (DELETING, FORCE_STOPPING):
            return f"it is {application.status}"
        if found is None:
            if application.status == RUNNING:
                try:
                    flink.create_snapshot(snapshot_name(request))
                except DeniedError:
                    raise
                except RefusedError as error:
                    return str(error)
            return None
        if found.status == SNAPSHOT_CREATING:
            return None
        # the service keeps its words with the operation, if anywhere
        tried = flink.operations(SNAPSHOT, request.started() - CLOCK_MARGIN)
        failed = [operation for operation in tried if operation.failed]
        return flink.reason(failed[0]) if failed else f"its status is {found.status}, and the service gives no reason"

    def _go_on(
        self, request: ResourceRequest, flink: FlinkApplication, application: Application, reason: str
    ) -> str | None:
        """On without a snapshot where that is allowed; otherwise an error with the way out."""
        what = self._without(request)
        if what is _Without.FAIL:
            raise LifecycleError(
                f"no snapshot of {flink.name} could be taken: {reason}. The application was not changed. Repair the "
                f"running job, or deploy once with {POLICY} = {BEST_EFFORT}: it is then stopped by force and started "
                "again from its latest good snapshot, from which on the stream is read again"
            )
        if what is _Without.LEAVE or application.status == DELETING:
            LOGGER.warning("going on without a snapshot", extra=fields(application=flink.name, reason=reason))
            return _NONE
        if application.status in FORCEABLE:
            LOGGER.warning("stopping without a snapshot", extra=fields(application=flink.name, reason=reason))
            flink.stop(force=True)
        return None

    def _without(self, request: ResourceRequest) -> _Without:
        now = deployment(self.cloudformation, request.stack_id, application_name(request))
        if now.rolling_back:
            return _Without.FORCE_STOP if now.application_changed else _Without.LEAVE
        return _Without.FORCE_STOP if _policy(request) == BEST_EFFORT else _Without.FAIL


def snapshot_name(request: ResourceRequest) -> str:
    """Name of the request's snapshot: a pure function of application, code, properties and request.

    A repeated call finds the snapshot of the first one; another deployment of the same code takes its own.
    """
    parts = (application_name(request), key(request, CODE), key(request, PROPERTIES), request.request_id)
    return f"before-deploy-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:32]}"


def _policy(request: ResourceRequest) -> str:
    return request.one_of(POLICY, (REQUIRED, BEST_EFFORT), REQUIRED)
