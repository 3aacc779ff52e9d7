"""The custom resource AFTER the application: starts it, waits, and says when what runs is not what was deployed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from lambdas.application_lifecycle import goals
from lambdas.application_lifecycle.goals import Progress
from lambdas.application_lifecycle.properties import CODE, PROPERTIES, ROLE_GRACE, application_name, key, patience
from lambdas.application_lifecycle.pruning import prune
from lambdas.application_lifecycle.service import (
    READY,
    RUNNING,
    DeniedError,
    FlinkApplication,
    FlinkClient,
    LaterError,
    LifecycleError,
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

DESIRED, ALLOW_NON_RESTORED_STATE, KEEP = "DesiredState", "AllowNonRestoredState", "KeepSnapshots"
#: The service's own limit of snapshots is 1,000.
MAX_KEEP = 900


@dataclass(frozen=True)
class _Wish:
    """What the properties ask for."""

    state: str
    allow_non_restored_state: bool
    keep: int


@dataclass(frozen=True)
class Starter:
    """Brings the application into ``DesiredState``, on Delete into READY. ``now`` answers the time in UTC.

    Properties: ApplicationName, Code, Properties, DesiredState (RUNNING or READY), KeepSnapshots (1 to 900),
    and, optional, AllowNonRestoredState (true or false, default false), WaitMinutes (1 to 60, default 40).
    Attributes: ApplicationName, ApplicationStatus, ApplicationVersionId, PrunedSnapshots.

    On Delete the application is stopped by force where nothing else works: its snapshots go with it anyway.
    """

    client: FlinkClient
    now: Callable[[], datetime]

    def on_event(self, event: Mapping[str, object]) -> OnEventAnswer:
        """Check the properties; calls nothing, so that it may be repeated and cannot fail half-way.

        Raises :class:`~lambdas.common.custom_resource.RequestError`.
        """
        request = ResourceRequest.of(event)
        if request.type is RequestType.DELETE:
            return accepted(request.physical_id or "", self.now())
        key(request, CODE), key(request, PROPERTIES)
        _wish(request), patience(request)
        return accepted(f"{application_name(request)}-start", self.now())

    def is_complete(self, event: Mapping[str, object]) -> IsCompleteAnswer:
        """One step towards the state, and whether it is reached.

        Raises :class:`~lambdas.application_lifecycle.service.LifecycleError` when it will not be.
        """
        request = ResourceRequest.of(event)
        flink = FlinkApplication(self.client, application_name(request))
        waited = request.waited(self.now())
        try:
            progress = self._step(request, flink)
        except LaterError as error:
            LOGGER.warning("asking again later", extra=fields(application=flink.name, reason=str(error)))
            found = str(error)
        except DeniedError as error:
            if waited > ROLE_GRACE:
                raise
            LOGGER.warning("asking again later", extra=fields(application=flink.name, reason=str(error)))
            found = str(error)
        else:
            LOGGER.info("looked", extra=fields(application=flink.name, status=progress.status, done=progress.done))
            if progress.done:
                return self._done(request, flink, progress)
            found = f"it is {progress.status}"
        if waited > patience(request):
            raise LifecycleError(f"{flink.name} did not get there in {patience(request)} h:mm:ss: {found}")
        return incomplete()

    def _step(self, request: ResourceRequest, flink: FlinkApplication) -> Progress:
        if request.type is RequestType.DELETE:
            return goals.stop(flink, request.started(), force=True)
        wish = _wish(request)
        if wish.state == READY:
            return goals.stop(flink, request.started(), force=False)
        return goals.run(flink, request.started(), allow_non_restored_state=wish.allow_non_restored_state)

    def _done(self, request: ResourceRequest, flink: FlinkApplication, progress: Progress) -> IsCompleteAnswer:
        pruned = 0
        if request.type is not RequestType.DELETE and _wish(request).state == RUNNING:
            pruned = prune(flink, _wish(request).keep, self.now)
        return complete(
            ApplicationName=flink.name,
            ApplicationStatus=progress.status,
            ApplicationVersionId=str(progress.application.version if progress.application else 0),
            PrunedSnapshots=str(pruned),
        )


def _wish(request: ResourceRequest) -> _Wish:
    return _Wish(
        state=request.one_of(DESIRED, (RUNNING, READY)),
        allow_non_restored_state=request.one_of(ALLOW_NON_RESTORED_STATE, ("true", "false"), "false") == "true",
        keep=request.number(KEEP, 1, MAX_KEEP),
    )
