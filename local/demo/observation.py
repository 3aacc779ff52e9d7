"""Reads back what the sinks hold: the search index and the metrics."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.metrics import FUNCTION_METRICS, METRICS, NAMESPACE
from contracts.results import ResultType
from local.standins.opensearch import OpenSearch

_DAY = timedelta(days=1)


def indexed_documents(opensearch: OpenSearch, prefix: str = "realtime-analytics") -> dict[str, int]:
    """Documents per result type."""
    opensearch.call("POST", "/_refresh")
    found = opensearch.call("GET", f"/_cat/indices/{prefix}-*?format=json&h=index,docs.count")
    counts: Counter[str] = Counter()
    for row in found:  # <prefix>-<type>-<week>
        counts[str(row["index"]).removeprefix(f"{prefix}-").partition("-")[0]] += int(row["docs.count"])
    return {job.value: counts[job.value] for job in ResultType}


def metric_sums(cloudwatch: Any, start: int, now: int) -> dict[tuple[str, str], float]:
    """Sum of every sample of the kit's metrics between ``start`` and ``now`` (epoch ms), a day around them.

    Keys: metric name and dimension value, "" for a metric without a dimension.
    """
    begin = datetime.fromtimestamp(start / 1000, UTC) - _DAY
    end = datetime.fromtimestamp(now / 1000, UTC) + _DAY
    known = {metric.name for metric in METRICS}
    told = {metric.name for metric in FUNCTION_METRICS}  # what the functions say of themselves
    sums: dict[tuple[str, str], float] = {}
    for page in cloudwatch.get_paginator("list_metrics").paginate(Namespace=NAMESPACE):
        for metric in page["Metrics"]:
            name, dimensions = metric["MetricName"], metric["Dimensions"]
            if name in told:
                continue
            if name not in known:
                raise ValueError(f"metric {name} is not in contracts/metrics.py")
            key = (name, dimensions[0]["Value"] if dimensions else "")
            if key not in sums:
                answer = cloudwatch.get_metric_statistics(
                    Namespace=NAMESPACE,
                    MetricName=name,
                    Dimensions=dimensions,
                    StartTime=begin,
                    EndTime=end,
                    Period=3600,
                    Statistics=["Sum"],
                )
                sums[key] = sum(point["Sum"] for point in answer["Datapoints"])
    return sums
