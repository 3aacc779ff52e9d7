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
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway

from benchmarks import queries
from contracts.results import ResultType
from flink_jobs import graph
from flink_jobs.engine.contract import event_contract, own_fields_of_java
from flink_jobs.engine.gateway import java
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


def environment(backend: str, checkpoints: Path) -> StreamExecutionEnvironment:
    """A mini cluster of one slot, with checkpoints every two seconds."""
    configuration = Configuration()
    for key, value in {
        "pipeline.jars": JAR.as_uri(),
        "pipeline.object-reuse": "true",
        "python.executable": sys.executable,
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


@dataclass(frozen=True)
class Input:
    """The file, how many of its events are measured after how many others, and what tells that those have passed."""

    file: Path
    events: int
    warm_up: int
    mark: Path


def _records(env: StreamExecutionEnvironment, given: Input, chosen: Settings) -> Any:
    return java("benchmark.RecordFile").attach(
        env._j_stream_execution_environment,
        str(given.file),
        chosen.time.watermark_delay,
        event_contract(chosen.time.future_tolerance, 0),
        given.warm_up,
        str(given.mark),
    )


def attach_decode(env: StreamExecutionEnvironment, given: Input) -> None:
    """The floor: read, decoded, judged, and forgotten."""
    chosen = settings(FIVE_JOBS)
    records = _records(env, given, chosen)
    intake = java("intake.IntakeGraph").attach(records, chosen.time.duplicate_window, own_fields_of_java())
    java("benchmark.CountedDiscard").attach(intake.events(), "events")
    java("benchmark.CountedDiscard").attach(intake.rejected(), "rejected")


def attach_jobs(*jobs: str) -> Callable[[StreamExecutionEnvironment, Input], None]:
    """The application with these jobs."""

    def attach(env: StreamExecutionEnvironment, given: Input) -> None:
        chosen = settings(jobs)
        documents = graph.build(env, _records(env, given, chosen), chosen, ROOT / "sql")
        java("benchmark.CountedDiscard").attach(documents.results, "results")
        java("benchmark.CountedDiscard").attach(documents.rejected, "rejected")

    return attach


CONTENDERS: dict[str, Callable[[StreamExecutionEnvironment, Input], None]] = {
    "decode": attach_decode,
    **{job.value: attach_jobs(job.value) for job in ResultType},
    "five_jobs": attach_jobs(*FIVE_JOBS),
    "all_jobs": attach_jobs(*(job.value for job in ResultType)),
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


class _Meter:
    """CPU seconds of this process, of the JVM and of the workers of both, and the wall clock."""

    def __init__(self) -> None:
        self._gateway = int(get_gateway().jvm.java.lang.ProcessHandle.current().pid())

    def read(self) -> tuple[float, float]:
        return _tree(self._gateway) + time.process_time(), time.monotonic()


class _Mark(threading.Thread):
    """Reads the meter as soon as the source has passed the events that warm up."""

    def __init__(self, meter: _Meter, path: Path) -> None:
        super().__init__(daemon=True)
        self.reading = meter.read()
        self._meter = meter
        self._path = path
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._path.exists():
            if self._ended.wait(0.02):
                return
        self.reading = self._meter.read()

    def end(self) -> None:
        """Stops looking."""
        self._ended.set()
        self.join()


def _run_graph(env: StreamExecutionEnvironment, contender: str, given: Input, meter: _Meter) -> dict[str, Any]:
    CONTENDERS[contender](env, given)
    begin = meter.read()
    mark = _Mark(meter, given.mark)
    mark.start()
    result = env.execute(contender)
    mark.end()
    counts = {name: result.get_accumulator_result(name) for name in result.get_all_accumulator_results()}
    return _told(begin, mark.reading, meter.read(), given.events, counts)


def _run_query(env: StreamExecutionEnvironment, contender: str, given: Input, meter: _Meter) -> dict[str, Any]:
    """Its source is Flink's, which tells nothing on its way: a run over what warms up, and then one over all."""
    begin = meter.read()
    queries.run(env, contender, given.file, given.warm_up)
    warm = meter.read()
    queries.run(env, contender, given.file, given.warm_up + given.events)
    return _told(begin, warm, meter.read(), given.warm_up + given.events, {})


def _told(
    begin: tuple[float, float], warm: tuple[float, float], end: tuple[float, float], measured: int, counts: Any
) -> dict[str, Any]:
    return {
        "cpu": end[0] - warm[0],
        "seconds": end[1] - warm[1],
        "events": measured,
        "before": warm[0] - begin[0],
        "counts": counts,
    }


def main() -> None:
    """Runs one contender and prints CPU seconds, seconds and counts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flink")
    parser.add_argument("contender", choices=[*CONTENDERS, *queries.QUERIES])
    parser.add_argument("file", type=Path)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--warm-up", type=int, default=0)
    parser.add_argument("--backend", choices=["rocksdb", "hashmap"], default="rocksdb")
    parser.add_argument("--checkpoints", type=Path, required=True)
    options = parser.parse_args()
    env = environment(options.backend, options.checkpoints)
    given = Input(options.file, options.events, options.warm_up, options.checkpoints.with_suffix(".warm"))
    runs = _run_graph if options.contender in CONTENDERS else _run_query
    print(json.dumps(runs(env, options.contender, given, _Meter())))


if __name__ == "__main__":
    main()
