"""The custom resource after the application, through every state and answer of the service."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from lambdas.application_lifecycle import start
from lambdas.application_lifecycle.service import START, STOP, UPDATE, DeniedError, LifecycleError, RefusedError
from lambdas.application_lifecycle.starter import Starter
from lambdas.common.custom_resource import RequestError
from tests.unit.lambdas.test_application_lifecycle_service import APP, NOW, OLD, OURS, Clock, Msf, msf, snapshot

if TYPE_CHECKING:
    from tests.unit.lambdas.conftest import CapturedLogs

__all__ = ["msf"]

STATES = (
    "DELETING",
    "STARTING",
    "STOPPING",
    "READY",
    "RUNNING",
    "UPDATING",
    "AUTOSCALING",
    "FORCE_STOPPING",
    "ROLLING_BACK",
    "MAINTENANCE",
    "ROLLED_BACK",
)
PROPERTIES = {
    "ServiceToken": "arn:aws:lambda:us-east-1:111122223333:function:provider",
    "ApplicationName": APP,
    "Code": "0123abcd",
    "Properties": "4567cdef",
    "DesiredState": "RUNNING",
    "KeepSnapshots": "3",
}
WAITING: dict[str, object] = {"IsComplete": False}


def event(kind: str = "Update", since: float | None = NOW.timestamp(), **properties: str) -> dict[str, Any]:
    """What the framework sends to ``is_complete``; without ``since``, what it sends to ``on_event``."""
    sent: dict[str, Any] = {
        "RequestType": kind,
        "RequestId": "7f0c",
        "StackId": "arn:aws:cloudformation:us-east-1:111122223333:stack/analytics-dev/1",
        "ResourceProperties": PROPERTIES | properties,
        "PhysicalResourceId": f"{APP}-start",
    }
    return sent | ({} if since is None else {"Since": since})


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW + timedelta(minutes=1))


@pytest.fixture
def starter(msf: Msf, clock: Clock) -> Starter:
    return Starter(msf.client, clock)


def done(status: str = "RUNNING", version: int = 7, pruned: int = 0) -> dict[str, object]:
    return {
        "IsComplete": True,
        "Data": {
            "ApplicationName": APP,
            "ApplicationStatus": status,
            "ApplicationVersionId": str(version),
            "PrunedSnapshots": str(pruned),
        },
    }


# --- every state under every wish ---------------------------------------------------------------------------------

Script = Callable[[Msf], None]


def nothing(_: Msf) -> None:
    return


def fresh_start(msf: Msf) -> None:
    msf.did(START)
    msf.starts()


def held_update(msf: Msf) -> None:
    msf.did(UPDATE)
    msf.lists()


def graceful_stop(msf: Msf) -> None:
    msf.did(STOP)
    msf.stops(force=False)


def forced_stop(msf: Msf) -> None:
    msf.stops(force=True)


def no_update(msf: Msf) -> None:
    msf.did(UPDATE)
    fresh_start(msf)


RUN: dict[str, tuple[Script, str]] = {
    "READY": (fresh_start, "wait"),
    "ROLLED_BACK": (fresh_start, "wait"),
    "RUNNING": (held_update, "done"),
    "AUTOSCALING": (held_update, "done"),
    "DELETING": (nothing, "is being deleted"),
    "STARTING": (nothing, "wait"),
    "STOPPING": (nothing, "wait"),
    "UPDATING": (nothing, "wait"),
    "FORCE_STOPPING": (nothing, "wait"),
    "ROLLING_BACK": (nothing, "wait"),
    "MAINTENANCE": (nothing, "wait"),
}
RUN["ROLLED_BACK"] = (no_update, "wait")
REST: dict[str, tuple[Script, str]] = dict.fromkeys(STATES, (nothing, "wait")) | {
    "READY": (nothing, "done"),
    "ROLLED_BACK": (nothing, "done"),
    "RUNNING": (graceful_stop, "wait"),
}
REMOVE: dict[str, tuple[Script, str]] = REST | {
    "DELETING": (nothing, "done"),
    "STARTING": (forced_stop, "wait"),
    "UPDATING": (forced_stop, "wait"),
    "AUTOSCALING": (forced_stop, "wait"),
}
TABLE = [
    *(("Create", "RUNNING", state, *RUN[state]) for state in STATES),
    *(("Update", "RUNNING", state, *RUN[state]) for state in STATES),
    *(("Create", "READY", state, *REST[state]) for state in STATES),
    *(("Update", "READY", state, *REST[state]) for state in STATES),
    *(("Delete", "RUNNING", state, *REMOVE[state]) for state in STATES),
    *(("Delete", "READY", state, *REMOVE[state]) for state in STATES),
]


@pytest.mark.parametrize(("kind", "desired", "state", "script", "outcome"), TABLE)
def test_each_state_has_its_one_step(
    msf: Msf, starter: Starter, kind: str, desired: str, state: str, script: Script, outcome: str
) -> None:
    msf.is_(state)
    script(msf)
    sent = event(kind, DesiredState=desired)
    if outcome == "wait":
        assert starter.is_complete(sent) == WAITING
    elif outcome == "done":
        assert starter.is_complete(sent) == done(state)
    else:
        with pytest.raises(LifecycleError, match=outcome):
            starter.is_complete(sent)


def test_the_states_are_those_of_the_api(msf: Msf) -> None:
    shape = msf.client.meta.service_model.shape_for("ApplicationStatus")
    assert sorted(STATES) == sorted(shape.enum)


@pytest.mark.parametrize(("kind", "desired"), [("Delete", "RUNNING"), ("Create", "READY")])
def test_an_absent_application_is_stopped(msf: Msf, starter: Starter, kind: str, desired: str) -> None:
    msf.is_absent()
    assert starter.is_complete(event(kind, DesiredState=desired)) == done("absent", version=0)


def test_an_absent_application_cannot_run(msf: Msf, starter: Starter) -> None:
    msf.is_absent()
    with pytest.raises(LifecycleError, match=f"there is no application {APP}: deploy it first"):
        starter.is_complete(event("Create"))


# --- on_event -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
def test_taking_a_request_calls_nothing_and_may_be_repeated(starter: Starter, clock: Clock, kind: str) -> None:
    answer = {"PhysicalResourceId": f"{APP}-start", "Since": clock().timestamp()}
    assert starter.on_event(event(kind, since=None)) == answer
    assert starter.on_event(event(kind, since=None)) == answer


def test_another_application_is_another_resource(starter: Starter) -> None:
    # CloudFormation then sends a Delete for the old one
    assert starter.on_event(event(since=None, ApplicationName="other"))["PhysicalResourceId"] == "other-start"


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"ApplicationName": "a b"}, "property ApplicationName is 'a b': allowed are 1 to 128"),
        ({"Code": ""}, "property Code is ''"),
        ({"Properties": "ü"}, "property Properties is 'ü'"),
        ({"DesiredState": "running"}, "property DesiredState is 'running': allowed are RUNNING, READY"),
        ({"KeepSnapshots": "0"}, "property KeepSnapshots is '0': allowed is a whole number from 1 to 900"),
        ({"KeepSnapshots": "many"}, "property KeepSnapshots is 'many'"),
        ({"AllowNonRestoredState": "yes"}, "property AllowNonRestoredState is 'yes': allowed are true, false"),
        ({"WaitMinutes": "61"}, "property WaitMinutes is '61': allowed is a whole number from 1 to 60"),
    ],
)
def test_a_bad_property_fails_before_anything_is_done(
    starter: Starter, properties: dict[str, str], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        starter.on_event(event(since=None, **properties))


def test_a_bad_property_does_not_hinder_a_delete(msf: Msf, starter: Starter) -> None:
    sent = event("Delete", since=None, DesiredState="?", KeepSnapshots="?")
    assert starter.on_event(sent)["PhysicalResourceId"] == f"{APP}-start"
    msf.is_("READY")
    assert starter.is_complete(sent | {"Since": NOW.timestamp()}) == done("READY")


@pytest.mark.parametrize("broken", [{"RequestType": "Replace"}, {"ResourceProperties": None}, {"Since": None}])
def test_what_the_framework_does_not_send_is_refused(starter: Starter, broken: dict[str, object]) -> None:
    with pytest.raises(RequestError, match="not a"):
        starter.is_complete(event() | broken)


# --- starting -----------------------------------------------------------------------------------------------------


def test_a_stopped_application_is_started_once_and_waited_for(msf: Msf, starter: Starter) -> None:
    msf.is_("READY")
    msf.did(START, ("long ago", "FAILED", OLD))  # not ours
    msf.starts()
    assert starter.is_complete(event("Create")) == WAITING
    msf.is_("STARTING")
    assert starter.is_complete(event("Create")) == WAITING
    msf.is_("RUNNING")
    held_update(msf)
    assert starter.is_complete(event("Create")) == done()


def test_state_of_removed_operators_is_left_behind_where_the_property_says_so(msf: Msf, starter: Starter) -> None:
    msf.is_("READY")
    msf.did(START)
    msf.starts(allow_non_restored_state=True)
    assert starter.is_complete(event(AllowNonRestoredState="true")) == WAITING


def test_a_repeated_step_before_the_status_shows_the_start_does_not_start_twice(msf: Msf, starter: Starter) -> None:
    msf.is_("READY")
    msf.did(START, ("start", "IN_PROGRESS", OURS))
    assert starter.is_complete(event()) == WAITING


def test_a_start_is_ours_although_the_services_clock_is_behind(msf: Msf, starter: Starter) -> None:
    msf.is_("READY")
    msf.did(START, ("start", "IN_PROGRESS", NOW - timedelta(seconds=4)))
    assert starter.is_complete(event()) == WAITING


@pytest.mark.parametrize("status", ["FAILED", "CANCELLED"])
def test_a_failed_start_is_an_error_with_the_services_text(msf: Msf, starter: Starter, status: str) -> None:
    msf.is_("READY")
    msf.did(START, ("start", status, OURS))
    msf.went("start", START, status, error="java.lang.ClassNotFoundException: Main")
    with pytest.raises(LifecycleError, match=f"{APP} did not start: {status}: java.lang.ClassNotFoundException: Main"):
        starter.is_complete(event("Create"))


def test_an_application_that_somebody_stops_again_is_an_error(msf: Msf, starter: Starter) -> None:
    msf.is_("READY")
    msf.did(START, ("start", "SUCCESSFUL", OURS))
    with pytest.raises(LifecycleError, match="was started and is READY again"):
        starter.is_complete(event())


def test_a_refused_start_is_an_error_with_its_text(msf: Msf, starter: Starter) -> None:
    msf.is_("READY")
    msf.did(START)
    msf.refuses("start_application", "InvalidApplicationConfigurationException", "no such subnet")
    with pytest.raises(RefusedError, match=r"StartApplication of pipeline-dev: Invalid.*: no such subnet"):
        starter.is_complete(event())


# --- an update that did not hold ----------------------------------------------------------------------------------


def test_running_while_the_update_is_under_way_is_not_done(msf: Msf, starter: Starter) -> None:
    msf.is_("RUNNING")
    msf.did(UPDATE, ("u", "IN_PROGRESS", OURS))
    assert starter.is_complete(event()) == WAITING


def test_running_after_a_good_update_is_done(msf: Msf, starter: Starter) -> None:
    msf.is_("RUNNING", version=9)
    msf.did(UPDATE, ("old", "FAILED", OLD), ("new", "SUCCESSFUL", NOW - timedelta(minutes=2)))
    msf.lists()
    assert starter.is_complete(event()) == done(version=9)


def test_a_silent_system_rollback_is_an_error_with_the_updates_text(msf: Msf, starter: Starter) -> None:
    msf.is_("RUNNING", version=9, ApplicationVersionRolledBackFrom=8)
    msf.did(UPDATE, ("u", "FAILED", OURS))
    msf.went("u", UPDATE, error="Task failed to restore: state of operator x", rollback="r", updated_to=8)
    with pytest.raises(
        LifecycleError,
        match=r"was rolled back by the service, version 9 is RUNNING\. Its reason: FAILED: Task failed to restore",
    ):
        starter.is_complete(event())


def test_a_rollback_that_only_the_operation_tells_of_is_an_error_too(msf: Msf, starter: Starter) -> None:
    msf.is_("RUNNING")
    msf.did(UPDATE, ("u", "FAILED", OURS))
    msf.went("u", UPDATE, rollback="r")
    with pytest.raises(LifecycleError, match=r"rolled back by the service, .*the service gives no reason"):
        starter.is_complete(event())


def test_a_rollback_by_hand_is_an_error_of_the_next_deployment(msf: Msf, starter: Starter) -> None:
    # the update went well, then a person called RollbackApplication
    msf.is_("RUNNING", version=9, ApplicationVersionRolledBackFrom=8)
    msf.did(UPDATE, ("u", "SUCCESSFUL", OLD))
    msf.went("u", UPDATE, "SUCCESSFUL", updated_to=8)
    with pytest.raises(LifecycleError, match="was rolled back from version 8: version 9 is RUNNING, and not what"):
        starter.is_complete(event())


@pytest.mark.parametrize(
    ("detail", "updated_to"),
    [
        ({"ApplicationVersionRolledBackFrom": 8}, 10),
        ({"ApplicationVersionRolledBackFrom": 8, "ApplicationVersionUpdatedFrom": 9}, None),
    ],
)
def test_a_rollback_before_the_last_update_is_history(
    msf: Msf, starter: Starter, detail: dict[str, int], updated_to: int | None
) -> None:
    msf.is_("RUNNING", version=10, **detail)
    msf.did(UPDATE, ("u", "SUCCESSFUL", OURS))
    msf.went("u", UPDATE, "SUCCESSFUL", updated_to=updated_to)
    msf.lists()
    assert starter.is_complete(event()) == done(version=10)


@pytest.mark.parametrize("detail", [{}, {"ApplicationVersionUpdatedFrom": 7}])
def test_a_rollback_without_a_listed_update_is_judged_by_the_versions(
    msf: Msf, starter: Starter, detail: dict[str, int]
) -> None:
    msf.is_("RUNNING", version=9, ApplicationVersionRolledBackFrom=8, **detail)
    msf.did(UPDATE)
    with pytest.raises(LifecycleError, match="was rolled back from version 8"):
        starter.is_complete(event())


def test_a_failed_update_that_left_the_old_job_running_is_an_error(msf: Msf, starter: Starter) -> None:
    msf.is_("RUNNING")
    msf.did(UPDATE, ("u", "FAILED", OURS))
    msf.went("u", UPDATE, error="The snapshot failed")
    msf.did(START, ("before", "SUCCESSFUL", OLD))
    with pytest.raises(LifecycleError, match=r"the update of pipeline-dev failed, version 7 is RUNNING.*The snapshot"):
        starter.is_complete(event())


def test_a_failed_update_after_which_a_start_succeeded_runs_the_new_version(msf: Msf, starter: Starter) -> None:
    # without system rollback a failed update leaves the application READY, with the new configuration
    msf.is_("RUNNING")
    msf.did(UPDATE, ("u", "FAILED", NOW - timedelta(minutes=9)))
    msf.went("u", UPDATE, error="capacity")
    msf.did(START, ("start", "SUCCESSFUL", OURS))
    msf.lists()
    assert starter.is_complete(event()) == done()


def test_a_rollback_of_a_stopped_application_is_an_error(msf: Msf, starter: Starter) -> None:
    msf.is_("ROLLED_BACK", version=9, ApplicationVersionRolledBackFrom=8)
    msf.did(UPDATE, ("u", "FAILED", OURS))
    msf.went("u", UPDATE, error="max parallelism", rollback="r", updated_to=8)
    with pytest.raises(LifecycleError, match=r"version 9 is ROLLED_BACK\. Its reason: FAILED: max parallelism"):
        starter.is_complete(event())


# --- stopping -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "desired"), [("Delete", "RUNNING"), ("Update", "READY")])
def test_a_running_application_is_stopped_with_a_snapshot_and_waited_for(
    msf: Msf, starter: Starter, kind: str, desired: str
) -> None:
    sent = event(kind, DesiredState=desired)
    msf.is_("RUNNING")
    msf.did(STOP, ("last week", "FAILED", OLD))
    msf.stops(force=False)
    assert starter.is_complete(sent) == WAITING
    msf.is_("RUNNING")  # the status lags
    msf.did(STOP, ("stop", "IN_PROGRESS", OURS))
    assert starter.is_complete(sent) == WAITING
    msf.is_("STOPPING")
    assert starter.is_complete(sent) == WAITING
    msf.is_("READY")
    assert starter.is_complete(sent) == done("READY")


def test_a_delete_forces_what_did_not_stop_gracefully_and_says_why(
    msf: Msf, starter: Starter, captured_logs: CapturedLogs
) -> None:
    msf.is_("RUNNING")
    msf.did(STOP, ("stop", "FAILED", OURS))
    msf.went("stop", STOP, error="The snapshot timed out")
    msf.stops(force=True)
    assert starter.is_complete(event("Delete")) == WAITING
    (line,) = captured_logs.lines("stopping without a snapshot")
    assert (line["level"], line["reason"]) == ("WARNING", "FAILED: The snapshot timed out")
    msf.is_("FORCE_STOPPING")
    assert starter.is_complete(event("Delete")) == WAITING


def test_a_delete_forces_where_a_graceful_stop_is_refused(msf: Msf, starter: Starter) -> None:
    msf.is_("RUNNING")
    msf.did(STOP)
    msf.refuses("stop_application", "InvalidRequestException", "not now", ApplicationName=APP, Force=False)
    msf.stops(force=True)
    assert starter.is_complete(event("Delete")) == WAITING


def test_a_delete_gives_up_when_force_fails_too(msf: Msf, starter: Starter) -> None:
    msf.is_("RUNNING")
    msf.did(STOP, ("forced", "FAILED", OURS), ("graceful", "FAILED", NOW))
    msf.went("forced", STOP, error="broken")
    with pytest.raises(LifecycleError, match=f"{APP} did not stop: FAILED: broken"):
        starter.is_complete(event("Delete"))


def test_a_deployment_never_forces(msf: Msf, starter: Starter) -> None:
    msf.is_("RUNNING")
    msf.did(STOP, ("stop", "FAILED", OURS))
    msf.went("stop", STOP, error="checkpoint expired")
    with pytest.raises(LifecycleError, match=r"did not stop: FAILED: checkpoint expired \(stop it by force if"):
        starter.is_complete(event(DesiredState="READY"))
    msf.is_("RUNNING")
    msf.did(STOP)
    msf.refuses("stop_application", "InvalidRequestException", "no", ApplicationName=APP, Force=False)
    with pytest.raises(RefusedError, match="no"):
        starter.is_complete(event(DesiredState="READY"))


# --- a busy service, rights, patience -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "ConcurrentModificationException", "ResourceInUseException", "ServiceUnavailable"]
)
def test_what_the_service_does_not_take_now_is_asked_again(
    msf: Msf, starter: Starter, captured_logs: CapturedLogs, code: str
) -> None:
    msf.refuses("describe_application", code)
    assert starter.is_complete(event()) == WAITING
    msf.is_("READY")
    msf.refuses("list_application_operations", code)
    assert starter.is_complete(event()) == WAITING
    msf.is_("READY")
    msf.did(START)
    msf.refuses("start_application", code)
    assert starter.is_complete(event()) == WAITING
    msf.is_("RUNNING")
    msf.did(STOP)
    msf.refuses("stop_application", code)
    assert starter.is_complete(event("Delete")) == WAITING
    msf.is_("RUNNING")
    msf.did(UPDATE, ("u", "FAILED", OURS))
    msf.refuses("describe_application_operation", code)
    assert starter.is_complete(event()) == WAITING
    assert len(captured_logs.lines("asking again later")) == 5


def test_a_right_that_is_missing_is_waited_for_while_it_may_spread(msf: Msf, starter: Starter, clock: Clock) -> None:
    msf.refuses("describe_application", "AccessDeniedException", "not authorized")
    assert starter.is_complete(event()) == WAITING
    clock.advance(minutes=2)
    msf.refuses("describe_application", "AccessDeniedException", "not authorized")
    with pytest.raises(DeniedError, match="not authorized"):
        starter.is_complete(event())


def test_the_end_of_the_patience_says_what_was_last_seen(msf: Msf, starter: Starter, clock: Clock) -> None:
    clock.advance(minutes=38)
    msf.is_("STARTING")
    assert starter.is_complete(event()) == WAITING
    clock.advance(minutes=2)
    msf.is_("STARTING")
    with pytest.raises(LifecycleError, match=f"{APP} did not get there in 0:40:00 h:mm:ss: it is STARTING"):
        starter.is_complete(event())
    msf.refuses("describe_application", "ThrottlingException", "too fast")
    with pytest.raises(LifecycleError, match=r"0:05:00 h:mm:ss: DescribeApplication .*too fast"):
        starter.is_complete(event(WaitMinutes="5"))


# --- pruning ------------------------------------------------------------------------------------------------------


def test_old_snapshots_go_oldest_first_once_it_runs(msf: Msf, starter: Starter) -> None:
    made = [NOW - timedelta(days=days) for days in range(7)]
    states = ("CREATING", "READY", "FAILED", "READY", "DELETING", "FAILED", "READY")
    msf.is_("RUNNING")
    msf.did(UPDATE)
    msf.lists(*(snapshot(f"s{days}", status, made[days]) for days, status in enumerate(states)))
    msf.deletes("s6", made[6])
    msf.deletes("s5", made[5])
    assert starter.is_complete(event(KeepSnapshots="2")) == done(pruned=2)


@pytest.mark.parametrize("states", [(), ("READY",), ("READY", "FAILED"), ("FAILED", "FAILED", "FAILED")])
def test_no_snapshot_goes_while_fewer_than_wanted_are_good(msf: Msf, starter: Starter, states: tuple[str, ...]) -> None:
    msf.is_("RUNNING")
    msf.did(UPDATE)
    msf.lists(*(snapshot(f"s{age}", status, NOW - timedelta(days=age)) for age, status in enumerate(states)))
    assert starter.is_complete(event(KeepSnapshots="2")) == done()


def test_the_newest_snapshot_stays_even_when_one_is_kept(msf: Msf, starter: Starter) -> None:
    msf.is_("RUNNING")
    msf.did(UPDATE)
    msf.lists(snapshot("new", "READY", NOW), snapshot("old", "READY", OLD))
    msf.deletes("old", OLD)
    assert starter.is_complete(event(KeepSnapshots="1")) == done(pruned=1)


@pytest.mark.parametrize("code", ["ThrottlingException", "InvalidRequestException", "AccessDeniedException"])
def test_a_snapshot_that_cannot_be_deleted_costs_a_warning_and_no_deployment(
    msf: Msf, starter: Starter, captured_logs: CapturedLogs, code: str
) -> None:
    older = OLD - timedelta(days=1)
    msf.is_("RUNNING")
    msf.did(UPDATE)
    msf.lists(snapshot("a", "READY", NOW), snapshot("b", "READY", OLD), snapshot("c", "READY", older))
    msf.deletes("c", older)
    msf.refuses("delete_application_snapshot", code, "not that one")
    assert starter.is_complete(event(KeepSnapshots="1")) == done(pruned=1)
    (line,) = captured_logs.lines("snapshots were not pruned")
    assert "not that one" in str(line["reason"])


def test_a_snapshot_that_is_gone_already_is_no_failure(msf: Msf, starter: Starter, captured_logs: CapturedLogs) -> None:
    msf.is_("RUNNING")
    msf.did(UPDATE)
    msf.lists(snapshot("a", "READY", NOW), snapshot("b", "READY", OLD))
    msf.refuses("delete_application_snapshot", "ResourceNotFoundException")
    assert starter.is_complete(event(KeepSnapshots="1")) == done(pruned=1)
    assert captured_logs.lines("snapshots were not pruned") == []


def test_snapshots_that_cannot_be_listed_cost_no_deployment(
    msf: Msf, starter: Starter, captured_logs: CapturedLogs
) -> None:
    msf.is_("RUNNING")
    msf.did(UPDATE)
    msf.refuses("list_application_snapshots", "ThrottlingException")
    assert starter.is_complete(event()) == done()
    assert len(captured_logs.lines("snapshots were not pruned")) == 1


def test_pruning_ends_in_time_and_goes_on_with_the_next_deployment(msf: Msf, clock: Clock) -> None:
    def slow() -> Any:
        clock.advance(seconds=8)
        return clock()

    msf.is_("RUNNING")
    msf.did(UPDATE)
    times = [NOW - timedelta(days=age) for age in range(9)]
    msf.lists(*(snapshot(f"s{age}", "READY", time) for age, time in enumerate(times)))
    msf.deletes("s8", times[8])
    msf.deletes("s7", times[7])
    assert Starter(msf.client, slow).is_complete(event(KeepSnapshots="1")) == done(pruned=2)


# --- the entry points ---------------------------------------------------------------------------------------------


def test_the_entry_points_hand_on_to_one_resource_with_a_client_of_the_service(
    msf: Msf, monkeypatch: pytest.MonkeyPatch
) -> None:
    start.resource.cache_clear()
    assert start.resource().client.meta.service_model.service_name == "kinesisanalyticsv2"  # type: ignore[attr-defined]
    monkeypatch.setattr(start, "resource", lambda: Starter(msf.client, Clock()))
    taken = start.on_event(event(since=None), None)
    assert taken == {"PhysicalResourceId": f"{APP}-start", "Since": NOW.timestamp()}
    msf.is_("STARTING")
    assert start.is_complete(event(since=None) | taken, None) == WAITING
