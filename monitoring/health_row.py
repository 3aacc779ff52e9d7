"""Whether the application runs, keeps its state and keeps up."""

from __future__ import annotations

from collections.abc import Iterator

from config.model import Environment
from config.runtimes import RUNTIMES
from monitoring import flink_metrics as flink
from monitoring.names import Names
from monitoring.series import Metric, series
from monitoring.widgets import Board, Line, Widget


def health_row(board: Board, environment: Environment, names: Names) -> Iterator[Widget]:
    """The application's own metrics; names that depend on the runtime are the runtime's."""
    runtime = RUNTIMES[environment.application.runtime]

    def line(metric: Metric, label: str) -> Line:
        return Line(series(metric, names.application), label)

    def named(name: str) -> Line:
        return line(flink.flink_metric(name, runtime.name), name)

    yield board.number(
        "Runs", [named(name) for name in (runtime.up_metric, *runtime.down_metrics, runtime.restarts_metric)], width=12
    )
    yield board.graph("Does not run, ms", [named(name) for name in runtime.down_metrics], width=6)
    yield board.graph("Restarts, so far", [named(runtime.restarts_metric)], width=6)
    interval = environment.application.checkpoint_interval_seconds * 1000
    yield board.graph(
        "Checkpoint: duration, ms",
        [line(flink.CHECKPOINT_DURATION, "duration")],
        threshold=(interval / 2, "half of the interval"),
    )
    yield board.graph("Checkpoint: size, bytes", [line(flink.CHECKPOINT_SIZE, "size")])
    yield board.graph("Checkpoints failed, so far", [line(flink.CHECKPOINT_FAILURES, "failed")])
    yield board.graph("CPU, %", [line(flink.CPU, "TaskManager JVM"), line(flink.CONTAINER_CPU, "container")], width=6)
    yield board.graph("Memory, %", [line(flink.HEAP, "heap"), line(flink.CONTAINER_MEMORY, "container")], width=6)
    yield board.graph(
        "Busy and back-pressured, ms of a second",
        [line(flink.BUSY, "busy"), line(flink.BACK_PRESSURE, "back-pressured")],
        width=6,
    )
    yield board.graph("Disk, %", [line(flink.CONTAINER_DISK, "container")], width=6)
