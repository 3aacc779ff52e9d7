"""What a result adds to the metrics of its entry (:mod:`contracts.entry`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Any

from contracts import conditions, rejections
from contracts.columns import ColumnType
from contracts.entry import Count, Entry
from contracts.events import DECIMAL_SCALE
from contracts.metrics import CATEGORY, EVENT_TYPE, OTHER, REJECTED_EVENTS, Metric, metric_of
from contracts.results import SCHEMAS, ResultType
from lambdas.alerts.labels import event_type_label
from lambdas.common.errors import RecordError
from lambdas.common.result import Result

#: CloudWatch refuses a whole call for a value above 2^360 or, but for zero, below 2^-360.
_MOST_VALUE = 1e100
_NO_SETTINGS: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
#: Samples that a result has at most.
MOST_SAMPLES = max(1, *(len(entry.counts) for entry in SCHEMAS.values()))


@dataclass(frozen=True)
class Series:
    """A metric and, where it has a dimension, the value of that dimension (1..255 printable ASCII)."""

    metric: Metric
    dimension_value: str | None


@dataclass(frozen=True)
class Sample:
    """What a result adds to a series at ``time`` (UTC), in the metric's unit; ``claimed``: once, whatever happens."""

    series: Series
    time: datetime
    value: float
    claimed: bool = False


def samples_of(
    result: Result,
    categories: frozenset[str] = frozenset(),
    settings: Mapping[str, Mapping[str, Any]] = _NO_SETTINGS,
) -> tuple[Sample, ...]:
    """The samples of a result; none where it counts in no metric.

    Args:
        categories: those that are counted by name.
        settings: of each job, as far as its conditions name them.

    Raises:
        RecordError: a column that the metric needs is missing or of another type.
    """
    if result.result_type == rejections.REJECTED:
        return (Sample(Series(REJECTED_EVENTS, _reason(result)), result.time("arrival_time"), 1),)
    entry = entry_of(result)
    if entry is None:
        return ()
    metrics = _metrics(result.result_type)
    return tuple(
        Sample(
            Series(metric, _dimension(result, count, categories)),
            result.time(count.at),
            _value(result, count, entry),
            count.claimed,
        )
        for count, metric in zip(entry.counts, metrics, strict=True)
        if (metric.dimension != CATEGORY or count.values or categories)
        and conditions.holds(count.where, values(result, conditions.names(count.where), entry, settings))
    )


def entry_of(result: Result) -> Entry | None:
    """The entry of the result's job; None where no job has that name."""
    return _ENTRIES.get(result.result_type)


_ENTRIES: Mapping[str, Entry] = {job.value: entry for job, entry in SCHEMAS.items()}


def values(
    result: Result,
    names: frozenset[str],
    entry: Entry,
    settings: Mapping[str, Mapping[str, Any]] = _NO_SETTINGS,
) -> dict[str, Any]:
    """The columns and settings of these names; RecordError as :func:`value_of`."""
    own = settings.get(result.result_type) or _defaults(result.result_type)
    return {name: value_of(result, name, entry) if name in entry.types else own[name] for name in names}


@cache
def _defaults(job: str) -> Mapping[str, Any]:
    """The settings of a job that nobody has set."""
    entry = _ENTRIES[job]
    made = entry.settings() if entry.settings else None
    return {key: getattr(made, key) for key in entry.told_settings}


def value_of(result: Result, column: str, entry: Entry) -> Any:
    """A column's value as its type says, None for a null; RecordError when it is missing or of another type."""
    kind = entry.types[column]
    nullable = any(each.name == column and each.nullable for each in entry.columns)
    if nullable and column in result.document and result.document[column] is None:
        return None
    match kind:
        case ColumnType.LONG:
            return result.integer(column)
        case ColumnType.DOUBLE | ColumnType.DECIMAL:
            return result.number(column)
        case ColumnType.BOOLEAN:
            return result.flag(column)
        case ColumnType.TIMESTAMP:
            result.time(column)  # the text below is a time
            return result.text(column)
        case ColumnType.STRINGS:
            return result.texts(column)
        case _:
            return result.text(column)


@cache
def _metrics(job: str) -> tuple[Metric, ...]:
    return tuple(metric_of(count) for count in SCHEMAS[ResultType(job)].counts)


def _value(result: Result, count: Count, entry: Entry) -> float:
    """A number that CloudWatch takes, alone and in a sum: to the contract's six decimals, and below 1e100."""
    if count.value is None:
        return 1
    found = value_of(result, count.value, entry)
    number = round(float(found or 0), DECIMAL_SCALE)
    if abs(number) > _MOST_VALUE:
        raise RecordError(f"`{count.value}` is beyond what CloudWatch takes")
    return number


def _dimension(result: Result, count: Count, categories: frozenset[str]) -> str | None:
    if count.dimension is None:
        return None
    text = result.text(count.dimension)
    if metric_of(count).dimension == EVENT_TYPE and not count.values:
        return event_type_label(text)
    return text if text in (count.values or categories) else OTHER


def _reason(result: Result) -> str:
    reason = result.text("reason")
    if reason not in REJECTED_EVENTS.values:
        raise RecordError("`reason` is not one of the contract's closed list")
    return reason
