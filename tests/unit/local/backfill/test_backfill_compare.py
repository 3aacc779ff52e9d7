"""What a backfill gave, held against the live run's results of its range."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flink_jobs.properties import dump
from flink_jobs.settings import Settings
from local.backfill.replay import BackfillFailed, compare, groups_of
from local.demo import application


def _row(identity: str, time: str, run: str = "live", count: int = 1) -> str:
    return json.dumps({"result_id": identity, "event_time": f"2026-11-24T{time}.000Z", "run": run, "count": count})


@pytest.fixture
def settings() -> Settings:
    backfill = {"archive": "/archive", "start": "2026-11-24T10:00:00Z", "end": "2026-11-24T12:00:00Z"}
    return application.checked(application.property_groups({"backfill": backfill}))


def test_given_the_live_results_of_the_range_then_all_are_equal_but_for_the_run(settings: Settings) -> None:
    live = "\n".join(_row(each, each) for each in ("10:00:00", "10:00:01", "12:00:00", "12:00:01"))
    found = {each: _row(each, each, run="backfill") for each in ("10:00:01", "12:00:00")}
    outcome = compare(found, live, settings)
    assert (outcome.equal, outcome.left_out, outcome.ok) == (2, (), True)


def test_given_results_that_differ_or_are_not_known_or_are_missing_then_each_is_named(settings: Settings) -> None:
    live = "\n".join([_row("same", "11:00:00"), _row("other", "11:00:00"), _row("missing", "11:00:00")])
    found = {
        "same": _row("same", "11:00:00", run="backfill"),
        "other": _row("other", "11:00:00", run="backfill", count=2),
        "new": _row("new", "11:00:00", run="backfill"),
    }
    outcome = compare(found, live, settings)
    assert (outcome.equal, outcome.different, outcome.unknown) == (1, ("other",), ("new",))
    assert outcome.left_out == ("missing",)
    assert not outcome.ok


def test_given_a_run_without_an_archive_then_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BackfillFailed, match="let a run finish first: make demo"):
        groups_of(tmp_path, "2026-11-24T10:00:00Z", "2026-11-24T12:00:00Z", tmp_path / "out")


def test_given_an_archive_then_the_backfill_has_the_runs_own_meaning_and_none_of_its_places(tmp_path: Path) -> None:
    (tmp_path / "archive" / "events").mkdir(parents=True)
    lived = {"input": {"stream": "x"}, "local": {"parallelism": "4"}, "time": {"idle_timeout": "20 s"}}
    (tmp_path / "application_properties.json").write_text(dump(lived), encoding="utf-8")
    groups = groups_of(tmp_path, "2026-11-24T10:00:00Z", "2026-11-24T12:00:00Z", tmp_path / "out")
    assert groups.keys() == {"time", "backfill"}
    settings = application.checked(application.property_groups(groups)).backfill
    assert settings is not None
    assert settings.archive == (tmp_path / "archive" / "events").as_uri()
    assert settings.output == (tmp_path / "out").as_uri()
