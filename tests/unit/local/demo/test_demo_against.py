"""`make demo ARGS='--against .run/last'`: what changed between two runs of the same traffic."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local.demo.against import (
    ALERTS,
    REPORT,
    RESULTS,
    TRAFFIC,
    Change,
    NoRun,
    Outcome,
    changes,
    check_traffic,
    keep_last,
    read,
)
from local.demo.options import parse

SENT: dict[str, Any] = {
    "events": 5000, "seed": 3, "start": 1_790_000_000_000, "span": 7_200_000, "shards": 2, "poison": 0.01, "idle": True
}  # fmt: skip


def result(job: str, number: int, **columns: Any) -> dict[str, Any]:
    time = f"2026-09-21T10:{number:02d}:00.000Z"
    return {"result_type": job, "result_id": f"{job}-{number}", "event_time": time, "run": "live", **columns}


def outcome(*results: dict[str, Any], alerts: tuple[str, ...] = (), **sent: Any) -> Outcome:
    return Outcome(
        {each["result_id"]: each for each in results}, {each: {"result_id": each} for each in alerts}, SENT | sent
    )


def test_each_job_has_its_numbers_and_the_first_rows_in_words() -> None:
    # Given two runs, of which the second has another value, a result less and one more
    before = outcome(result("revenue", 1, total=5), result("revenue", 2, total=6), result("fraud", 1), alerts=("a",))
    now = outcome(result("revenue", 1, total=7), result("revenue", 3, total=8), result("fraud", 1), alerts=("a", "b"))
    # When they are compared
    found = changes(before, now)
    # Then each job has its numbers, the alerts theirs, and each difference a line
    assert found.jobs == {"fraud": Change(1, 1), "revenue": Change(2, 2, changed=1, gone=1, new=1)}
    assert found.alerts == Change(1, 2, new=1)
    assert found.rows == [
        "revenue: total 5 -> 7 in event_time 2026-09-21T10:01:00.000Z",
        "revenue: gone: event_time 2026-09-21T10:02:00.000Z, total 6",
        "revenue: new: event_time 2026-09-21T10:03:00.000Z, total 8",
    ]


def test_equal_runs_have_no_change() -> None:
    found = changes(outcome(result("fraud", 1)), outcome(result("fraud", 1)))
    assert not found.rows
    assert not any(change.any for change in (*found.jobs.values(), found.alerts))


def test_runs_of_other_traffic_are_not_compared() -> None:
    with pytest.raises(NoRun, match="that run had --seed 3, this one 4: only runs of the same traffic"):
        check_traffic(SENT, SENT | {"seed": 4})


def kept(folder: Path) -> Path:
    """A run that ended, as the next one finds it."""
    files = {name: folder / f"its-{name}" for name in (REPORT, RESULTS, ALERTS)}
    files[REPORT].write_text(json.dumps({"traffic": SENT}), encoding="utf-8")
    files[RESULTS].write_text(json.dumps(result("fraud", 1)) + "\n", encoding="utf-8")
    files[ALERTS].write_text("", encoding="utf-8")
    keep_last(files, folder / "last")
    return folder / "last"


def test_what_a_run_left_is_read_again_and_its_traffic_is_sent_again(tmp_path: Path) -> None:
    folder = kept(tmp_path)
    assert read(folder) == outcome(result("fraud", 1))
    options = parse(["--against", str(folder), "--shards", "4"])
    assert {key: getattr(options, key) for key in TRAFFIC} == SENT | {"shards": 4}


def test_a_folder_without_a_run_is_refused_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--against", str(tmp_path)])
    assert "holds no run that ended (FileNotFoundError). Run make demo once" in capsys.readouterr().err
