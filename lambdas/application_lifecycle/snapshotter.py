"""The custom resource BEFORE the application: a snapshot of what runs, before CloudFormation touches it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.application_lifecycle.goals import CLOCK_MARGIN
from lambdas.application_lifecycle.properties import CODE, PROPERTIES, ROLE_GRACE, application_name, key, patience
from lambdas.application_lifecycle.service import (
    DELETING,
    DENIED,
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


class CloudFormationClient(Protocol):
    """What is used of boto3's CloudFormation client."""

    def describe_stacks(self, *, StackName: str) -> Mapping[str, Any]:
        """The stack's status, among other things."""
        ...


@dataclass(frozen=True)
class Snapshotter:
    """Snapshots a RUNNING application when its code or properties are about to change. ``now``: the time in UTC.

    Properties: ApplicationName, Code, Properties, and, optional, Snapshot (``required``, the default, or
    ``best-effort``) and WaitMinutes (1 to 60, default 40). Attributes: SnapshotName (empty: none was taken).

    Create and Delete do nothing: there is no state yet, or none that anybody wants. On Update, an application
    that is absent or stopped is left alone, one in between is waited for.

    **When no snapshot can be taken** (the job restarts for ever, its checkpoints fail):

    - ``required``: the deployment fails, before anything was changed, with the service's text and the way out.
    - ``best-effort``: the application is force-stopped, and the deployment goes on. The service would try a
      snapshot of its own when a RUNNING application is updated, and the update would fail on it; a stopped one is
      updated, then started from its latest good snapshot. What came after that is read and computed again from the
      stream (within its retention); ids of results do not change by it.
    - **a rollback** of CloudFormation sends an Update with the old properties, at a time when what runs is what
      has just failed. It must never hang on a snapshot of that. So the stack's status is asked for when a
      snapshot fails: in a rollback, every resource is ``best-effort``, and the snapshot that this one took before
      the failed deployment is what the application starts from.
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
            return complete(SnapshotName="")
        flink = FlinkApplication(self.client, application_name(request))
        waited = request.waited(self.now())
        try:
            taken = self._step(request, flink, waited)
        except LaterError as error:
            LOGGER.warning("asking again later", extra=fields(application=flink.name, reason=str(error)))
            if waited > patience(request):
                return self._give_up(request, flink, str(error))
            return incomplete()
        except DeniedError as error:
            if waited > ROLE_GRACE:
                raise
            LOGGER.warning("asking again later", extra=fields(application=flink.name, reason=str(error)))
            return incomplete()
        if taken is not None:
            LOGGER.info("ready for the change", extra=fields(application=flink.name, snapshot=taken))
            return complete(SnapshotName=taken)
        if waited > patience(request):
            return self._give_up(request, flink, "the application did not become one that can be changed")
        return incomplete()

    def _step(self, request: ResourceRequest, flink: FlinkApplication, waited: timedelta) -> str | None:
        """The snapshot's name when it is there, "" when none is needed, None when it takes longer."""
        application = flink.describe()
        if application is None or application.status in DOWN:
            return ""
        name = snapshot_name(request)
        found = flink.snapshot(name)
        if found and found.status == SNAPSHOT_READY:
            return name
        if application.status in (DELETING, FORCE_STOPPING):
            if self._lenient(request):
                return "" if application.status == DELETING else None
            raise LifecycleError(
                f"{flink.name} is {application.status}: no snapshot can be taken of it. Deploy again when it is done"
            )
        reason = None
        if found is None and application.status == RUNNING:
            try:
                flink.create_snapshot(name)
            except DeniedError:
                raise
            except RefusedError as error:
                reason = str(error)
        elif found and found.status != SNAPSHOT_CREATING:
            reason = self._failure(request, flink)
        if reason is None and waited > BEST_EFFORT_PATIENCE and self._lenient(request):
            reason = f"there is none after {waited}, and {flink.name} is {application.status}"
        if reason is not None:
            self._without(request, flink, application, reason)
        return None

    def _without(
        self, request: ResourceRequest, flink: FlinkApplication, application: Application, reason: str
    ) -> None:
        """Goes on without a snapshot where that is allowed: a forced stop; otherwise an error with the way out."""
        if not self._lenient(request):
            raise LifecycleError(
                f"no snapshot of {flink.name} could be taken: {reason}. Nothing was changed. Repair the running job, "
                f"or deploy once with {POLICY} = {BEST_EFFORT}: it is then stopped by force and started again from "
                "its latest good snapshot, from which on the stream is read again"
            )
        if application.status in FORCEABLE:
            LOGGER.warning("stopping without a snapshot", extra=fields(application=flink.name, reason=reason))
            flink.stop(force=True)

    def _give_up(self, request: ResourceRequest, flink: FlinkApplication, reason: str) -> IsCompleteAnswer:
        """The end of the patience: a rollback goes on whatever the state, a deployment fails."""
        if self._lenient(request):
            LOGGER.error("going on without a snapshot", extra=fields(application=flink.name, reason=reason))
            return complete(SnapshotName="")
        raise LifecycleError(f"no snapshot of {flink.name} after {patience(request)} h:mm:ss: {reason}")

    def _failure(self, request: ResourceRequest, flink: FlinkApplication) -> str:
        """The service's words about our failed snapshot; it keeps them with the operation, if anywhere."""
        tried = flink.operations(SNAPSHOT, request.started() - CLOCK_MARGIN)
        failed = [operation for operation in tried if operation.failed]
        return flink.reason(failed[0]) if failed else "its status is FAILED, and the service gives no reason"

    def _lenient(self, request: ResourceRequest) -> bool:
        return _policy(request) == BEST_EFFORT or self._rolling_back(request.stack_id)

    def _rolling_back(self, stack_id: str) -> bool:
        try:
            stacks = self.cloudformation.describe_stacks(StackName=stack_id)["Stacks"]
        except (ClientError, BotoCoreError) as error:
            text = f"whether this is a rollback is not known: {error}"
            if isinstance(error, ClientError) and error.response["Error"].get("Code") in ("AccessDenied", DENIED):
                raise DeniedError(text) from error
            # taking either for granted could hang a rollback or cost state: the next poll asks again
            raise LaterError(text) from error
        return "ROLLBACK" in stacks[0]["StackStatus"]


def snapshot_name(request: ResourceRequest) -> str:
    """Name of the request's snapshot: a pure function of application, code, properties and request.

    A repeated call finds the snapshot of the first one; another deployment of the same code takes its own.
    """
    code = key(request, CODE)
    parts = (application_name(request), code, key(request, PROPERTIES), request.request_id)
    return f"before-deploy-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:32]}"


def _policy(request: ResourceRequest) -> str:
    return request.one_of(POLICY, (REQUIRED, BEST_EFFORT), REQUIRED)
