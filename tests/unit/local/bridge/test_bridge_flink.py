"""Flink's answers over REST, as the managed service publishes them for an application."""

from __future__ import annotations

import os
from typing import Any

import pytest

from local.bridge.flink_metrics import Capacity, FlinkMetrics

JOB = "/jobs/j"
NO_WATERMARK = -(2.0**63)


class Client:
    """Answers as a JobManager of 1.20 does (shapes taken from one)."""

    def __init__(self) -> None:
        self.state = "RUNNING"
        self.tasks = {"v1": {"numRecordsOutPerSecond": 100.0, "busyTimeMsPerSecond": 300.0}, "v2": {}}
        self.tasks["v2"] = {"numRecordsInPerSecond": 90.0, "numRecordsOutPerSecond": 5.0, "busyTimeMsPerSecond": 700.0}
        self.operators = {
            "v1": {
                "Source.KinesisConsumer.stream.events.shardId.shardId-000000000000.millisBehindLatest": 1_500.0,
                "verdicts.currentOutputWatermark": 1e12,
                "anomaly.currentOutputWatermark": NO_WATERMARK,
                "Source__files.kinesisanalytics.files_gone": 2.0,
                "verdicts.somethingElse": 1.0,
            },
            "v2": {"window.numLateRecordsDropped": 0.0},
        }

    def call(self, method: str, path: str) -> Any:
        assert method == "GET"
        if path == JOB:
            times = {"RUNNING": 1_000, "RESTARTING": 5_000, "FAILING": 0, "CANCELLING": 0}
            return {
                "state": self.state,
                "now": 9_000,
                "timestamps": times,
                "vertices": [{"id": each} for each in self.tasks],
            }
        if path.startswith(f"{JOB}/metrics?get="):
            return [{"id": "fullRestarts", "value": "2"}, {"id": "lastCheckpointSize", "value": "-1"}]
        if path.startswith("/taskmanagers/"):
            values = {
                "Status.JVM.CPU.Load": "0.25",
                "Status.JVM.Memory.Heap.Used": "50",
                "Status.JVM.Memory.Heap.Max": "200",
            }
            return [{"id": name, "value": value} for name, value in values.items()]
        vertex, _, query = path.removeprefix(f"{JOB}/vertices/").partition("/subtasks/metrics")
        known = {**self.tasks[vertex], **self.operators[vertex]}
        if not query:
            return [{"id": name} for name in known]
        wanted = query.partition("get=")[2].split(",")
        return [{"id": name, "max": known[name]} for name in wanted if name in known]


class Rest:
    def __init__(self) -> None:
        self.client = Client()
        self.running = 2

    def running_tasks(self, job_id: str) -> tuple[int, int]:
        return self.running, 2

    def task_managers(self) -> set[str]:
        return {"tm"}


def samples(rest: Rest, metrics: FlinkMetrics | None = None, pid: int | None = None) -> dict[str, list[float]]:
    told: dict[str, list[float]] = {}
    flink = metrics or FlinkMetrics(rest, "j", "app", "events", Capacity(5, 2, 2**30))  # type: ignore[arg-type]
    for sample in flink.samples(pid):
        assert sample.series.dimensions["Application"] == "app"
        assert sample.series.namespace == "AWS/KinesisAnalytics"
        told.setdefault(sample.series.name, []).append(sample.value)
    return told


def test_given_a_running_job_then_sums_of_rates_and_each_of_the_rest() -> None:
    told = samples(Rest())
    assert told["numRecordsInPerSecond"] == [90.0]
    assert told["numRecordsOutPerSecond"] == [105.0]
    assert sorted(told["busyTimeMsPerSecond"]) == [300.0, 700.0]
    assert told["currentOutputWatermark"] == [1e12]  # an operator without one tells none
    assert told["millisBehindLatest"] == [1_500.0]
    assert told["numLateRecordsDropped"] == [0.0]
    assert told["files_gone"] == [2.0]
    assert told["fullRestarts"] == [2.0]
    assert "lastCheckpointSize" not in told  # -1: there was none yet
    assert (told["uptime"], told["downtime"]) == ([8_000.0], [0.0])
    assert told["cpuUtilization"] == [25.0]
    assert told["heapMemoryUtilization"] == [25.0]
    assert told["KPUs"] == [3.0]
    assert "somethingElse" not in told


def test_given_a_restarting_job_then_its_downtime_since_it_fell() -> None:
    rest = Rest()
    rest.client.state = "RESTARTING"
    told = samples(rest)
    assert (told["uptime"], told["downtime"]) == ([0.0], [4_000.0])


def test_given_a_job_that_has_never_run_whole_then_nothing_and_afterwards_everything() -> None:
    rest = Rest()
    metrics = FlinkMetrics(rest, "j", "app", "events", Capacity(1, 1, 2**30))  # type: ignore[arg-type]
    rest.running = 1
    assert samples(rest, metrics) == {}
    rest.running = 2
    assert samples(rest, metrics)
    rest.running = 0  # from now on a fall is told
    assert samples(rest, metrics)


def test_given_its_process_then_memory_and_cpu_of_the_whole_family() -> None:
    told = samples(Rest(), pid=os.getpid())
    assert 0 < told["containerMemoryUtilization"][0] < 1_000
    assert told["containerCPUUtilization"][0] >= 0
    assert 0 < told["containerDiskUtilization"][0] <= 100


def test_given_a_process_that_has_died_then_the_others_are_told() -> None:
    told = samples(Rest(), pid=2**22 + 1)
    assert "containerMemoryUtilization" not in told
    assert told["KPUs"] == [3.0]


@pytest.mark.parametrize(("parallelism", "per_kpu", "expected"), [(1, 1, 1), (4, 1, 4), (5, 4, 2), (8, 4, 2)])
def test_kpus_are_parallelism_by_parallelism_per_kpu_rounded_up(parallelism: int, per_kpu: int, expected: int) -> None:
    assert Capacity(parallelism, per_kpu, 1).kpus == expected
