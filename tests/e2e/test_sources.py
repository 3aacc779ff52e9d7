"""The same traffic through each source, and an archive through the application once more."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flink_jobs.settings import Settings
from local.backfill.replay import Replay, compare, groups_of
from local.demo import application
from local.demo.inputs import PLANNED
from local.demo.options import parse
from local.demo.pipeline import Pipeline, running, submit
from local.demo.run import Run, Status, request
from local.processes import Supervisor
from local.standins.opensearch import OpenSearch
from local.traffic.generator import generate
from tests.e2e.conftest import EVENTS, Demo, finished, text

#: What must be exact whatever fails.
EXACT_GROUPS = ("intake", "rejected", "results", "search")
_PAGE = 1_000


@pytest.mark.parametrize("source", ["msk", "s3"])
def test_another_source_gives_the_same_results_byte_by_byte(source: str, run_dir: Path, undisturbed: Demo) -> None:
    start = ("--start", text(undisturbed.start), "--events", EVENTS, "--rate", "0")
    code, output = finished("--source", source, *start, "--no-page", "--name", run_dir.name)
    assert code == 0, output
    results = (run_dir / "results.jsonl").read_bytes()
    assert results.count(b"\n") > 1_000
    assert results == undisturbed.results()


@pytest.mark.usefixtures("environment")
def test_a_backfill_gives_the_live_results_and_a_second_one_changes_nothing(undisturbed: Demo, tmp_path: Path) -> None:
    live = undisturbed.results().decode()
    end = undisturbed.start + timedelta(hours=4)
    groups = groups_of(undisturbed.run_dir, text(undisturbed.start), text(end), tmp_path / "output")
    settings = application.checked(application.property_groups(groups))
    told: list[str] = []
    with (
        Supervisor(tmp_path / "run") as supervisor,
        running(supervisor, groups, 1, 1, told.append) as pipeline,
    ):
        replay = Replay(pipeline, supervisor, settings, told.append)
        found = replay.play(pipeline.job_id)
        outcome = compare(found, live, settings)
        index = _documents(pipeline.search.result()[0])

        # All of it, equal but for what says how it came about, in the index and in files, and no alert
        assert outcome.ok, outcome
        assert (outcome.equal, outcome.left_out) == (live.count("\n"), ())
        assert {json.loads(text)["run"] for text in found.values()} == {"backfill"}
        assert index.keys() == found.keys()
        assert _written(tmp_path / "output") == sorted(found.values())
        assert replay.alerts() == 0
        assert any("records read" in line for line in told)

        # A second time: the same ids with the same contents, nowhere one more
        again = submit(supervisor, pipeline.flink, application.property_groups(groups, pipeline.moto.endpoint))
        assert replay.play(again) == found
        assert _documents(pipeline.search.result()[0]) == index
        assert replay.alerts() == 0


def _documents(opensearch: OpenSearch) -> dict[str, Any]:
    """Everything in the index, by id."""
    opensearch.call("POST", "/_refresh")
    found: dict[str, Any] = {}
    query: dict[str, object] = {"size": _PAGE, "sort": [{"result_id": "asc"}]}
    while True:
        hits = opensearch.call("POST", "/realtime-analytics-*/_search", query)["hits"]["hits"]
        found |= {hit["_id"]: hit["_source"] for hit in hits}
        if len(hits) < _PAGE:
            return found
        query["search_after"] = hits[-1]["sort"]


def _written(folder: Path) -> list[str]:
    files = [path for path in folder.iterdir() if not path.name.startswith((".", "_"))]
    return sorted(line for path in files for line in path.read_text(encoding="utf-8").splitlines())


@pytest.mark.usefixtures("environment")
def test_a_killed_broker_that_comes_back_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    # Given a run from Kafka whose only broker is killed while events and results flow, and started again
    options = parse(["--source", "msk", "--events", "3000", "--rate", "150", "--no-idle"])
    settings: Settings = application.checked(application.property_groups({}, source=PLANNED[options.source]))
    traffic = generate(request(options, settings, int(time.time() * 1000)))
    told: list[str] = []
    killed: list[int] = []

    def kill(pipeline: Pipeline, status: Status) -> None:
        broker = pipeline.input.broker
        assert broker is not None
        if not killed and status.results and status.counts.get("read", 0) < status.planned:
            killed.append(broker.process.pid)
            broker.kill()
            broker.resume()

    with (
        Supervisor(tmp_path / "run") as supervisor,
        running(supervisor, {}, options.shards, 1, told.append, options.source) as pipeline,
        Run(
            pipeline, supervisor, settings, traffic, options.rate, lambda status: kill(pipeline, status), told.append
        ) as run,
    ):
        outcome = run.play()
        after = pipeline.input.broker
        assert after is not None
        assert killed, "no result came before everything was read"
        assert after.process.pid != killed[0]

    # Then everything agrees
    wrong = [check for check in outcome.checks if check.group in EXACT_GROUPS and not check.ok]
    assert not wrong, (wrong, outcome.differences[:3])
