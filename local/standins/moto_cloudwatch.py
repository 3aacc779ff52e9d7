"""CloudWatch of the moto server, as the service answers: exact series, aligned periods, percentiles.

moto 5.2.5 walks every sample of every metric for each period of each query (a dashboard's minute took seconds),
mixes the series of a query without dimensions, answers a percentile with an error 500 and an expression that it does
not know with an empty list. Here samples are kept by series; an expression is refused, its reader computes it.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.exceptions import InvalidParameterValue
from moto.cloudwatch.models import CloudWatchBackend, MetricAggregatedDatum
from moto.cloudwatch.responses import CloudWatchResponse

_lock = threading.Lock()
_put_metric_data: Callable[..., None] = CloudWatchBackend.put_metric_data

_Key = tuple[str, str, tuple[tuple[str, str], ...]]


class CloudWatchMethods:
    """What replaces the methods of moto's CloudWatch."""

    metric_data: list[Any]
    _get_paginated: Callable[[list[Any]], tuple[str | None, list[Any]]]
    paged_metric_data: dict[str, list[Any]]

    def put_metric_data(self, namespace: str, metric_data: list[dict[str, Any]]) -> None:
        """Take samples, and keep each with its series."""
        with _lock:
            known = len(self.metric_data)
            _put_metric_data(self, namespace, metric_data)
            series = _series(self)
            for datum in self.metric_data[known:]:
                series.setdefault(_key(datum.namespace, datum.name, datum.dimensions), []).append(datum)

    def get_metric_data(
        self,
        queries: list[dict[str, Any]],
        start_time: datetime,
        end_time: datetime,
        scan_by: str = "TimestampAscending",
    ) -> list[dict[str, Any]]:
        """Answer each query; periods begin at multiples of the period, as CloudWatch's do."""
        start, end = start_time.timestamp(), end_time.timestamp()
        results = []
        for query in queries:
            if "MetricStat" not in query:
                raise InvalidParameterValue(f"Expressions are not evaluated here: {query.get('Expression')}")
            stat = query["MetricStat"]
            metric, period = stat["Metric"], int(stat["Period"])
            dimensions = tuple(sorted((each["Name"], each["Value"]) for each in metric.get("Dimensions", [])))
            with _lock:
                data = list(_series(self).get((metric["Namespace"], metric["MetricName"], dimensions), ()))
            found = _periods(data, stat["Stat"], period, start - start % period, end)
            if scan_by == "TimestampDescending":
                found.reverse()
            results.append(
                {
                    "id": query["Id"],
                    "label": query.get("Label") or f"{metric['MetricName']} {stat['Stat']}",
                    "values": [value for _, value in found],
                    "timestamps": [datetime.fromtimestamp(time, UTC).replace(tzinfo=None) for time, _ in found],
                    "status_code": "Complete",
                }
            )
        return results

    def list_metrics(
        self, next_token: str | None, namespace: str, metric_name: str, dimensions: list[dict[str, str]]
    ) -> tuple[str | None, list[Any]]:
        """List each series once."""
        if next_token:
            if next_token not in self.paged_metric_data:
                raise InvalidParameterValue("Request parameter NextToken is invalid")
            return self._get_paginated(self.paged_metric_data.pop(next_token))
        with _lock:
            each = [data[0] for data in _series(self).values()]
        return self._get_paginated([datum for datum in each if datum.filter(namespace, metric_name, dimensions)])


def add_composite_alarms() -> None:
    """moto lists and sets composite alarms but has no call that puts one; its call for the others takes their rule."""
    CloudWatchResponse.put_composite_alarm = CloudWatchResponse.put_metric_alarm


def _series(backend: Any) -> dict[_Key, list[Any]]:
    found: dict[_Key, list[Any]] = backend.__dict__.setdefault("series_by_key", {})
    return found


def _key(namespace: str, name: str, dimensions: Iterable[Any]) -> _Key:
    return namespace, name, tuple(sorted((str(each.name), str(each.value)) for each in dimensions))


def _periods(data: Iterable[Any], statistic: str, period: int, start: float, end: float) -> list[tuple[float, float]]:
    buckets: dict[float, list[Any]] = {}
    for datum in data:
        time = _epoch(datum.timestamp)
        if start <= time < end:
            buckets.setdefault(time - time % period, []).append(datum)
    return [(time, _statistic(statistic, buckets[time])) for time in sorted(buckets)]


def _epoch(time: datetime) -> float:
    return (time.replace(tzinfo=UTC) if time.tzinfo is None else time).timestamp()


def _statistic(statistic: str, data: list[Any]) -> float:
    def each(of_one: str, of_many: str) -> list[float]:
        return [float(getattr(one, of_many if isinstance(one, MetricAggregatedDatum) else of_one)) for one in data]

    count = sum(float(one.sample_count) if isinstance(one, MetricAggregatedDatum) else 1.0 for one in data)
    total = sum(each("value", "sum"))
    if statistic == "SampleCount":
        return count
    if statistic in ("Sum", "Average"):
        return total if statistic == "Sum" else total / count
    if statistic in ("Minimum", "Maximum"):
        return min(each("value", "min")) if statistic == "Minimum" else max(each("value", "max"))
    if not statistic.startswith("p"):
        raise InvalidParameterValue(f"The value {statistic} for parameter Stat is invalid")
    values = sorted(each("value", "max"))
    rank = math.ceil(float(statistic[1:]) / 100 * len(values))
    return values[max(0, min(len(values), rank) - 1)]
