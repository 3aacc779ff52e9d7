"""The whole pipeline on local parts, as ``make demo`` runs it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from contracts.rejections import INTAKE_REASONS
from contracts.results import ResultType
from local.process_table import process_table
from local.run_record import MARK_VARIABLE, read_record
from local.waiting import wait_until
from tests.e2e.conftest import EVENTS, RUNS, Demo, demo, finished, text
from tests.warehouse import expected, landed, rows


@pytest.fixture
def name() -> Iterator[str]:
    """A run directory of this test's own: a demo beside it is not touched."""
    name = f"e2e-{os.getpid()}"
    yield name
    shutil.rmtree(RUNS / name, ignore_errors=True)


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    yield from process.stdout


def _living(marks: set[str]) -> list[int]:
    """Processes that carry a run's mark in their environment, wherever they went."""
    table = process_table()
    return [identity.pid for mark in marks for identity in table.marked(f"{MARK_VARIABLE}={mark}")]


def test_everything_that_went_in_comes_out_and_agrees(undisturbed: Demo) -> None:
    code, output = undisturbed.code, undisturbed.output
    assert code == 0, output
    report = json.loads((undisturbed.run_dir / "report.json").read_text(encoding="utf-8"))
    assert report["ok"] is True
    checks = {(check["group"], check["name"]): check for check in report["checks"]}
    for reason in INTAKE_REASONS:  # every kind of rejection was planted and found
        assert checks["rejected", reason.value]["found"] > 0, reason
    for job in ("aggregation", "anomaly", "session", "behavior", "recommendation", "fraud"):
        assert checks["results", f"{job}, equal to the oracle's"]["found"] > 0, job
    assert checks["alerts", "results that alert"]["found"] >= 11
    assert len(undisturbed.results().splitlines()) == checks["search", "documents = distinct results"]["found"]
    assert "ALERT HIGH" in output
    record = read_record(undisturbed.run_dir)
    assert record is not None
    assert record.ended
    assert not _living({record.mark})


def test_the_warehouses_views_give_the_runs_results_each_once(undisturbed: Demo, tmp_path: Path) -> None:
    # Given the results of the run, in the landing view twice, as after a restart of the job
    lines = undisturbed.results().splitlines()
    copies = [(json.loads(line), time) for time in ("2026-11-23T10:00:00Z", "2026-11-23T10:00:01Z") for line in lines]
    connection = landed(copies, tmp_path)
    # Then each typed view has those of its type, once, with their values
    documents = sorted((json.loads(line, parse_float=Decimal) for line in lines), key=lambda one: str(one["result_id"]))
    for kind in ResultType:
        wanted = [expected(one, kind.value) for one in documents if one["result_type"] == kind.value]
        assert wanted, kind
        assert rows(connection, kind.value) == wanted


def test_a_killed_run_leaves_nothing_and_the_next_gives_the_same_results_without_poison(
    undisturbed: Demo, name: str
) -> None:
    # Given a run that is killed with SIGKILL while events flow
    start = text(undisturbed.start)
    killed = demo("--events", EVENTS, "--start", start, "--name", name, "--rate", "100")
    seen = []
    for line in _lines(killed):
        seen.append(line)
        if "first result" in line:
            break
    assert "first result" in seen[-1], "".join(seen)
    record = read_record(RUNS / name)
    assert record is not None
    assert _living({record.mark})
    killed.send_signal(signal.SIGKILL)
    killed.wait(10)

    # Then all that it started ends without it
    wait_until(lambda: not _living({record.mark}), 30, "the end of what the killed demo had started")

    # And the next run of the same seed and start says what it found, reconciles, and gives the same results,
    # byte by byte, although no record is poisonous now and no shard falls idle.
    code, output = finished(
        "--events", EVENTS, "--start", start, "--name", name, "--rate", "0", "--poison", "0", "--no-idle"
    )
    assert code == 0, output
    assert f"cleaned up: run {name}" in output
    assert (RUNS / name / "results.jsonl").read_bytes() == undisturbed.results()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--set", "aggregation.windw=1 min"], ["aggregation", "windw", "window"]),
        (["--set", "aggregation.window=-5 min"], ["aggregation", "window", "-5 min", "a duration from 1 s to 1 d"]),
        (["--set", "aggregations.window=5 min"], ["aggregations", "aggregation, anomaly, behavior"]),
        (["--events", "-3"], ["--events", "-3", "a whole number from 1000"]),
        (["--start", "2999-01-01T00:00:00Z"], ["--start", "future"]),
    ],
)
def test_what_is_not_allowed_is_said_in_one_line_before_anything_starts(arguments: list[str], told: list[str]) -> None:
    code, output = finished(*arguments)
    assert code == 2
    assert len(output.splitlines()) == 1
    for part in told:
        assert part in output
