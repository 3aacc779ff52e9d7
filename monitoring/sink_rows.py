"""Who takes the results, and what is paid by use."""

from __future__ import annotations

from collections.abc import Iterator

from config.model import Environment
from contracts import metrics
from monitoring import flink_metrics as flink
from monitoring import service_metrics as service
from monitoring.catalogue import FUNCTION
from monitoring.names import Names
from monitoring.series import Metric, series
from monitoring.widgets import Board, Formula, Line, Widget


def sinks_row(board: Board, environment: Environment, names: Names) -> Iterator[Widget]:
    """Functions, what they gave up, full shards, the archive and the search index."""
    for title, metric in (
        ("Function errors", service.ERRORS),
        ("Function throttles", service.THROTTLES),
        ("Function duration, ms", service.DURATION),
    ):
        yield board.graph(
            title, [Line(series(metric, function), called) for called, function in names.functions.items()], width=4
        )
    yield board.graph(
        "Functions read behind, ms",
        [Line(series(service.READ_AGE, function), called) for called, function in names.functions.items()],
        width=6,
    )
    yield board.graph(
        "Dead letters that wait",
        [Line(series(service.MESSAGES, queue), called) for called, queue in names.queues.items()],
        width=6,
    )
    for package in names.functions:
        yield board.graph(
            f"Records: {package}",
            [
                Line(series(FUNCTION[metric.name], package, namespace=names.namespace), metric.name)
                for metric in (metrics.PROCESSED, metrics.DUPLICATE, metrics.RETRIED, metrics.DEAD_LETTERED)
            ],
        )
    yield board.graph(
        "Refused by full shards",
        [
            Line(series(metric, stream), f"{role}: {what}")
            for metric, what in ((service.THROTTLED_WRITES, "writes"), (service.THROTTLED_READS, "reads"))
            for role, stream in names.streams.items()
        ],
    )
    if names.deliveries:
        yield board.graph(
            "Archive behind, s",
            [Line(series(service.FRESHNESS, delivery), called) for called, delivery in names.deliveries.items()],
            width=6,
        )
    if names.search_domain is not None:
        yield from _search(board, environment, names, names.search_domain)


def _search(board: Board, environment: Environment, names: Names, domain: str) -> Iterator[Widget]:
    def line(metric: Metric, label: str) -> Line:
        return Line(series(metric, domain, names.account), label)

    yield board.number(
        "Search index: 1 is bad",
        [
            line(service.SEARCH_RED, "red"),
            line(service.SEARCH_YELLOW, "yellow"),
            line(service.SEARCH_BLOCKED, "writes blocked"),
        ],
        width=6,
    )
    free = environment.search.volume_gb * 1024
    yield board.gauge("Free storage, MB", [line(service.SEARCH_FREE, "fullest node")], free, width=6)
    yield board.graph("Search index: documents a minute", [line(service.SEARCH_INDEXED, "indexed")], width=6)
    yield board.graph(
        "Search index: CPU and heap, %",
        [line(service.SEARCH_CPU, "CPU"), line(service.SEARCH_MEMORY, "heap")],
        width=6,
    )


def cost_row(board: Board, environment: Environment, names: Names) -> Iterator[Widget]:
    """What the bill grows with; ``make cost`` has the prices."""
    kpus = series(flink.KPUS, names.application)
    application = environment.application
    limit = (application.kpu_alarm, "alarm above") if application.autoscaling else None
    yield board.graph("KPUs, by the hour", [Line(kpus, "KPUs")], threshold=limit)
    yield board.number(
        "KPU-hours a month at this rate",
        [Line(kpus, id="k", hidden=True), Formula("k * 730", "KPU-hours", kpus.period)],
        width=4,
    )
    yield board.graph(
        "Bytes written a minute",
        [Line(series(service.INCOMING_BYTES, stream), role) for role, stream in names.streams.items()],
        stacked=True,
        width=6,
    )
    yield board.graph(
        "Calls of functions a minute",
        [Line(series(service.INVOCATIONS, function), called) for called, function in names.functions.items()],
        stacked=True,
        width=6,
    )
