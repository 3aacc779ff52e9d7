"""What the business sees: the widgets of the jobs' entries."""

from __future__ import annotations

from collections.abc import Iterator

from config.model import Environment
from contracts import metrics
from contracts.entry import Graph, Share
from contracts.results import SCHEMAS
from monitoring.catalogue import BUSINESS, VALUES
from monitoring.expressions import search
from monitoring.names import Names
from monitoring.series import Metric, series
from monitoring.widgets import Board, Formula, Line, Widget


def business_row(board: Board, environment: Environment, names: Names) -> Iterator[Widget]:
    """Graphs, then gauges, each in the order of the jobs; without what only counts where categories are set."""
    widgets = [widget for entry in SCHEMAS.values() for widget in entry.widgets]
    for widget in widgets:
        if isinstance(widget, Graph):
            lines = [line for name in widget.metrics for line in _lines(name, environment, names, len(widget.metrics))]
            if lines:
                yield board.graph(widget.title, lines, stacked=widget.stacked)
    for widget in widgets:
        if isinstance(widget, Share):
            yield _gauge(widget, board, names)


def _lines(name: str, environment: Environment, names: Names, together: int) -> list[Line | Formula]:
    """The metric, a line for each value of its dimension."""
    metric, own = BUSINESS[name], names.namespace
    values = VALUES[name]
    match metric.dimensions:
        case ():
            return [Line(series(metric, namespace=own), _label(name) if together > 1 else "")]
        case (metrics.CATEGORY,) if not values:
            categories = environment.alerts.categories
            values = (*categories, metrics.OTHER) if categories else ()
        case _ if not values:
            return [by_dimension(names, metric)]
    return [Line(series(metric, value, namespace=own), value) for value in values]


def _gauge(widget: Share, board: Board, names: Names) -> Widget:
    part, whole = (series(BUSINESS[name], namespace=names.namespace) for name in (widget.part, widget.whole))
    return board.gauge(
        widget.title,
        [
            Line(whole, id="w", hidden=True),
            Line(part, id="p", hidden=True),
            Formula("IF(w > 0, 100 * FILL(p, 0) / w, 0)", "%", whole.period),
        ],
        100,
    )


def _label(name: str) -> str:
    """``Revenue per user`` of ``RevenuePerUser``."""
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
    return words[0].upper() + words[1:]


def by_dimension(names: Names, metric: Metric) -> Formula:
    """A series for each value that the metric's one dimension has had: what they are, only the traffic knows."""
    (dimension,) = metric.dimensions
    return Formula(search(names.namespace, dimension, metric.name, metric.statistic, metric.period), "", metric.period)
