"""Starting and stopping from a script: the same steps, with a wait that the caller gives."""

from __future__ import annotations

import pytest

from lambdas.application_lifecycle.command import run_until_done
from lambdas.application_lifecycle.service import START, STOP, LifecycleError
from tests.unit.lambdas.test_application_lifecycle_service import APP, NOW, OURS, Clock, Msf, msf

__all__ = ["msf"]


class Run:
    """Calls the command under a clock that only its waits move."""

    def __init__(self, scripted: Msf) -> None:
        self.msf, self.clock, self.told = scripted, Clock(), list[str]()

    def __call__(self, desired: str, *, force: bool = False, allow_non_restored_state: bool = False) -> str:
        return run_until_done(
            self.msf.client,
            APP,
            desired,
            force=force,
            allow_non_restored_state=allow_non_restored_state,
            wait=lambda seconds: self.clock.advance(seconds=seconds),
            now=self.clock,
            tell=self.told.append,
        )


@pytest.fixture
def run(msf: Msf) -> Run:
    return Run(msf)


def test_a_stopped_application_is_started_and_waited_for(msf: Msf, run: Run) -> None:
    msf.is_("READY")
    msf.did(START)
    msf.starts(allow_non_restored_state=True)
    msf.refuses("describe_application", "ThrottlingException", "too fast")
    msf.is_("STARTING")
    msf.is_("RUNNING")
    assert run("RUNNING", allow_non_restored_state=True) == "RUNNING"
    assert run.told == ["READY", f"DescribeApplication of {APP}: ThrottlingException: too fast", "STARTING"]
    assert (run.clock() - NOW).total_seconds() == 30


def test_what_a_person_rolled_back_may_be_run(msf: Msf, run: Run) -> None:
    msf.is_("RUNNING", ApplicationVersionRolledBackFrom=8)
    assert run("RUNNING") == "RUNNING"


def test_a_running_application_is_stopped_by_force_only_where_told_to(msf: Msf, run: Run) -> None:
    msf.is_("RUNNING")
    msf.did(STOP)
    msf.stops(force=False)
    msf.is_("STOPPING")
    msf.is_("READY")
    assert run("READY") == "READY"
    for force in (False, True):
        msf.is_("RUNNING")
        msf.did(STOP, ("stop", "FAILED", OURS))
        msf.went("stop", STOP, error="no checkpoint")
        if not force:
            with pytest.raises(LifecycleError, match="did not stop: FAILED: no checkpoint"):
                run("READY")
    msf.stops(force=True)
    msf.is_("READY")
    assert run("READY", force=True) == "READY"


def test_an_absent_application_is_stopped_and_cannot_be_started(msf: Msf, run: Run) -> None:
    msf.is_absent()
    assert run("READY") == "absent"
    msf.is_absent()
    with pytest.raises(LifecycleError, match="there is no application"):
        run("RUNNING")


def test_the_patience_ends_with_what_was_last_seen(msf: Msf, run: Run) -> None:
    for _ in range(45 * 6 + 2):
        msf.is_("STARTING")
    with pytest.raises(LifecycleError, match=f"{APP} is not RUNNING after 0:45:00 h:mm:ss: STARTING"):
        run("RUNNING")


def test_another_wish_is_refused_before_any_call(run: Run) -> None:
    with pytest.raises(LifecycleError, match="desired is 'STOPPED': allowed are RUNNING, READY"):
        run("STOPPED")
