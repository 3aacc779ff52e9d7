"""OpenSearch stopped for a minute in the middle of the run: nothing is lost or doubled, and the log says it."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from local.demo import application
from local.demo.options import Options, parse
from local.demo.outage import SearchOutage
from local.demo.pipeline import running
from local.demo.run import Run, Status, request
from local.processes import Supervisor
from local.traffic.generator import generate

SECONDS = 60


@pytest.mark.usefixtures("environment")
def test_a_minute_without_opensearch_loses_nothing_and_doubles_nothing(run_dir: Path) -> None:
    # Given a run in which OpenSearch is stopped while documents are being indexed, and started after a minute
    options: Options = parse(["--events", "3000", "--rate", "150", "--no-idle", "--search-outage", str(SECONDS)])
    settings = application.checked(application.property_groups({}))
    traffic = generate(request(options, settings, int(time.time() * 1000)))
    told: list[str] = []
    with (
        Supervisor(run_dir) as supervisor,
        running(supervisor, {}, options.shards, 1, told.append) as pipeline,
    ):
        outage = SearchOutage(pipeline, options.search_outage, told.append)
        with Run(pipeline, supervisor, settings, traffic, options.rate, outage.look, told.append) as run:
            outcome = run.play()
        outage.look(Status())
        _, mapping = pipeline.search.result()
        refused = mapping.counts()
        lines = [json.loads(line) for line in (supervisor.logs / "lambdas.log").read_text().splitlines()]

    # Then everything agrees: results, alerts, metrics and the index
    assert outcome.ok, outcome.differences[:3]
    # And what happened is told, and in the functions' log
    assert outage.over, told
    stopped, started, answered, caught_up = (
        next(line for line in told if pattern in line)
        for pattern in ("is stopped for", "is started again", "answers again", "has caught up")
    )
    assert f"is stopped for {SECONDS} s" in stopped
    refusals = re.search(r"the indexer was refused (\d+) times, 0 records were given up", started)
    assert refusals is not None
    assert int(refusals[1]) > 0
    assert "its index has what it had" in answered
    assert re.search(r"caught up: [1-9]\d* records", caught_up)
    assert (refused.given_up, refused.errors) == (0, 0)
    unanswered = [line for line in lines if str(line.get("reason", "")).startswith("no answer from OpenSearch")]
    assert unanswered
    assert all({"shard", "sequence", "result_id"} <= line.keys() for line in unanswered)
