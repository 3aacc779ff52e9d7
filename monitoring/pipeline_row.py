"""What goes through the pipeline, and how long it takes."""

from __future__ import annotations

from collections.abc import Iterator

from contracts import metrics
from contracts.names import StreamRole
from contracts.rejections import Reason
from monitoring import flink_metrics as flink
from monitoring import service_metrics as service
from monitoring.catalogue import BUSINESS, FUNCTION
from monitoring.names import Names
from monitoring.series import MINUTE, series
from monitoring.widgets import Board, Formula, Line, Widget


def pipeline_row(board: Board, names: Names) -> Iterator[Widget]:
    """Records in and out, what was rejected, and four measures of delay."""
    own, application = names.namespace, names.application
    yield board.graph(
        "Records a minute, by stream",
        [Line(series(service.INCOMING_RECORDS, stream), role) for role, stream in names.streams.items()],
    )
    yield board.graph(
        "Records a second, all operators",
        [Line(series(flink.RECORDS_IN, application), "in"), Line(series(flink.RECORDS_OUT, application), "out")],
    )
    rejected = BUSINESS[metrics.REJECTED_EVENTS.name]
    yield board.graph(
        "Rejected by reason",
        [Line(series(rejected, reason, namespace=own), reason) for reason in Reason],
        stacked=True,
    )
    yield _rejected(board, names)
    yield board.graph(
        "Late, a minute",
        [
            *(
                Line(series(rejected, reason, namespace=own, period=MINUTE), reason)
                for reason in (Reason.LATE, Reason.LATE_AFTER_IDLE)
            ),
            Line(series(flink.LATE_DROPPED, application), "dropped by windows, so far"),
        ],
        width=10,
    )
    yield board.graph(
        "Read behind, ms",
        [
            *(Line(series(service.ITERATOR_AGE, stream), role) for role, stream in names.streams.items()),
            *(
                Line(series(flink.BEHIND_LATEST, application, stream), "the application's source")
                for role, stream in names.streams.items()
                if role == StreamRole.INPUT
            ),
        ],
        width=10,
    )
    yield board.graph(
        "Watermark behind the clock, s",
        [
            Line(series(flink.WATERMARK_OUT, application), id="w", hidden=True),
            Line(series(flink.WATERMARK_IN, application), id="i", hidden=True),
            Formula("EPOCH(w) - w / 1000", "the source"),
            # Before its first watermark an operator tells the lowest number that there is.
            Formula("IF(i > 0, EPOCH(i) - i / 1000, 0)", "the slowest operator"),
        ],
        width=12,
    )
    age = FUNCTION[metrics.OLDEST_AGE.name]
    yield board.graph(
        "End to end, ms: from true to handled",
        [Line(series(age, package, namespace=own), package) for package in names.functions],
        width=12,
    )


def _rejected(board: Board, names: Names) -> Widget:
    """Of the events of Kinesis, which counts them; of another source, how many."""
    rejected = series(service.INCOMING_RECORDS, names.streams[StreamRole.REJECTED], period=5 * MINUTE)
    events = names.streams.get(StreamRole.INPUT)
    if events is None:
        return board.number("Rejected in 5 minutes", [Line(rejected, "records")])
    return board.gauge(
        "Rejected, % of events",
        [
            Line(rejected, id="r", hidden=True),
            Line(series(service.INCOMING_RECORDS, events, period=5 * MINUTE), id="e", hidden=True),
            Formula("IF(e > 0, 100 * FILL(r, 0) / e, 0)", "%", 5 * MINUTE),
        ],
        100,
    )
