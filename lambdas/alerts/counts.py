"""Sending samples to CloudWatch: summed, in as few calls as its limits allow."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from contracts.metrics import NAMESPACE
from lambdas.alerts.samples import Sample, Series
from lambdas.common.chunks import chunks
from lambdas.common.logs import fields
from lambdas.common.patience import Patience
from lambdas.common.records import Failure, failed
from lambdas.common.result import Result

LOGGER = logging.getLogger(__name__)

#: Limits of one PutMetricData call: metrics, and bytes (1 MB; some are left for what is around the metrics).
MAX_METRICS = 1000
MAX_BYTES = 950_000

# CloudWatch refuses a whole call for one time outside of two weeks back to two hours ahead. The margin pays
# for its clock not being ours, and for the time until it reads the call.
_MARGIN = timedelta(minutes=5)
MAX_AGE = timedelta(weeks=2) - _MARGIN
MAX_AHEAD = timedelta(hours=2) - _MARGIN

# Bytes of a metric in the most verbose protocol, without the dimension's value (up to three a character).
_DATUM_BYTES = 512


class CloudWatchClient(Protocol):
    """What is used of boto3's CloudWatch client."""

    def put_metric_data(self, *, Namespace: str, MetricData: Sequence[dict[str, object]]) -> object:
        """Take up to 1,000 metrics, or refuse them all."""
        ...


@dataclass
class _Sum:
    """One metric to send: what it counts, and the results that it comes from."""

    series: Series
    minute: datetime
    count: int = 0
    results: list[Result] = field(default_factory=list)

    @property
    def size(self) -> int:
        return _DATUM_BYTES + 3 * len(self.series.dimension_value or "")

    def datum(self) -> dict[str, object]:
        """The metric as PutMetricData takes it."""
        dimension, value = self.series.metric.dimension, self.series.dimension_value
        return {
            "MetricName": self.series.metric.name,
            "Dimensions": [] if dimension is None else [{"Name": dimension, "Value": value}],
            "Timestamp": self.minute,
            "Value": self.count,
            "Unit": "Count",
        }


def put(
    cloudwatch: CloudWatchClient,
    samples: Iterable[tuple[Result, Sample]],
    now: datetime,
    patience: Patience,
    accepted: Callable[[Iterable[Result]], None],
    namespace: str = NAMESPACE,
) -> tuple[list[Failure], int]:
    """Send the samples; answer the failed records, and how many samples were too old or too far ahead.

    Counts of one series and minute are summed: CloudWatch keeps standard metrics by the minute, so nothing is
    lost. Samples outside of what CloudWatch accepts at ``now`` (UTC) would be refused for ever: they are
    logged and left out, and their records are not failed. A refused call fails every record that contributed
    to it, and so does one that there is no time for. ``accepted`` is told the results of each call that CloudWatch
    took, before the next call, and those that were left out.
    """
    sums: dict[tuple[Series, datetime], _Sum] = {}
    outside: Counter[str] = Counter()
    left_out: list[Result] = []
    for result, sample in samples:
        if not -MAX_AHEAD <= now - sample.time <= MAX_AGE:
            outside[sample.series.metric.name] += 1
            left_out.append(result)
            continue
        minute = sample.time.replace(second=0, microsecond=0)
        total = sums.setdefault((sample.series, minute), _Sum(sample.series, minute))
        total.count += sample.count
        total.results.append(result)
    for name, count in outside.items():
        LOGGER.warning("CloudWatch would refuse the time of samples", extra=fields(metric=name, samples=count))
    accepted(left_out)

    failures: list[Failure] = []
    for chunk in chunks(sums.values(), max_items=MAX_METRICS, max_bytes=MAX_BYTES, size_of=lambda total: total.size):
        if not patience.lasts():
            failures += _failures(chunk, "no time left for CloudWatch")
            continue
        try:
            cloudwatch.put_metric_data(Namespace=namespace, MetricData=[total.datum() for total in chunk])
        except (ClientError, BotoCoreError) as error:
            LOGGER.exception("CloudWatch took no metric of a call", extra=fields(metrics=len(chunk)))
            failures += _failures(chunk, f"CloudWatch put_metric_data failed: {type(error).__name__}")
        else:
            accepted(result for total in chunk for result in total.results)
    return failures, outside.total()


def _failures(chunk: Iterable[_Sum], reason: str) -> list[Failure]:
    return [
        failed(LOGGER, result.shard, sequence, reason, result.result_id)
        for total in chunk
        for result in total.results
        for sequence in result.sequences
    ]
