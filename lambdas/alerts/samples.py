"""What a result adds to the metrics of :mod:`contracts.metrics`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts import metrics, rejections
from contracts.events import DECIMAL_SCALE
from contracts.metrics import Metric
from contracts.rejections import Reason
from contracts.results import ResultType
from lambdas.alerts.alert import alert_level
from lambdas.alerts.labels import event_type_label
from lambdas.common.errors import RecordError
from lambdas.common.result import Result

#: CloudWatch refuses a whole call for a value above 2^360 or, but for zero, below 2^-360.
_MOST_VALUE = 1e100
_REASONS = frozenset(reason.value for reason in Reason)


@dataclass(frozen=True)
class Series:
    """A metric and, where it has a dimension, the value of that dimension (1..255 printable ASCII)."""

    metric: Metric
    dimension_value: str | None


@dataclass(frozen=True)
class Sample:
    """What a result adds to a series at ``time`` (UTC), in the metric's unit."""

    series: Series
    time: datetime
    value: float


def samples_of(result: Result, categories: frozenset[str] = frozenset()) -> tuple[Sample, ...]:
    """The samples of a result; none where it counts in no metric. ``categories`` are those that are counted by name.

    Raises :class:`RecordError` when a column that the metric needs is missing or of another type.
    """
    match result.result_type:
        case ResultType.AGGREGATION:
            kind, start = event_type_label(result.text("event_type")), result.time("window_start")
            return (
                Sample(Series(metrics.EVENT_COUNT, kind), start, result.integer("event_count")),
                Sample(Series(metrics.TOTAL_VALUE, kind), start, _value(result, "total_value")),
            )
        case ResultType.ANOMALY if result.flag("is_anomaly"):
            return _one(result, metrics.ANOMALIES, event_type_label(result.text("event_type")))
        case ResultType.FRAUD:
            return _one(result, metrics.FRAUD_ALERTS, alert_level(result))
        case ResultType.SESSION:
            return _one(result, metrics.SESSIONS, None)
        case ResultType.BEHAVIOR if result.flag("conversion_flag"):
            return _one(result, metrics.CONVERSIONS, None)
        case ResultType.RECOMMENDATION if categories and result.integer("rank") == 1:
            category = result.text("category")
            return _one(result, metrics.TOP_CATEGORY, category if category in categories else metrics.OTHER)
        case rejections.REJECTED:
            return (Sample(Series(metrics.REJECTED_EVENTS, _reason(result)), result.time("arrival_time"), 1),)
        case _:
            return ()


def _value(result: Result, column: str) -> float:
    """A number that CloudWatch takes, alone and in a sum: to the contract's six decimals, and below 1e100."""
    number = round(result.number(column), DECIMAL_SCALE)
    if abs(number) > _MOST_VALUE:
        raise RecordError(f"`{column}` is beyond what CloudWatch takes")
    return number


def _one(result: Result, metric: Metric, dimension_value: str | None) -> tuple[Sample, ...]:
    return (Sample(Series(metric, dimension_value), result.time("event_time"), 1),)


def _reason(result: Result) -> str:
    reason = result.text("reason")
    if reason not in _REASONS:
        raise RecordError("`reason` is not one of the contract's closed list")
    return reason
