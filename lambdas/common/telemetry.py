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

from lambdas.common.errors import RecordError
from lambdas.common.result import Result

#: Dimension of the metrics: the function's package.
DIMENSION = "Function"


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
        provider.add_dimension(DIMENSION, function)
        for name, value in (
            ("RecordsProcessed", self.processed),
            ("RecordsDuplicate", self.duplicate),
            ("RecordsRetried", self.retried),
            ("RecordsDeadLettered", self.dead_lettered),
        ):
            provider.add_metric(name, MetricUnit.Count, value)
        if self.oldest_age is not None:
            provider.add_metric("OldestResultAge", MetricUnit.Milliseconds, self.oldest_age)
        return dict(provider.serialize_metric_set())


def oldest_age(results: Iterable[Result], now: datetime) -> int | None:
    """Milliseconds since the oldest result became true, the delay from end to end; None where none has a time."""
    times = []
    for result in results:
        try:
            times.append(result.time("arrival_time" if "event_time" not in result.document else "event_time"))
        except RecordError:  # it is told of where the result is used
            continue
    return None if not times else max(0, int((now - min(times)).total_seconds() * 1000))
