"""Whole deployments: CloudFormation, the provider framework and the service played, the two resources real.

The service is played by its documented rules: what is allowed in which state, that an update of a running application
takes a snapshot of its own first, that a system rollback ends in RUNNING without telling CloudFormation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.application_lifecycle.service import START, STOP, UPDATE, LifecycleError
from lambdas.application_lifecycle.snapshotter import Snapshotter
from lambdas.application_lifecycle.starter import Starter
from tests.unit.lambdas.test_application_lifecycle_service import APP, Clock

STACK = "arn:aws:cloudformation:us-east-1:111122223333:stack/analytics-dev/1"
POLL = timedelta(seconds=20)
TOTAL = timedelta(minutes=45)


def refused(code: str, action: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "as played"}}, action)


@dataclass
class Service:
    """The managed service with one application.

    ``broken``: code that does not start; ``sick``: code of which no snapshot can be taken while it runs.
    """

    clock: Clock
    rollback: bool = True
    broken: set[str] = field(default_factory=set)
    sick: set[str] = field(default_factory=set)
    status: str | None = None
    configured: str = ""
    running: str | None = None
    restored: str | None = None
    version: int = 1
    rolled_back_from: int | None = None
    operations: list[dict[str, Any]] = field(default_factory=list)
    snapshots: list[dict[str, Any]] = field(default_factory=list)
    waiting: list[tuple[datetime, Callable[[], None]]] = field(default_factory=list)
    busy: int = 0

    # --- the API

    def describe_application(self, *, ApplicationName: str) -> Mapping[str, Any]:
        self._look("DescribeApplication")
        detail = {"ApplicationStatus": self.status, "ApplicationVersionId": self.version}
        if self.rolled_back_from:
            detail["ApplicationVersionRolledBackFrom"] = self.rolled_back_from
        return {"ApplicationDetail": detail}

    def list_application_operations(self, **request: Any) -> Mapping[str, Any]:
        self._look("ListApplicationOperations")
        found = [entry for entry in self.operations if entry["Operation"] == request["Operation"]]
        return {"ApplicationOperationInfoList": found}

    def describe_application_operation(self, *, ApplicationName: str, OperationId: str) -> Mapping[str, Any]:
        self._look("DescribeApplicationOperation")
        (found,) = (entry for entry in self.operations if entry["OperationId"] == OperationId)
        return {"ApplicationOperationInfoDetails": found}

    def start_application(self, **request: Any) -> Mapping[str, Any]:
        self._look(START)
        if self.status != "READY":
            raise refused("ResourceInUseException", START)
        self.status = "STARTING"
        self._later(60, lambda: self._came_up(operation))
        operation = self._operation(START)
        good = [snapshot["SnapshotName"] for snapshot in self.snapshots if snapshot["SnapshotStatus"] == "READY"]
        self.restored = good[-1] if good else None
        return {"OperationId": operation["OperationId"]}

    def stop_application(self, *, ApplicationName: str, Force: bool) -> Mapping[str, Any]:
        self._look(STOP)
        allowed = {"STARTING", "UPDATING", "STOPPING", "AUTOSCALING", "RUNNING"} if Force else {"RUNNING"}
        if self.status not in allowed:
            raise refused("InvalidRequestException", STOP)
        operation = self._operation(STOP)
        self.status = "FORCE_STOPPING" if Force else "STOPPING"
        self.waiting.clear()
        self._later(30, lambda: self._went_down(operation, Force))
        return {"OperationId": operation["OperationId"]}

    def create_application_snapshot(self, *, ApplicationName: str, SnapshotName: str) -> Mapping[str, Any]:
        self._look("CreateApplicationSnapshot")
        if self.status != "RUNNING":
            raise refused("InvalidRequestException", "CreateApplicationSnapshot")
        self._snapshot(SnapshotName)
        return {}

    def describe_application_snapshot(self, *, ApplicationName: str, SnapshotName: str) -> Mapping[str, Any]:
        self._look("DescribeApplicationSnapshot")
        for snapshot in self.snapshots:
            if snapshot["SnapshotName"] == SnapshotName:
                return {"SnapshotDetails": snapshot}
        raise refused("ResourceNotFoundException", "DescribeApplicationSnapshot")

    def list_application_snapshots(self, **request: Any) -> Mapping[str, Any]:
        self._look("ListApplicationSnapshots")
        return {"SnapshotSummaries": list(self.snapshots)}

    def delete_application_snapshot(
        self, *, ApplicationName: str, SnapshotName: str, SnapshotCreationTimestamp: datetime
    ) -> Mapping[str, Any]:
        self._look("DeleteApplicationSnapshot")
        self.snapshots = [snapshot for snapshot in self.snapshots if snapshot["SnapshotName"] != SnapshotName]
        return {}

    # --- what CloudFormation does to it

    def create(self, code: str) -> None:
        self.status, self.configured = "READY", code

    def update(self, code: str) -> None:
        """UpdateApplication; raises, as CloudFormation fails, when the service's own snapshot fails."""
        operation = self._operation(UPDATE)
        if self.status == "RUNNING" and self.running in self.sick:
            self._failed(operation, "the snapshot failed")
            raise LifecycleError("update: the snapshot failed")
        assert self.status in ("READY", "RUNNING")
        old, self.configured = self.configured, code
        self.version += 1
        operation["ApplicationVersionChangeDetails"] = {"ApplicationVersionUpdatedTo": self.version}
        if self.status == "READY":
            operation["OperationStatus"] = "SUCCESSFUL"
            return
        self.status = "UPDATING"
        self._snapshot(f"automatic-{self.version}")
        self._later(60, lambda: self._updated(operation, old))

    # --- how it goes on

    def pass_time(self) -> None:
        due = [entry for entry in self.waiting if entry[0] <= self.clock()]
        for entry in due:
            self.waiting.remove(entry)
            entry[1]()

    def _look(self, action: str) -> None:
        self.pass_time()
        if self.busy:
            self.busy -= 1
            raise refused("ThrottlingException", action)
        if self.status is None:
            raise refused("ResourceNotFoundException", action)

    def _later(self, seconds: int, then: Callable[[], None]) -> None:
        self.waiting.append((self.clock() + timedelta(seconds=seconds), then))

    def _operation(self, kind: str) -> dict[str, Any]:
        made: dict[str, Any] = {
            "Operation": kind,
            "OperationId": f"{kind}-{len(self.operations)}",
            "OperationStatus": "IN_PROGRESS",
            "StartTime": self.clock(),
        }
        self.operations.append(made)
        return made

    def _failed(self, operation: dict[str, Any], error: str) -> None:
        operation["OperationStatus"] = "FAILED"
        operation["OperationFailureDetails"] = {"ErrorInfo": {"ErrorString": error}}

    def _came_up(self, operation: dict[str, Any]) -> None:
        if self.configured in self.broken:
            self.status = "READY"
            self._failed(operation, f"{self.configured} does not start")
        else:
            self.status, self.running, operation["OperationStatus"] = "RUNNING", self.configured, "SUCCESSFUL"

    def _went_down(self, operation: dict[str, Any], force: bool) -> None:
        if not force and self.running in self.sick:
            self.status = "RUNNING"
            self._failed(operation, "the snapshot failed")
            return
        if not force:
            self.snapshots.append(
                {"SnapshotName": f"stop-{len(self.operations)}", "SnapshotStatus": "READY", **self._made()}
            )
        self.status, self.running, operation["OperationStatus"] = "READY", None, "SUCCESSFUL"

    def _updated(self, operation: dict[str, Any], old: str) -> None:
        if self.configured not in self.broken:
            self.status, self.running, operation["OperationStatus"] = "RUNNING", self.configured, "SUCCESSFUL"
            return
        self._failed(operation, f"{self.configured} does not start")
        if self.rollback:
            operation["OperationFailureDetails"]["RollbackOperationId"] = "rollback"
            self.rolled_back_from, self.version = self.version, self.version + 1
            self.status, self.running, self.configured = "RUNNING", old, old
        else:
            self.status, self.running = "READY", None

    def _snapshot(self, name: str) -> None:
        made = {"SnapshotName": name, "SnapshotStatus": "CREATING", **self._made()}
        self.snapshots.append(made)
        sick = self.running in self.sick
        self._later(30, lambda: made.update(SnapshotStatus="FAILED" if sick else "READY"))

    def _made(self) -> dict[str, Any]:
        return {"SnapshotCreationTimestamp": self.clock()}


@dataclass
class CloudFormation:
    """A stack of three resources, in their order, with the framework that calls ours."""

    service: Service
    properties: dict[str, str] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    requests: int = 0

    def __post_init__(self) -> None:
        clock = self.service.clock
        self.before = Snapshotter(self.service, self, clock)
        self.after = Starter(self.service, clock)

    def describe_stack_events(self, **request: Any) -> Mapping[str, Any]:
        return {"StackEvents": self.events[::-1]}

    def create(self, code: str) -> None:
        self._event("CREATE_IN_PROGRESS")
        wanted = self._wanted(code)
        self._call(self.before, "Create", wanted, {})
        self.service.create(code)
        self._call(self.after, "Create", wanted, {})
        self._event("CREATE_COMPLETE")
        self.properties = wanted

    def update(self, code: str, **more: str) -> str | None:
        """A deployment; the text of what failed it, when it was rolled back."""
        old, wanted = self.properties, self._wanted(code) | more
        self._event("UPDATE_IN_PROGRESS")
        touched: list[str] = []
        try:
            self._change(wanted, old, touched)
        except LifecycleError as error:
            self._event("UPDATE_ROLLBACK_IN_PROGRESS")
            self._change(old, wanted, [], only=touched)  # raises where the rollback itself fails
            self._event("UPDATE_ROLLBACK_COMPLETE")
            return str(error)
        self._event("UPDATE_COMPLETE")
        self.properties = wanted
        return None

    def delete(self) -> None:
        self._event("DELETE_IN_PROGRESS")
        self._call(self.after, "Delete", self.properties, {})
        assert self.service.status in ("READY", None)
        self.service.status = None
        self._call(self.before, "Delete", self.properties, {})

    def _change(
        self, wanted: dict[str, str], old: dict[str, str], touched: list[str], only: list[str] | None = None
    ) -> None:
        steps: dict[str, Callable[[], None]] = {
            "before": lambda: self._call(self.before, "Update", wanted, old),
            "application": lambda: self._update_application(wanted["Code"]),
            "after": lambda: self._call(self.after, "Update", wanted, old),
        }
        for name, step in steps.items():
            if only is None or name in only:
                touched.append(name)
                step()

    def _update_application(self, code: str) -> None:
        self._event("UPDATE_IN_PROGRESS", "AWS::KinesisAnalyticsV2::Application", APP)
        self.service.update(code)

    def _wanted(self, code: str) -> dict[str, str]:
        return {
            "ApplicationName": APP,
            "Code": code,
            "Properties": "p",
            "DesiredState": "RUNNING",
            "KeepSnapshots": "3",
        }

    def _event(self, status: str, kind: str = "AWS::CloudFormation::Stack", name: str = STACK) -> None:
        self.events.append({"ResourceType": kind, "PhysicalResourceId": name, "ResourceStatus": status})

    def _call(self, resource: Snapshotter | Starter, kind: str, wanted: dict[str, str], old: dict[str, str]) -> None:
        """As the framework does: merge, hand through JSON, poll, and refuse Data before the end."""
        self.requests += 1
        name = f"{APP}-snapshot" if resource is self.before else f"{APP}-start"
        event: dict[str, Any] = {
            "RequestType": kind,
            "RequestId": f"request-{self.requests}",
            "StackId": STACK,
            "ResourceProperties": wanted,
            "OldResourceProperties": old,
        } | ({} if kind == "Create" else {"PhysicalResourceId": name})
        clock, begun = self.service.clock, self.service.clock()
        merged = json.loads(json.dumps(event | resource.on_event(event)))
        assert merged["PhysicalResourceId"] == name
        while True:
            answer = json.loads(json.dumps(resource.is_complete(merged)))
            if answer["IsComplete"]:
                assert all(isinstance(value, str) for value in answer["Data"].values())
                return
            assert "Data" not in answer
            clock.advance(seconds=POLL.total_seconds())
            assert clock() - begun < TOTAL, "the framework's own timeout, which has no reason"


@pytest.fixture
def service() -> Service:
    return Service(Clock())


@pytest.fixture
def stack(service: Service) -> CloudFormation:
    made = CloudFormation(service)
    made.create("v1")
    return made


def names(service: Service) -> list[str]:
    return [snapshot["SnapshotName"] for snapshot in service.snapshots]


def test_a_first_deployment_comes_up_running(stack: CloudFormation, service: Service) -> None:
    assert (service.status, service.running, service.restored) == ("RUNNING", "v1", None)


def test_an_update_is_snapshotted_before_and_runs_after(stack: CloudFormation, service: Service) -> None:
    assert stack.update("v2") is None
    assert (service.status, service.running) == ("RUNNING", "v2")
    assert names(service)[0].startswith("before-deploy-")
    assert names(service)[1] == "automatic-2"


def test_every_call_may_be_throttled_once(stack: CloudFormation, service: Service) -> None:
    for throttled in range(1, 6):
        service.busy = throttled
        assert stack.update(f"w{throttled}") is None
        assert service.running == f"w{throttled}"


def test_twenty_updates_leave_the_snapshots_that_are_kept(stack: CloudFormation, service: Service) -> None:
    for number in range(20):
        assert stack.update(f"w{number}") is None
    assert len(names(service)) == 3
    assert names(service)[-1] == f"automatic-{service.version}"


def test_a_stopped_application_is_updated_and_started_from_what_its_stop_left(
    stack: CloudFormation, service: Service
) -> None:
    service.stop_application(ApplicationName=APP, Force=False)
    assert stack.update("v2") is None
    assert (service.running, service.restored) == ("v2", "stop-2")


def test_a_silent_system_rollback_fails_the_deployment_and_ends_in_the_old_code(
    stack: CloudFormation, service: Service
) -> None:
    service.broken = {"v2"}
    reason = stack.update("v2")
    assert reason is not None
    assert "rolled back by the service" in reason
    assert "v2 does not start" in reason
    assert (service.status, service.running) == ("RUNNING", "v1")
    # and the next good one goes through, although the application still tells of the rollback
    assert service.rolled_back_from is not None
    assert stack.update("v3") is None
    assert service.running == "v3"


def test_code_that_does_not_start_ends_in_the_old_code_from_the_snapshot_before(
    stack: CloudFormation, service: Service
) -> None:
    service.broken, service.rollback = {"v2"}, False
    reason = stack.update("v2")
    assert reason is not None
    assert "did not start: FAILED: v2 does not start" in reason
    assert (service.status, service.running) == ("RUNNING", "v1")
    assert service.restored == "automatic-2"


def test_a_sick_job_fails_the_deployment_and_goes_on_running(stack: CloudFormation, service: Service) -> None:
    service.sick = {"v1"}
    reason = stack.update("v2")
    assert reason is not None
    assert "no snapshot of pipeline-dev could be taken" in reason
    assert (service.status, service.running) == ("RUNNING", "v1")
    assert not any(operation["Operation"] in (STOP, UPDATE) for operation in service.operations)


def test_a_sick_job_is_replaced_where_the_deployment_says_so(stack: CloudFormation, service: Service) -> None:
    assert stack.update("v2") is None
    service.sick = {"v2"}
    assert stack.update("v3", Snapshot="best-effort") is None
    assert (service.status, service.running, service.restored) == ("RUNNING", "v3", "automatic-2")


def test_a_deployment_that_runs_and_is_sick_is_rolled_back_all_the_same(
    stack: CloudFormation, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given code that runs and cannot be snapshotted, and something else in the stack that fails after it
    service.sick = {"v2"}
    call = stack._call

    def fails_after(resource: Snapshotter | Starter, kind: str, wanted: dict[str, str], old: dict[str, str]) -> None:
        call(resource, kind, wanted, old)
        if resource is stack.after and wanted["Code"] == "v2":
            raise LifecycleError("an alarm could not be made")

    monkeypatch.setattr(stack, "_call", fails_after)
    # Then the rollback stops it by force, and the old code goes on from the snapshot before the deployment
    assert stack.update("v2") == "an alarm could not be made"
    assert (service.status, service.running, service.restored) == ("RUNNING", "v1", "automatic-2")


@pytest.mark.parametrize("sick", [False, True])
@pytest.mark.parametrize("state", ["RUNNING", "STARTING", "AUTOSCALING", "UPDATING", "READY", "STOPPING", None])
def test_a_stack_is_deleted_from_any_state(
    stack: CloudFormation, service: Service, state: str | None, sick: bool
) -> None:
    service.sick = {"v1"} if sick else set()
    if state == "STOPPING":
        service.stop_application(ApplicationName=APP, Force=False)
    else:
        service.status = state
    stack.delete()
    assert service.status is None
