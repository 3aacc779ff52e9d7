"""The custom resource before the application: a snapshot of what runs, or a clear word, and never a stuck rollback."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from lambdas.application_lifecycle import snapshot as entry
from lambdas.application_lifecycle.service import SNAPSHOT, DeniedError, LifecycleError
from lambdas.application_lifecycle.snapshotter import Snapshotter, snapshot_name
from lambdas.common.custom_resource import RequestError, ResourceRequest
from tests.unit.lambdas.test_application_lifecycle_service import APP, NOW, OLD, OURS, Clock, Msf, StrictStubber, msf

if TYPE_CHECKING:
    from tests.unit.lambdas.conftest import CapturedLogs

__all__ = ["msf"]

STACK = "arn:aws:cloudformation:us-east-1:111122223333:stack/analytics-dev/1"
WAITING: dict[str, object] = {"IsComplete": False}
NOT_NEEDED: dict[str, object] = {"IsComplete": True, "Data": {"SnapshotName": ""}}


class Stacks:
    """A CloudFormation client that is asked for the stack's events only where they decide."""

    def __init__(self) -> None:
        self.client = boto3.session.Session("testing", "testing").client("cloudformation", region_name="us-east-1")
        self.stubber = StrictStubber(self.client)

    def are(self, *statuses: str, token: str = "", following: str = "") -> None:
        """The events of the stack, newest first: its own statuses, and ``application`` for one of the application."""
        events = [
            {
                "StackId": STACK,
                "EventId": str(number),
                "StackName": "analytics-dev",
                "Timestamp": NOW,
                "ResourceType": "AWS::KinesisAnalyticsV2::Application"
                if status.startswith("application")
                else "AWS::CloudFormation::Stack",
                "PhysicalResourceId": {"application": APP, "application2": "another"}.get(status, STACK),
                "ResourceStatus": "UPDATE_IN_PROGRESS" if status.startswith("application") else status,
            }
            for number, status in enumerate(statuses)
        ]
        self.stubber.add_response(
            "describe_stack_events",
            {"StackEvents": events} | ({"NextToken": following} if following else {}),
            {"StackName": STACK} | ({"NextToken": token} if token else {}),
        )


DEPLOYS = ("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", "application", "UPDATE_ROLLBACK_IN_PROGRESS")
ROLLS_BACK = ("UPDATE_ROLLBACK_IN_PROGRESS", "application", *DEPLOYS)
#: The snapshot itself was what failed.
ROLLS_BACK_UNTOUCHED = ("UPDATE_ROLLBACK_IN_PROGRESS", "application2", *DEPLOYS)


def event(kind: str = "Update", since: float | None = NOW.timestamp(), **properties: str) -> dict[str, Any]:
    sent: dict[str, Any] = {
        "RequestType": kind,
        "RequestId": "7f0c",
        "StackId": STACK,
        "ResourceProperties": {"ApplicationName": APP, "Code": "0123abcd", "Properties": "4567cdef"} | properties,
        "OldResourceProperties": {"ApplicationName": APP, "Code": "old", "Properties": "old"},
        "PhysicalResourceId": f"{APP}-snapshot",
    }
    return sent | ({} if since is None else {"Since": since})


NAME = snapshot_name(ResourceRequest.of(event()))


@pytest.fixture(scope="module")
def cloudformation() -> Stacks:
    return Stacks()


@pytest.fixture
def stacks(cloudformation: Stacks) -> Iterator[Stacks]:
    yield cloudformation
    cloudformation.stubber.assert_as_scripted()


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW + timedelta(minutes=1))


@pytest.fixture
def snapshotter(msf: Msf, stacks: Stacks, clock: Clock) -> Snapshotter:
    return Snapshotter(msf.client, stacks.client, clock)


def taken() -> dict[str, object]:
    return {"IsComplete": True, "Data": {"SnapshotName": NAME}}


# --- the name -----------------------------------------------------------------------------------------------------


def test_the_name_is_a_function_of_application_code_properties_and_request() -> None:
    assert snapshot_name(ResourceRequest.of(event())) == NAME
    assert re.fullmatch(r"before-deploy-[0-9a-f]{32}", NAME)
    others = [
        event(ApplicationName="other"),
        event(Code="other"),
        event(Properties="other"),
        event() | {"RequestId": "other"},
        event(Code="0123abcd4567", Properties="cdef"),
    ]
    assert len({snapshot_name(ResourceRequest.of(other)) for other in others} | {NAME}) == 6
    # neither the type of the request nor when it came
    assert snapshot_name(ResourceRequest.of(event("Create", since=None))) == NAME


# --- what needs none ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["Create", "Delete"])
def test_create_and_delete_ask_the_service_nothing(snapshotter: Snapshotter, kind: str) -> None:
    assert snapshotter.on_event(event(kind, since=None))["PhysicalResourceId"] == f"{APP}-snapshot"
    assert snapshotter.is_complete(event(kind)) == NOT_NEEDED


def test_an_absent_application_needs_none(msf: Msf, snapshotter: Snapshotter) -> None:
    msf.is_absent()
    assert snapshotter.is_complete(event()) == NOT_NEEDED


@pytest.mark.parametrize("status", ["READY", "ROLLED_BACK"])
def test_a_stopped_application_needs_none(msf: Msf, snapshotter: Snapshotter, status: str) -> None:
    msf.is_(status)
    assert snapshotter.is_complete(event()) == NOT_NEEDED


# --- taking one ---------------------------------------------------------------------------------------------------


def test_a_running_application_is_snapshotted_and_waited_for(msf: Msf, snapshotter: Snapshotter) -> None:
    msf.is_("RUNNING")
    msf.has_not(NAME)
    msf.creates(NAME)
    assert snapshotter.is_complete(event()) == WAITING
    msf.is_("RUNNING")
    msf.has(NAME, "CREATING")
    assert snapshotter.is_complete(event()) == WAITING
    msf.is_("RUNNING")
    msf.has(NAME, "READY")
    assert snapshotter.is_complete(event()) == taken()


def test_a_snapshot_of_an_earlier_call_is_gone_on_with(msf: Msf, snapshotter: Snapshotter) -> None:
    # it was begun, and the answer was lost
    msf.is_("RUNNING")
    msf.has_not(NAME)
    msf.refuses(
        "create_application_snapshot", "ResourceInUseException", "exists", ApplicationName=APP, SnapshotName=NAME
    )
    assert snapshotter.is_complete(event()) == WAITING
    msf.is_("RUNNING")
    msf.has(NAME, "READY")
    assert snapshotter.is_complete(event()) == taken()


def test_a_snapshot_is_enough_although_the_application_scales_by_now(msf: Msf, snapshotter: Snapshotter) -> None:
    msf.is_("AUTOSCALING")
    msf.has(NAME, "READY")
    assert snapshotter.is_complete(event()) == taken()


@pytest.mark.parametrize("status", ["STARTING", "STOPPING", "UPDATING", "AUTOSCALING", "ROLLING_BACK", "MAINTENANCE"])
def test_an_application_in_between_is_waited_for(msf: Msf, snapshotter: Snapshotter, status: str) -> None:
    msf.is_(status)
    msf.has_not(NAME)
    assert snapshotter.is_complete(event()) == WAITING


@pytest.mark.parametrize("status", ["DELETING", "FORCE_STOPPING"])
def test_an_application_that_throws_its_state_away_is_an_error(
    msf: Msf, stacks: Stacks, snapshotter: Snapshotter, status: str
) -> None:
    msf.is_(status)
    msf.has_not(NAME)
    stacks.are(*DEPLOYS)
    with pytest.raises(LifecycleError, match=f"no snapshot of {APP} could be taken: it is {status}"):
        snapshotter.is_complete(event())


@pytest.mark.parametrize("code", ["ThrottlingException", "ResourceInUseException", "ConcurrentModificationException"])
def test_a_busy_service_is_asked_again(msf: Msf, snapshotter: Snapshotter, code: str) -> None:
    msf.refuses("describe_application", code)
    assert snapshotter.is_complete(event()) == WAITING
    msf.is_("RUNNING")
    msf.refuses("describe_application_snapshot", code)
    assert snapshotter.is_complete(event()) == WAITING
    msf.is_("RUNNING")
    msf.has_not(NAME)
    msf.refuses("create_application_snapshot", code)
    assert snapshotter.is_complete(event()) == WAITING


def test_a_right_that_is_missing_is_waited_for_while_it_may_spread(
    msf: Msf, snapshotter: Snapshotter, clock: Clock
) -> None:
    for method in ("describe_application", "create_application_snapshot"):
        clock.time = NOW + timedelta(minutes=1)
        for _ in range(2):
            if method != "describe_application":
                msf.is_("RUNNING")
                msf.has_not(NAME)
            msf.refuses(method, "AccessDeniedException", "not authorized")
        assert snapshotter.is_complete(event()) == WAITING
        clock.advance(minutes=2)
        with pytest.raises(DeniedError, match="not authorized"):
            snapshotter.is_complete(event())


# --- when none can be taken ---------------------------------------------------------------------------------------


def failed(msf: Msf) -> None:
    msf.is_("RUNNING")
    msf.has(NAME, "FAILED")
    msf.did(SNAPSHOT, ("old", "FAILED", OLD), ("s", "FAILED", OURS))
    msf.went("s", SNAPSHOT, error="Checkpoint expired before completing")


def unrecorded(msf: Msf) -> None:
    msf.is_("RUNNING")
    msf.has(NAME, "FAILED")
    msf.did(SNAPSHOT, ("of another deployment", "FAILED", OLD))


def refused(msf: Msf) -> None:
    msf.is_("RUNNING")
    msf.has_not(NAME)
    msf.refuses("create_application_snapshot", "InvalidRequestException", "the job is not healthy")


def full(msf: Msf) -> None:
    msf.is_("RUNNING")
    msf.has_not(NAME)
    msf.refuses("create_application_snapshot", "LimitExceededException", "1000 snapshots")


FAILURES = [
    (failed, "FAILED: Checkpoint expired before completing"),
    (unrecorded, "its status is FAILED, and the service gives no reason"),
    (refused, "InvalidRequestException: the job is not healthy"),
    (full, "LimitExceededException: 1000 snapshots"),
]


@pytest.mark.parametrize(("script", "reason"), FAILURES)
def test_a_deployment_fails_before_anything_changed_with_the_reason_and_the_way_out(
    msf: Msf, stacks: Stacks, snapshotter: Snapshotter, script: Callable[[Msf], None], reason: str
) -> None:
    script(msf)
    stacks.are(*DEPLOYS)
    with pytest.raises(LifecycleError, match=re.escape(reason)) as caught:
        snapshotter.is_complete(event())
    assert "The application was not changed" in str(caught.value)
    assert "deploy once with Snapshot = best-effort" in str(caught.value)


@pytest.mark.parametrize(("script", "reason"), FAILURES)
@pytest.mark.parametrize(
    ("events", "policy"),
    [
        (ROLLS_BACK, "required"),
        (ROLLS_BACK, "best-effort"),
        (("UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED", *ROLLS_BACK), "required"),
        (DEPLOYS, "best-effort"),
    ],
)
def test_what_cannot_be_snapshotted_is_stopped_where_the_change_must_go_on(
    msf: Msf,
    stacks: Stacks,
    snapshotter: Snapshotter,
    captured_logs: CapturedLogs,
    script: Callable[[Msf], None],
    reason: str,
    events: tuple[str, ...],
    policy: str,
) -> None:
    # Given a job that nobody can snapshot, and a stack that rolls it back, or settings that go on without
    sent = event(Snapshot=policy)
    script(msf)
    stacks.are(*events)
    # Then it is stopped by force, so that the service does not fail the update on a snapshot of its own
    msf.stops(force=True)
    assert snapshotter.is_complete(sent) == WAITING
    (line,) = captured_logs.lines("stopping without a snapshot")
    assert reason in str(line["reason"])
    # And the change goes on when it has stopped
    msf.is_("FORCE_STOPPING")
    msf.has_not(NAME)
    stacks.are(*events)
    assert snapshotter.is_complete(sent) == WAITING
    msf.is_("READY")
    assert snapshotter.is_complete(sent) == NOT_NEEDED


@pytest.mark.parametrize(("script", "reason"), FAILURES)
@pytest.mark.parametrize("policy", ["required", "best-effort"])
def test_a_rollback_leaves_an_application_running_that_the_deployment_had_not_changed(
    msf: Msf,
    stacks: Stacks,
    snapshotter: Snapshotter,
    captured_logs: CapturedLogs,
    script: Callable[[Msf], None],
    reason: str,
    policy: str,
) -> None:
    # nothing would start it again: the rollback touches neither the application nor the resource after it
    script(msf)
    stacks.are(*ROLLS_BACK_UNTOUCHED)
    assert snapshotter.is_complete(event(Snapshot=policy)) == NOT_NEEDED
    (line,) = captured_logs.lines("going on without a snapshot")
    assert reason in str(line["reason"])


def test_events_are_read_to_the_beginning_of_the_operation_and_no_further(
    msf: Msf, stacks: Stacks, snapshotter: Snapshotter
) -> None:
    failed(msf)
    stacks.are("UPDATE_ROLLBACK_IN_PROGRESS", "application2", following="older")
    stacks.are("application2", "application", "UPDATE_IN_PROGRESS", token="older", following="never read")  # noqa: S106
    msf.stops(force=True)
    assert snapshotter.is_complete(event()) == WAITING


def test_events_that_begin_nowhere_are_all_there_are(msf: Msf, stacks: Stacks, snapshotter: Snapshotter) -> None:
    failed(msf)
    stacks.are("application2")
    with pytest.raises(LifecycleError, match="Checkpoint expired"):
        snapshotter.is_complete(event())


def test_an_application_that_goes_away_by_itself_holds_nothing_up(
    msf: Msf, stacks: Stacks, snapshotter: Snapshotter
) -> None:
    msf.is_("DELETING")
    msf.has_not(NAME)
    stacks.are(*DEPLOYS)
    assert snapshotter.is_complete(event(Snapshot="best-effort")) == NOT_NEEDED


def test_a_rollback_snapshots_a_healthy_job_like_a_deployment(msf: Msf, snapshotter: Snapshotter) -> None:
    # the stack's status is not even asked for: there is nothing that it would decide
    msf.is_("RUNNING")
    msf.has_not(NAME)
    msf.creates(NAME)
    assert snapshotter.is_complete(event()) == WAITING
    msf.is_("RUNNING")
    msf.has(NAME, "READY")
    assert snapshotter.is_complete(event()) == taken()


@pytest.mark.parametrize("status", ["RUNNING", "STARTING", "UPDATING", "AUTOSCALING", "STOPPING"])
def test_a_rollback_waits_ten_minutes_and_no_longer(
    msf: Msf, stacks: Stacks, snapshotter: Snapshotter, clock: Clock, status: str
) -> None:
    clock.time = NOW + timedelta(minutes=10)
    msf.is_(status)
    msf.has(NAME, "CREATING")
    assert snapshotter.is_complete(event()) == WAITING
    clock.advance(seconds=1)
    msf.is_(status)
    msf.has(NAME, "CREATING")
    stacks.are(*ROLLS_BACK)
    stacks.are(*ROLLS_BACK)
    msf.stops(force=True)
    assert snapshotter.is_complete(event()) == WAITING


@pytest.mark.parametrize("status", ["MAINTENANCE", "ROLLING_BACK"])
def test_a_rollback_of_what_cannot_be_forced_goes_on_at_the_end_of_the_patience(
    msf: Msf, stacks: Stacks, snapshotter: Snapshotter, clock: Clock, captured_logs: CapturedLogs, status: str
) -> None:
    for minutes, asked, answer in ((9, 0, WAITING), (39, 2, WAITING), (41, 3, NOT_NEEDED)):
        clock.time = NOW + timedelta(minutes=minutes)
        msf.is_(status)
        msf.has_not(NAME)
        for _ in range(asked):
            stacks.are(*ROLLS_BACK)
        assert snapshotter.is_complete(event()) == answer
    assert len(captured_logs.lines("going on without a snapshot")) == 1


def test_a_rollback_that_the_service_is_too_busy_for_goes_on_at_the_end_of_the_patience(
    msf: Msf, stacks: Stacks, snapshotter: Snapshotter, clock: Clock
) -> None:
    clock.time = NOW + timedelta(minutes=41)
    msf.refuses("describe_application", "ThrottlingException")
    stacks.are(*ROLLS_BACK)
    assert snapshotter.is_complete(event()) == NOT_NEEDED


def test_a_deployment_waits_to_the_end_of_the_patience_and_says_why(
    msf: Msf, stacks: Stacks, snapshotter: Snapshotter, clock: Clock
) -> None:
    clock.time = NOW + timedelta(minutes=39)
    msf.is_("RUNNING")
    msf.has(NAME, "CREATING")
    stacks.are(*DEPLOYS)
    assert snapshotter.is_complete(event()) == WAITING
    clock.time = NOW + timedelta(minutes=41)
    msf.refuses("describe_application", "ThrottlingException", "too fast")
    stacks.are(*DEPLOYS)
    with pytest.raises(LifecycleError, match=r"no snapshot of pipeline-dev after 0:40:00 h:mm:ss: .*too fast"):
        snapshotter.is_complete(event())


def test_a_stack_whose_status_is_not_known_is_asked_for_again(
    msf: Msf, stacks: Stacks, snapshotter: Snapshotter, clock: Clock
) -> None:
    unrecorded(msf)
    stacks.stubber.add_client_error("describe_stack_events", "Throttling", http_status_code=400)
    assert snapshotter.is_complete(event()) == WAITING
    unrecorded(msf)
    stacks.stubber.add_client_error("describe_stack_events", "AccessDenied", "may not", http_status_code=403)
    clock.advance(minutes=2)
    with pytest.raises(DeniedError, match=r"whether this is a rollback is not known: .*may not"):
        snapshotter.is_complete(event())


# --- the door -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"ApplicationName": ""}, "property ApplicationName is ''"),
        ({"Code": ""}, "property Code is ''"),
        ({"Properties": ""}, "property Properties is ''"),
        ({"Snapshot": "never"}, "property Snapshot is 'never': allowed are required, best-effort"),
        ({"WaitMinutes": "soon"}, "property WaitMinutes is 'soon'"),
    ],
)
def test_a_bad_property_fails_before_anything_is_done(
    snapshotter: Snapshotter, properties: dict[str, str], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        snapshotter.on_event(event(since=None, **properties))


def test_the_entry_points_hand_on_to_one_resource_with_clients_of_the_services(
    msf: Msf, stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry.resource.cache_clear()
    made: Any = entry.resource()
    assert made.client.meta.service_model.service_name == "kinesisanalyticsv2"
    assert made.cloudformation.meta.service_model.service_name == "cloudformation"
    monkeypatch.setattr(entry, "resource", lambda: Snapshotter(msf.client, stacks.client, Clock()))
    answer = entry.on_event(event(since=None), None)
    assert answer == {"PhysicalResourceId": f"{APP}-snapshot", "Since": NOW.timestamp()}
    msf.is_("READY")
    assert entry.is_complete(event(since=None) | answer, None) == NOT_NEEDED
