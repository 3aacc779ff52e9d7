"""One Flink contender in a process of its own: runs it over a file and prints what it cost, as JSON.

The graph is the application's, from ``flink_jobs.graph``; only the ends differ: the benchmark's file instead of the
stream, and a counting sink that forgets.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway

from benchmarks import queries
from contracts.results import ResultType
from flink_jobs import graph
from flink_jobs.gateway import java
from flink_jobs.settings import Settings, parse

ROOT = Path(__file__).resolve().parent.parent
JAR = ROOT / "build" / "maven" / "realtime-analytics.jar"
FIVE_JOBS = tuple(job.value for job in ResultType if job is not ResultType.SESSION)
_TICKS = os.sysconf("SC_CLK_TCK")


def settings(jobs: tuple[str, ...]) -> Settings:
    """The design's settings with the given jobs."""
    return parse(
        {
            "kinesis.analytics.flink.run.options": {"python": "main.py", "jarfile": "a.jar", "pyFiles": "python"},
            "input": {"stream": "events", "region": "us-east-1"},
            "output": {"results_stream": "results", "rejected_stream": "rejected"},
            "jobs": {"enabled": ",".join(jobs)},
        },
        "benchmark",
        local=True,
    )


def environment(backend: str, checkpoints: Path, thread_mode: bool) -> StreamExecutionEnvironment:
    """A mini cluster of one slot, with checkpoints every two seconds."""
    configuration = Configuration()
    for key, value in {
        "pipeline.jars": JAR.as_uri(),
        "pipeline.object-reuse": "true",
        "python.executable": sys.executable,
        "python.execution-mode": "thread" if thread_mode else "process",
        "python.state.cache-size": "20000",  # as flink_jobs.main has it
        "state.backend.type": backend,
        "state.backend.incremental": "true",
        "execution.checkpointing.dir": checkpoints.as_uri(),
        "state.checkpoints.dir": checkpoints.as_uri(),
        "execution.checkpointing.interval": "2 s",
        "restart-strategy.type": "none",
        # A quarter of a KPU's 4 GB.
        "taskmanager.memory.managed.size": "1g",
    }.items():
        configuration.set_string(key, value)
    result = StreamExecutionEnvironment.get_execution_environment(configuration)
    result.set_parallelism(1)
    return result


def _records(env: StreamExecutionEnvironment, file: Path, chosen: Settings) -> Any:
    return java("benchmark.RecordFile").attach(
        env._j_stream_execution_environment, str(file), chosen.time.watermark_delay, chosen.time.future_tolerance
    )


def attach_decode(env: StreamExecutionEnvironment, file: Path) -> None:
    """The floor: read, decoded, judged, and forgotten."""
    chosen = settings(FIVE_JOBS)
    intake = java("intake.IntakeGraph").attach(_records(env, file, chosen), chosen.time.duplicate_window)
    java("benchmark.CountedDiscard").attach(intake.events(), "events")
    java("benchmark.CountedDiscard").attach(intake.rejected(), "rejected")


def attach_jobs(*jobs: str) -> Callable[[StreamExecutionEnvironment, Path], None]:
    """The application with these jobs."""

    def attach(env: StreamExecutionEnvironment, file: Path) -> None:
        chosen = settings(jobs)
        documents = graph.build(env, _records(env, file, chosen), chosen, ROOT / "sql")
        java("benchmark.CountedDiscard").attach(documents.results, "results")
        java("benchmark.CountedDiscard").attach(documents.rejected, "rejected")

    return attach


CONTENDERS: dict[str, Callable[[StreamExecutionEnvironment, Path], Any]] = {
    "decode": attach_decode,
    **{job.value: attach_jobs(job.value) for job in ResultType},
    "five_jobs": attach_jobs(*FIVE_JOBS),
    "all_jobs": attach_jobs(*(job.value for job in ResultType)),
    "session_thread": attach_jobs(ResultType.SESSION.value),
    **queries.CONTENDERS,
}


def _cpu(pid: int) -> float:
    """CPU seconds of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # threads end while they are counted
            found += map(int, (task / "children").read_text(encoding="ascii").split())
    return found


def _tree(pid: int) -> float:
    return _cpu(pid) + sum(_tree(child) for child in _children(pid))


def main() -> None:
    """Runs one contender and prints CPU seconds, seconds and counts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flink")
    parser.add_argument("contender", choices=CONTENDERS)
    parser.add_argument("file", type=Path)
    parser.add_argument("--backend", choices=["rocksdb", "hashmap"], default="rocksdb")
    parser.add_argument("--checkpoints", type=Path, required=True)
    options = parser.parse_args()
    env = environment(options.backend, options.checkpoints, options.contender == "session_thread")
    finish = CONTENDERS[options.contender](env, options.file)
    gateway_pid = int(get_gateway().jvm.java.lang.ProcessHandle.current().pid())
    before, began = _tree(gateway_pid) + time.process_time(), time.monotonic()
    if finish is None:
        result = env.execute(options.contender)
        counts = {name: result.get_accumulator_result(name) for name in result.get_all_accumulator_results()}
    else:
        counts = finish()
    after, ended = _tree(gateway_pid) + time.process_time(), time.monotonic()
    print(json.dumps({"cpu": after - before, "seconds": ended - began, "counts": counts}))


if __name__ == "__main__":
    main()
