"""The contenders without Flink do the five jobs' work: against the oracle, result by result."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks import events, plain_python, polars_jobs
from contracts.results import ResultType
from flink_jobs.settings import Settings, parse
from local.oracle import results, verdicts
from local.oracle.records import LogRecord
from local.oracle.results import Result

SHAPES = [events.Shape(3_000, users=300, seed=7), events.Shape(3_000, event_types=50, users=300, skewed=True, seed=8)]


def settings() -> Settings:
    return parse(
        {
            "kinesis.analytics.flink.run.options": {"python": "main.py", "jarfile": "a.jar", "pyFiles": "python"},
            "input": {"stream": "events", "region": "us-east-1"},
            "output": {"results_stream": "results", "rejected_stream": "rejected"},
            "jobs": {"enabled": "aggregation,anomaly,behavior,recommendation,fraud"},
        },
        "test",
        local=True,
    )


@pytest.fixture(params=SHAPES, ids=lambda shape: shape.name)
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return events.write(request.param, tmp_path)


def expected(file: Path) -> dict[str, list[Result]]:
    log = [
        LogRecord("events", str(partition), str(position), events.ARRIVAL, payload)
        for position, (partition, payload) in enumerate(events.records(file))
    ]
    judged = verdicts.judge(
        log, watermark_delay=5_000, tolerance=verdicts.Tolerance(300_000, 0), duplicate_window=600_000
    )
    assert not judged.rejected
    found: dict[str, list[Result]] = {job.value: [] for job in ResultType}
    for result in results.expected(judged.events, settings()).values():
        found[result["result_type"]].append(result)
    return found


def in_order(file: Path) -> list[bytes]:
    """A Lambda reads a shard at a time and has no watermark: the partitions side by side, as when none is ahead."""
    payloads = list(events.read(file))
    return sorted(payloads, key=lambda payload: plain_python.decoded(payload)["event_time"])  # type: ignore[index]


def test_plain_python_gives_the_oracles_results(file: Path) -> None:
    wanted = expected(file)
    pipeline = plain_python.Pipeline()
    found: dict[str, list[Any]] = {job.value: [] for job in ResultType}
    for result in pipeline.run(in_order(file)):
        found[result[0]].append(result[1:])
    assert pipeline.rejected == 0
    assert {
        (w["window_start"], w["event_type"], w["event_count"], w["unique_users"]) for w in wanted["aggregation"]
    } == {row[:4] for row in found["aggregation"]}
    assert sum(float(w["total_value"]) for w in wanted["aggregation"]) == pytest.approx(
        sum(row[4] for row in found["aggregation"])
    )
    assert sorted((w["event_time"], w["user_id"], w["current_value"]) for w in wanted["anomaly"]) == sorted(
        (row[0], row[1], row[3]) for row in found["anomaly"]
    )
    assert sorted(
        (w["user_id"], w["session_id"], w["session_start"], w["session_end"], w["event_sequence"], w["conversion_flag"])
        for w in wanted["behavior"]
    ) == sorted((row[0], row[1], row[2], row[3], row[5], row[7]) for row in found["behavior"])
    assert {(w["window_end"], w["user_id"], w["rank"]): w["behavior_score"] for w in wanted["recommendation"]} == {
        (row[0], row[1], row[5]): pytest.approx(row[3], abs=2e-6) for row in found["recommendation"]
    }
    assert sorted((w["event_time"], w["user_id"], w["alert_level"]) for w in wanted["fraud"]) == sorted(
        (row[0], row[1], row[3]) for row in found["fraud"]
    )


def test_polars_gives_the_oracles_results(file: Path) -> None:
    wanted = expected(file)
    frame = polars_jobs.frame(events.read(file))
    windows = polars_jobs.aggregation(frame).rows(named=True)
    assert {
        (w["window_start"], w["event_type"], w["event_count"], w["unique_users"]) for w in wanted["aggregation"]
    } == {(row["window_start"], row["event_type"], row["event_count"], row["unique_users"]) for row in windows}
    anomalies = polars_jobs.anomaly(frame).rows(named=True)
    assert sorted((w["event_time"], w["user_id"]) for w in wanted["anomaly"]) == sorted(
        (row["event_time"], row["user_id"]) for row in anomalies
    )
    sessions = polars_jobs.behavior(frame).rows(named=True)
    assert sorted(
        (w["user_id"], w["session_id"], w["session_start"], w["event_sequence"], w["conversion_flag"])
        for w in wanted["behavior"]
    ) == sorted(
        (row["user_id"], row["session_id"], row["start"], row["sequence"], row["conversion_flag"]) for row in sessions
    )

    lists = polars_jobs.recommendation(frame).rows(named=True)
    assert sorted((w["window_end"], w["user_id"], w["category"]) for w in wanted["recommendation"]) == sorted(
        ((row["end"] + 1) * 300_000, row["user_id"], row["category"]) for row in lists
    )
    alerts = polars_jobs.fraud(frame).rows(named=True)
    assert sorted((w["event_time"], w["user_id"], w["alert_level"]) for w in wanted["fraud"]) == sorted(
        (row["event_time"], row["user_id"], row["level"]) for row in alerts
    )


def test_both_count_the_same(file: Path) -> None:
    plain = plain_python.run(in_order(file))
    assert plain.pop("rejected") == 0
    assert plain == Counter({job: count for job, count in polars_jobs.run(events.read(file)).items() if count})
    assert plain["fraud"] > 0
    assert plain["behavior"] > 100


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"[]",
        b'{"event_time": 1, "user_id": 1}',
        b'{"event_time": "x", "user_id": 1, "event_type": "view"}',
        b'{"event_time": 1, "user_id": 1, "event_type": ""}',
        b'{"event_time": 1, "user_id": 1, "event_type": "view", "value": "1"}',
        b'{"event_time": 1, "user_id": 1, "event_type": "view", "value": 1e19}',
        b'{"event_time": 1, "user_id": 1, "event_type": "view", "category": 7}',
    ],
)
def test_plain_python_rejects_what_is_no_event(payload: bytes) -> None:
    assert plain_python.decoded(payload) is None
    assert plain_python.run([payload]) == Counter(rejected=1)
