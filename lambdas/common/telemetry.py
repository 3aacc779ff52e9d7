"""What a function says of itself: metrics in CloudWatch's embedded format, as members of its log line.

Powertools writes the format's envelope; the line goes where all our lines go.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from contracts import metrics
from contracts.results import RUN_BACKFILL
from lambdas.common.errors import RecordError
from lambdas.common.result import Result


@dataclass(frozen=True)
class Counts:
    """One invocation's outcome, in records, and the age of its oldest result in milliseconds (None without results)."""

    processed: int
    duplicate: int
    retried: int
    dead_lettered: int
    oldest_age: int | None

    def members(self, namespace: str, function: str) -> dict[str, Any]:
        """Members of a JSON line that CloudWatch Logs turns into metrics."""
        provider = AmazonCloudWatchEMFProvider(metric_set={}, dimension_set={}, metadata_set={}, namespace=namespace)
        provider.add_dimension(metrics.FUNCTION, function)
        values = {
            metrics.PROCESSED: self.processed,
            metrics.DUPLICATE: self.duplicate,
            metrics.RETRIED: self.retried,
            metrics.DEAD_LETTERED: self.dead_lettered,
            metrics.OLDEST_AGE: self.oldest_age,
        }
        for metric, value in values.items():
            if value is not None:
                provider.add_metric(metric.name, MetricUnit(metric.unit), value)
        return dict(provider.serialize_metric_set())


def oldest_age(results: Iterable[Result], now: datetime) -> int | None:
    """Milliseconds since the oldest live result became true, the delay from end to end; None where none has a time."""
    times = []
    for result in results:
        if result.document.get("run") == RUN_BACKFILL:
            continue
        try:
            times.append(result.time("arrival_time" if "event_time" not in result.document else "event_time"))
        except RecordError:  # it is told of where the result is used
            continue
    return None if not times else max(0, int((now - min(times)).total_seconds() * 1000))
