"""One application of Managed Service for Apache Flink: what it is, what was done to it, what can be done.

Shapes and enums are those of ``kinesisanalyticsv2`` in botocore 1.44.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

T = TypeVar("T")

READY, RUNNING, AUTOSCALING = "READY", "RUNNING", "AUTOSCALING"
STARTING, STOPPING, UPDATING, FORCE_STOPPING = "STARTING", "STOPPING", "UPDATING", "FORCE_STOPPING"
ROLLING_BACK, ROLLED_BACK, MAINTENANCE, DELETING = "ROLLING_BACK", "ROLLED_BACK", "MAINTENANCE", "DELETING"

#: Processing. An application that scales goes on afterwards without being asked.
UP = frozenset({RUNNING, AUTOSCALING})
#: Not processing, and staying so. ROLLED_BACK: a rollback of an application that was stopped.
DOWN = frozenset({READY, ROLLED_BACK})
#: States in which StopApplication takes ``Force`` (its API page).
FORCEABLE = frozenset({STARTING, UPDATING, STOPPING, AUTOSCALING, RUNNING})

IN_PROGRESS, SUCCESSFUL = "IN_PROGRESS", "SUCCESSFUL"
START, STOP, UPDATE = "StartApplication", "StopApplication", "UpdateApplication"
SNAPSHOT = "CreateApplicationSnapshot"

SNAPSHOT_READY, SNAPSHOT_CREATING, SNAPSHOT_FAILED = "READY", "CREATING", "FAILED"

_PAGE = 50

_NOT_FOUND = "ResourceNotFoundException"
_DENIED = "AccessDeniedException"
# What another moment may answer otherwise: somebody else's change is under way, or too many calls.
_LATER = frozenset(
    {
        "ResourceInUseException",
        "ConcurrentModificationException",
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "InternalFailure",
    }
)


class LifecycleError(Exception):
    """The application is not, and will not by waiting be, as it is wanted; the text says why and what to do."""


class RefusedError(LifecycleError):
    """The service refused a call for good: its code and text."""


class DeniedError(RefusedError):
    """The role may not make the call; right after the role was made, only not yet."""


class LaterError(Exception):
    """The service did not take a call now; the same call may pass at the next poll."""


class FlinkClient(Protocol):
    """What is used of boto3's ``kinesisanalyticsv2`` client."""

    def describe_application(self, *, ApplicationName: str) -> Mapping[str, Any]:
        """Status and versions."""
        ...

    def list_application_operations(self, **request: Any) -> Mapping[str, Any]:
        """What was done to the application, a page at a time."""
        ...

    def describe_application_operation(self, *, ApplicationName: str, OperationId: str) -> Mapping[str, Any]:
        """One operation with the text of its failure."""
        ...

    def start_application(self, **request: Any) -> Mapping[str, Any]:
        """Begin to start it."""
        ...

    def stop_application(self, *, ApplicationName: str, Force: bool) -> Mapping[str, Any]:
        """Begin to stop it."""
        ...

    def create_application_snapshot(self, *, ApplicationName: str, SnapshotName: str) -> Mapping[str, Any]:
        """Begin to take a snapshot."""
        ...

    def describe_application_snapshot(self, *, ApplicationName: str, SnapshotName: str) -> Mapping[str, Any]:
        """One snapshot."""
        ...

    def list_application_snapshots(self, **request: Any) -> Mapping[str, Any]:
        """The snapshots, a page at a time."""
        ...

    def delete_application_snapshot(
        self, *, ApplicationName: str, SnapshotName: str, SnapshotCreationTimestamp: datetime
    ) -> Mapping[str, Any]:
        """Delete a snapshot."""
        ...


@dataclass(frozen=True)
class Application:
    """What DescribeApplication says; ``rolled_back_from`` is the version that a rollback left."""

    status: str
    version: int
    updated_from: int | None
    rolled_back_from: int | None


@dataclass(frozen=True)
class Operation:
    """Something that was done to the application."""

    id: str
    status: str
    started: datetime

    @property
    def failed(self) -> bool:
        """Whether it ended without success (FAILED or CANCELLED)."""
        return self.status not in (IN_PROGRESS, SUCCESSFUL)


@dataclass(frozen=True)
class OperationDetail:
    """How an operation went: the service's text of a failure (or None), its own rollback, the version it made."""

    error: str | None
    rollback_id: str | None
    updated_to: int | None


@dataclass(frozen=True)
class Snapshot:
    """A snapshot of the application's state."""

    name: str
    status: str
    created: datetime


@dataclass(frozen=True)
class FlinkApplication:
    """The application ``name`` through ``client``.

    Every method raises :class:`LaterError` when the service is busy, and :class:`RefusedError` (of an absent
    application or role right: of its own kind) when it refuses.
    """

    client: FlinkClient
    name: str

    def describe(self) -> Application | None:
        """What it is now; None when there is none of that name."""
        answer = self._find("DescribeApplication", lambda: self.client.describe_application(ApplicationName=self.name))
        if answer is None:
            return None
        detail = answer["ApplicationDetail"]
        return Application(
            status=detail["ApplicationStatus"],
            version=detail["ApplicationVersionId"],
            updated_from=detail.get("ApplicationVersionUpdatedFrom"),
            rolled_back_from=detail.get("ApplicationVersionRolledBackFrom"),
        )

    def operations(self, kind: str, since: datetime | None = None) -> list[Operation]:
        """Operations of one kind that began at or after ``since``, newest first."""
        found: list[Operation] = []
        request: dict[str, Any] = {"ApplicationName": self.name, "Operation": kind, "Limit": _PAGE}
        while True:
            page = self._call("ListApplicationOperations", lambda: self.client.list_application_operations(**request))
            for entry in page.get("ApplicationOperationInfoList", ()):
                operation = Operation(entry["OperationId"], entry["OperationStatus"], _utc(entry["StartTime"]))
                if since is None or operation.started >= since:
                    found.append(operation)
            if not page.get("NextToken"):
                break
            request["NextToken"] = page["NextToken"]
        return sorted(found, key=lambda operation: operation.started, reverse=True)

    def detail(self, operation: Operation) -> OperationDetail:
        """How ``operation`` went."""
        answer = self._call(
            "DescribeApplicationOperation",
            lambda: self.client.describe_application_operation(ApplicationName=self.name, OperationId=operation.id),
        )
        info = answer["ApplicationOperationInfoDetails"]
        failure = info.get("OperationFailureDetails", {})
        return OperationDetail(
            error=failure.get("ErrorInfo", {}).get("ErrorString"),
            rollback_id=failure.get("RollbackOperationId"),
            updated_to=info.get("ApplicationVersionChangeDetails", {}).get("ApplicationVersionUpdatedTo"),
        )

    def reason(self, operation: Operation) -> str:
        """Status of ``operation`` and the service's own words about it."""
        return f"{operation.status}: {self.detail(operation).error or 'the service gives no reason'}"

    def start(self, *, allow_non_restored_state: bool) -> None:
        """Start from the latest snapshot; without one, without state.

        ``allow_non_restored_state``: go on although the snapshot holds state of operators that are gone.
        """
        self._call(
            START,
            lambda: self.client.start_application(
                ApplicationName=self.name,
                RunConfiguration={
                    "ApplicationRestoreConfiguration": {"ApplicationRestoreType": "RESTORE_FROM_LATEST_SNAPSHOT"},
                    "FlinkRunConfiguration": {"AllowNonRestoredState": allow_non_restored_state},
                },
            ),
        )

    def stop(self, *, force: bool) -> None:
        """Stop with a snapshot, or by force without one: then work since the last snapshot is done again."""
        self._call(STOP, lambda: self.client.stop_application(ApplicationName=self.name, Force=force))

    def create_snapshot(self, snapshot: str) -> None:
        """Begin a snapshot of that name."""
        self._call(
            SNAPSHOT,
            lambda: self.client.create_application_snapshot(ApplicationName=self.name, SnapshotName=snapshot),
        )

    def snapshot(self, snapshot: str) -> Snapshot | None:
        """The snapshot of that name, or None."""
        answer = self._find(
            "DescribeApplicationSnapshot",
            lambda: self.client.describe_application_snapshot(ApplicationName=self.name, SnapshotName=snapshot),
        )
        return None if answer is None else _snapshot(answer["SnapshotDetails"])

    def snapshots(self) -> list[Snapshot]:
        """Every snapshot, newest first."""
        found: list[Snapshot] = []
        request: dict[str, Any] = {"ApplicationName": self.name, "Limit": _PAGE}
        while True:
            page = self._call("ListApplicationSnapshots", lambda: self.client.list_application_snapshots(**request))
            found += [_snapshot(entry) for entry in page.get("SnapshotSummaries", ())]
            if not page.get("NextToken"):
                break
            request["NextToken"] = page["NextToken"]
        return sorted(found, key=lambda snapshot: snapshot.created, reverse=True)

    def delete_snapshot(self, snapshot: Snapshot) -> None:
        """Delete it; one that is gone already is no error."""
        self._find(
            "DeleteApplicationSnapshot",
            lambda: self.client.delete_application_snapshot(
                ApplicationName=self.name, SnapshotName=snapshot.name, SnapshotCreationTimestamp=snapshot.created
            ),
        )

    def _find(self, action: str, call: Callable[[], T]) -> T | None:
        """What ``call`` answers, or None when what it asks for is not there."""
        try:
            return self._call(action, call)
        except RefusedError as error:
            if isinstance(error.__cause__, ClientError) and _code(error.__cause__) == _NOT_FOUND:
                return None
            raise

    def _call(self, action: str, call: Callable[[], T]) -> T:
        try:
            return call()
        except ClientError as error:
            code = _code(error)
            text = f"{action} of {self.name}: {code}: {error.response['Error'].get('Message', '')}"
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if code in _LATER or status >= 500:
                raise LaterError(text) from error
            raise (DeniedError if code == _DENIED else RefusedError)(text) from error
        except (HTTPClientError, NoConnectionError) as error:  # no connection, or no answer in time
            raise LaterError(f"{action} of {self.name}: {error}") from error
        except BotoCoreError as error:
            raise RefusedError(f"{action} of {self.name}: {error}") from error


def _code(error: ClientError) -> str:
    return str(error.response["Error"].get("Code", ""))


def _snapshot(entry: Mapping[str, Any]) -> Snapshot:
    # the time is optional in the API's shape; without one a snapshot counts as the oldest
    created = entry.get("SnapshotCreationTimestamp") or datetime.fromtimestamp(0, UTC)
    return Snapshot(entry["SnapshotName"], entry["SnapshotStatus"], _utc(created))


def _utc(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)
