"""A TaskManager or a Python worker that is killed in the middle of the run: nothing is lost, no result changes."""

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


def python_workers(pid: int) -> list[int]:
    """The Python workers that a process has started, itself or by others."""
    children = [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text(encoding="ascii").split()
    ]
    mine = [child for child in children if b"pyflink.fn_execution" in Path(f"/proc/{child}/cmdline").read_bytes()]
    return mine + [worker for child in children for worker in python_workers(child)]


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("victim", ["the TaskManager", "its Python worker"])
def test_what_is_killed_loses_nothing_and_changes_nothing(run_dir: Path, victim: str) -> None:
    # Given a run in which a process is killed once results have come
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
                pids = [task_manager.pid] if victim == "the TaskManager" else python_workers(task_manager.pid)
                for pid in pids:
                    os.kill(pid, signal.SIGKILL)
                killed.extend(pids)

        with Run(pipeline, supervisor, settings, traffic, options.rate, show, told.append) as run:
            outcome = run.play()

    # Then another took its place, the job was restarted, and all that must be exact is
    assert killed, "no result came before everything was read"
    assert any("a new one took its place" in line for line in told) == (victim == "the TaskManager"), told
    assert any("restarts the job" in line for line in told), told
    # (no function died, so no alert came twice; only counts without a claim may be too high)
    assert outcome.ok, ([check for check in outcome.checks if not check.ok], outcome.differences[:3])
