"""The application as the API shows it; a scripted client for the tests beside this one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.stub import Stubber

from lambdas.application_lifecycle.service import (
    SNAPSHOT,
    START,
    UPDATE,
    DeniedError,
    FlinkApplication,
    LaterError,
    RefusedError,
)

APP = "pipeline-dev"
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
#: Before and after the request.
OLD, OURS = NOW - timedelta(hours=1), NOW + timedelta(minutes=1)


@dataclass
class Clock:
    """A clock that the test moves."""

    time: datetime = NOW

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **by: float) -> None:
        self.time += timedelta(**by)


class StrictStubber(Stubber):  # type: ignore[misc]  # botocore has no types
    """Counts what is scripted and what is called.

    The stubber's own error for a call that is not scripted is one of botocore's, which code under test may handle.
    """

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self.scripted = 0
        self.called: list[str] = []
        self.activate()
        # an event before the one at which the stubber raises
        client.meta.events.register_first(
            "provide-client-params", lambda model, **_: self.called.append(model.name), unique_id="counted"
        )

    def add_response(self, *arguments: Any, **named: Any) -> None:
        self.scripted += 1
        super().add_response(*arguments, **named)

    def add_client_error(self, *arguments: Any, **named: Any) -> None:
        self.scripted += 1
        super().add_client_error(*arguments, **named)

    def assert_as_scripted(self) -> None:
        """Every scripted call was made, and no other."""
        self.assert_no_pending_responses()
        assert len(self.called) == self.scripted, self.called


class Msf:
    """A client of which every call is scripted, with its parameters, in order. Any other call fails the test."""

    def __init__(self) -> None:
        self.client = _session().client("kinesisanalyticsv2", region_name="us-east-1")
        self.stubber = StrictStubber(self.client)

    def is_(self, status: str, version: int = 7, **detail: int) -> None:
        """DescribeApplication answers."""
        found = {
            "ApplicationARN": f"arn:aws:kinesisanalytics:us-east-1:111122223333:application/{APP}",
            "ApplicationName": APP,
            "RuntimeEnvironment": "FLINK-1_20",
            "ApplicationStatus": status,
            "ApplicationVersionId": version,
            **detail,
        }
        self.stubber.add_response("describe_application", {"ApplicationDetail": found}, {"ApplicationName": APP})

    def is_absent(self) -> None:
        self.refuses("describe_application", "ResourceNotFoundException", ApplicationName=APP)

    def did(self, kind: str, *operations: tuple[str, str, datetime]) -> None:
        """ListApplicationOperations answers (id, status, start) in one page."""
        self.page(kind, operations)

    def page(
        self, kind: str, operations: tuple[tuple[str, str, datetime], ...], token: str = "", following: str = ""
    ) -> None:
        entries = [
            {"Operation": kind, "OperationId": name, "OperationStatus": status, "StartTime": time, "EndTime": time}
            for name, status, time in operations
        ]
        answer: dict[str, Any] = {"ApplicationOperationInfoList": entries}
        request: dict[str, Any] = {"ApplicationName": APP, "Operation": kind, "Limit": 50}
        self.stubber.add_response(
            "list_application_operations",
            answer | ({"NextToken": following} if following else {}),
            request | ({"NextToken": token} if token else {}),
        )

    def went(
        self,
        name: str,
        kind: str,
        status: str = "FAILED",
        error: str = "",
        rollback: str = "",
        updated_to: int | None = None,
    ) -> None:
        """DescribeApplicationOperation answers."""
        info: dict[str, Any] = {"Operation": kind, "OperationStatus": status, "StartTime": NOW, "EndTime": NOW}
        if updated_to:
            info["ApplicationVersionChangeDetails"] = {
                "ApplicationVersionUpdatedFrom": updated_to - 1,
                "ApplicationVersionUpdatedTo": updated_to,
            }
        failure: dict[str, Any] = {"ErrorInfo": {"ErrorString": error}} if error else {}
        if rollback:
            failure["RollbackOperationId"] = rollback
        if failure:
            info["OperationFailureDetails"] = failure
        self.stubber.add_response(
            "describe_application_operation",
            {"ApplicationOperationInfoDetails": info},
            {"ApplicationName": APP, "OperationId": name},
        )

    def starts(self, *, allow_non_restored_state: bool = False) -> None:
        self.stubber.add_response(
            "start_application", {"OperationId": "start"}, start_request(allow_non_restored_state)
        )

    def stops(self, *, force: bool) -> None:
        self.stubber.add_response("stop_application", {"OperationId": "stop"}, {"ApplicationName": APP, "Force": force})

    def creates(self, name: str) -> None:
        self.stubber.add_response("create_application_snapshot", {}, {"ApplicationName": APP, "SnapshotName": name})

    def has(self, name: str, status: str) -> None:
        """DescribeApplicationSnapshot answers."""
        self.stubber.add_response(
            "describe_application_snapshot",
            {"SnapshotDetails": snapshot(name, status, OURS)},
            {"ApplicationName": APP, "SnapshotName": name},
        )

    def has_not(self, name: str) -> None:
        self.refuses(
            "describe_application_snapshot", "ResourceNotFoundException", ApplicationName=APP, SnapshotName=name
        )

    def lists(self, *snapshots: dict[str, Any]) -> None:
        self.stubber.add_response(
            "list_application_snapshots",
            {"SnapshotSummaries": list(snapshots)},
            {"ApplicationName": APP, "Limit": 50},
        )

    def deletes(self, name: str, created: datetime) -> None:
        self.stubber.add_response(
            "delete_application_snapshot",
            {},
            {"ApplicationName": APP, "SnapshotName": name, "SnapshotCreationTimestamp": created},
        )

    def refuses(
        self, method: str, code: str, message: str = "told to", http_status: int = 400, **request: object
    ) -> None:
        self.stubber.add_client_error(
            method, code, message, http_status_code=http_status, expected_params=request or None
        )


@cache
def _session() -> Any:
    """One for all tests: reading the API's model anew for each takes most of their time."""
    return boto3.session.Session("testing", "testing")


def start_request(allow_non_restored_state: bool) -> dict[str, object]:
    return {
        "ApplicationName": APP,
        "RunConfiguration": {
            "ApplicationRestoreConfiguration": {"ApplicationRestoreType": "RESTORE_FROM_LATEST_SNAPSHOT"},
            "FlinkRunConfiguration": {"AllowNonRestoredState": allow_non_restored_state},
        },
    }


def snapshot(name: str, status: str, created: datetime) -> dict[str, Any]:
    return {
        "SnapshotName": name,
        "SnapshotStatus": status,
        "ApplicationVersionId": 7,
        "SnapshotCreationTimestamp": created,
    }


@pytest.fixture
def msf() -> Iterator[Msf]:
    scripted = Msf()
    yield scripted
    scripted.stubber.assert_as_scripted()


@pytest.fixture
def flink(msf: Msf) -> FlinkApplication:
    return FlinkApplication(msf.client, APP)


def test_operations_are_read_page_by_page_and_ordered_by_time_whatever_the_service_does(
    msf: Msf, flink: FlinkApplication
) -> None:
    msf.page(UPDATE, (("a", "FAILED", OLD), ("c", "IN_PROGRESS", OURS)), following="more")
    msf.page(UPDATE, (("b", "SUCCESSFUL", NOW),), token="more")  # noqa: S106 - a page's
    assert [operation.id for operation in flink.operations(UPDATE)] == ["c", "b", "a"]


def test_operations_before_the_request_are_left_out(msf: Msf, flink: FlinkApplication) -> None:
    msf.did(START, ("old", "FAILED", OLD), ("ours", "SUCCESSFUL", NOW))
    assert [operation.id for operation in flink.operations(START, NOW)] == ["ours"]


def test_an_operation_tells_its_error_its_rollback_and_the_version_it_made(msf: Msf, flink: FlinkApplication) -> None:
    msf.did(UPDATE, ("u", "FAILED", NOW))
    msf.went("u", UPDATE, error="no class Main", rollback="r", updated_to=8)
    (operation,) = flink.operations(UPDATE)
    detail = flink.detail(operation)
    assert (detail.error, detail.rollback_id, detail.updated_to) == ("no class Main", "r", 8)


def test_an_operation_that_says_nothing_is_said_to(msf: Msf, flink: FlinkApplication) -> None:
    msf.did(SNAPSHOT, ("s", "CANCELLED", NOW))
    msf.went("s", SNAPSHOT, status="CANCELLED")
    assert flink.reason(flink.operations(SNAPSHOT)[0]) == "CANCELLED: the service gives no reason"


def test_snapshots_are_read_page_by_page_newest_first(msf: Msf, flink: FlinkApplication) -> None:
    first = {"SnapshotSummaries": [snapshot("old", "READY", OLD)], "NextToken": "more"}
    untimed = {"SnapshotName": "untimed", "SnapshotStatus": "READY", "ApplicationVersionId": 1}
    second = {"SnapshotSummaries": [untimed, snapshot("new", "CREATING", NOW)]}
    msf.stubber.add_response("list_application_snapshots", first, {"ApplicationName": APP, "Limit": 50})
    msf.stubber.add_response(
        "list_application_snapshots", second, {"ApplicationName": APP, "Limit": 50, "NextToken": "more"}
    )
    assert [found.name for found in flink.snapshots()] == ["new", "old", "untimed"]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingException", 400),
        ("TooManyRequestsException", 429),
        ("ResourceInUseException", 400),
        ("ConcurrentModificationException", 400),
        ("ServiceUnavailable", 503),
        ("SomethingNew", 500),
    ],
)
def test_what_another_moment_may_answer_is_for_later(msf: Msf, flink: FlinkApplication, code: str, status: int) -> None:
    msf.refuses("stop_application", code, "busy", status)
    with pytest.raises(LaterError, match=f"StopApplication of {APP}: {code}: busy"):
        flink.stop(force=False)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("InvalidArgumentException", RefusedError),
        ("InvalidApplicationConfigurationException", RefusedError),
        ("LimitExceededException", RefusedError),
        ("ResourceNotFoundException", RefusedError),
        ("AccessDeniedException", DeniedError),
    ],
)
def test_what_no_moment_will_answer_is_refused_with_its_text(
    msf: Msf, flink: FlinkApplication, code: str, kind: type[Exception]
) -> None:
    msf.refuses("create_application_snapshot", code, "because")
    with pytest.raises(RefusedError, match=f"CreateApplicationSnapshot of {APP}: {code}: because") as caught:
        flink.create_snapshot("s")
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (EndpointConnectionError(endpoint_url="https://x"), LaterError),
        (ConnectTimeoutError(endpoint_url="https://x"), LaterError),
        (ReadTimeoutError(endpoint_url="https://x"), LaterError),
        (NoCredentialsError(), RefusedError),
    ],
)
def test_no_answer_is_for_later_and_no_credentials_are_not(error: Exception, kind: type[Exception]) -> None:
    class Broken:
        def describe_application(self, **_: object) -> object:
            raise error

    with pytest.raises(kind, match=f"DescribeApplication of {APP}"):
        FlinkApplication(Broken(), APP).describe()  # type: ignore[arg-type]
