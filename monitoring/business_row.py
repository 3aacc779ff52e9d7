"""What the business sees."""

from __future__ import annotations

from collections.abc import Iterator

from config.model import Environment
from contracts import metrics
from contracts.results import ALERT_LEVELS
from monitoring.catalogue import BUSINESS
from monitoring.expressions import search
from monitoring.names import Names
from monitoring.series import Metric, series
from monitoring.widgets import Board, Formula, Line, Widget


def business_row(board: Board, environment: Environment, names: Names) -> Iterator[Widget]:
    """Per five minutes: what happened, what it was worth, what stood out."""
    own = names.namespace
    yield board.graph("Events by type", [by_dimension(names, BUSINESS[metrics.EVENT_COUNT.name])], stacked=True)
    yield board.graph("Value by type", [by_dimension(names, BUSINESS[metrics.TOTAL_VALUE.name])], stacked=True)
    yield board.graph("Anomalies by type", [by_dimension(names, BUSINESS[metrics.ANOMALIES.name])], stacked=True)
    fraud = BUSINESS[metrics.FRAUD_ALERTS.name]
    yield board.graph(
        "Fraud by level",
        [Line(series(fraud, level, namespace=own), level) for level in ALERT_LEVELS],
        stacked=True,
    )
    sessions, conversions = (
        series(BUSINESS[metric.name], namespace=own) for metric in (metrics.SESSIONS, metrics.CONVERSIONS)
    )
    yield board.graph("Sessions and conversions", [Line(sessions, "sessions"), Line(conversions, "conversions")])
    if environment.alerts.categories:
        top = BUSINESS[metrics.TOP_CATEGORY.name]
        yield board.graph(
            "Top categories: users whose best it is",
            [
                Line(series(top, category, namespace=own), category)
                for category in (*environment.alerts.categories, metrics.OTHER)
            ],
            stacked=True,
        )
    yield board.gauge(
        "Conversions, % of sessions",
        [
            Line(sessions, id="s", hidden=True),
            Line(conversions, id="c", hidden=True),
            Formula("IF(s > 0, 100 * FILL(c, 0) / s, 0)", "%", sessions.period),
        ],
        100,
    )


def by_dimension(names: Names, metric: Metric) -> Formula:
    """A series for each value that the metric's one dimension has had: what they are, only the traffic knows."""
    (dimension,) = metric.dimensions
    return Formula(search(names.namespace, dimension, metric.name, metric.statistic, metric.period), "", metric.period)
