"""Reads series from the local CloudWatch, many in a call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from local.cloudwatch.points import MetricKey, Points, Range, Stat

#: Queries that GetMetricData takes.
_MOST_QUERIES = 500

Wanted = tuple[Stat, Range]


class Reader:
    """Reads metrics through a boto3 client of CloudWatch; its errors are botocore's."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def points(self, wanted: Iterable[Wanted]) -> dict[Wanted, Points]:
        """The statistic of each over its range, in the range's periods."""
        found: dict[Wanted, Points] = {}
        by_range: dict[Range, list[Wanted]] = {}
        for each in set(wanted):
            by_range.setdefault(each[1], []).append(each)
        for over, those in by_range.items():
            for chunk in _chunks(those, _MOST_QUERIES):
                answer = self._client.get_metric_data(
                    MetricDataQueries=[_query(number, *each) for number, each in enumerate(chunk)],
                    StartTime=datetime.fromtimestamp(over.start, UTC),
                    EndTime=datetime.fromtimestamp(over.end, UTC),
                    ScanBy="TimestampAscending",
                )
                for result in answer["MetricDataResults"]:
                    values = zip(result["Timestamps"], result["Values"], strict=True)
                    found[chunk[int(result["Id"][1:])]] = {int(time.timestamp()): value for time, value in values}
        return found

    def values(self, namespace: str, name: str, dimensions: Sequence[str]) -> list[MetricKey]:
        """The series of a metric that have just these dimensions, in order of their values."""
        pages = self._client.get_paginator("list_metrics").paginate(Namespace=namespace, MetricName=name)
        keys = [
            MetricKey.of(namespace, name, {each["Name"]: each["Value"] for each in metric["Dimensions"]})
            for page in pages
            for metric in page["Metrics"]
        ]
        return sorted(
            (key for key in keys if {dimension for dimension, _ in key.dimensions} == set(dimensions)),
            key=lambda key: key.dimensions,
        )


def _query(number: int, stat: Stat, over: Range) -> dict[str, Any]:
    key = stat.key
    return {
        "Id": f"q{number}",
        "MetricStat": {
            "Metric": {
                "Namespace": key.namespace,
                "MetricName": key.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in key.dimensions],
            },
            "Period": over.period,
            "Stat": stat.statistic,
        },
    }


def _chunks(items: Sequence[Wanted], size: int) -> Iterator[Sequence[Wanted]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
