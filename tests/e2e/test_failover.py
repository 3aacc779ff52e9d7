"""A TaskManager that is killed in the middle of the run: nothing is lost, no result changes."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from local.demo import application
from local.demo.options import Options, parse
from local.demo.pipeline import running
from local.demo.run import Run, Status, request
from local.processes import Supervisor
from local.standins.flink import TASK_MANAGER
from local.traffic.generator import generate


@pytest.mark.usefixtures("environment")
def test_a_killed_task_manager_loses_nothing_and_changes_nothing(run_dir: Path) -> None:
    # Given a run in which the TaskManager, with its Python worker, is killed once results have come
    options: Options = parse(["--events", "3000", "--rate", "150", "--no-idle", "--shards", "2"])
    settings = application.checked(application.property_groups({}))
    traffic = generate(request(options, settings, int(time.time() * 1000)))
    told: list[str] = []
    killed: list[int] = []
    with (
        Supervisor(run_dir) as supervisor,
        running(supervisor, {}, options.shards, 1, told.append) as pipeline,
    ):

        def show(status: Status) -> None:
            if not killed and status.results and status.counts.get("read", 0) < status.planned:
                (task_manager,) = (each for each in pipeline.flink.processes if each.name == TASK_MANAGER)
                os.kill(task_manager.pid, signal.SIGKILL)
                killed.append(task_manager.pid)

        with Run(pipeline, supervisor, settings, traffic, options.rate, show, told.append) as run:
            outcome = run.play()

    # Then another took its place, the job was restarted, and all that must be exact is
    assert killed, "no result came before everything was read"
    assert any("a new one took its place" in line for line in told), told
    assert any("restarts the job" in line for line in told), told
    # (no function died, so no alert came twice; only counts without a claim may be too high)
    assert outcome.ok, ([check for check in outcome.checks if not check.ok], outcome.differences[:3])
