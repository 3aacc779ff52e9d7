"""Sending samples to CloudWatch: summed, in as few calls as its limits allow."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from contracts.metrics import NAMESPACE
from lambdas.alerts.samples import MOST_SAMPLES, Sample, Series
from lambdas.common.chunks import chunks
from lambdas.common.logs import fields
from lambdas.common.patience import Patience
from lambdas.common.records import Failure, failures_of
from lambdas.common.result import Result

LOGGER = logging.getLogger(__name__)

#: Limits of one PutMetricData call: metrics, and bytes (1 MB; some are left for what is around the metrics).
MAX_METRICS = 1000
#: Results whose samples fit into a call, however many each has.
MAX_SUMS = MAX_METRICS // MOST_SAMPLES
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
    """Metrics of a minute to send together, by series, and the results that all of them come from.

    Together, because a result whose one metric was taken and whose other was refused would come again and count twice.
    """

    minute: datetime
    values: dict[Series, float]
    results: list[Result] = field(default_factory=list)

    @property
    def size(self) -> int:
        return sum(_DATUM_BYTES + 3 * len(series.dimension_value or "") for series in self.values)

    def data(self) -> Iterator[dict[str, object]]:
        """The metrics as PutMetricData takes them."""
        for series, value in self.values.items():
            dimension = series.metric.dimension
            yield {
                "MetricName": series.metric.name,
                "Dimensions": [] if dimension is None else [{"Name": dimension, "Value": series.dimension_value}],
                "Timestamp": self.minute,
                "Value": value,
                "Unit": series.metric.unit,
            }


def takes(time: datetime, now: datetime) -> bool:
    """Whether CloudWatch takes a sample of ``time`` at ``now`` (both UTC)."""
    return -MAX_AHEAD <= now - time <= MAX_AGE


def put(
    cloudwatch: CloudWatchClient,
    samples: Iterable[tuple[Result, tuple[Sample, ...]]],
    now: datetime,
    patience: Patience,
    accepted: Callable[[Iterable[Result]], None],
    namespace: str = NAMESPACE,
) -> tuple[list[Failure], int]:
    """Send the samples; answer the failed records, and how many samples were too old or too far ahead.

    The samples of one result are of one time, and are taken or refused together.

    Samples of one series and minute are summed: CloudWatch keeps standard metrics by the minute, so nothing is
    lost. Samples outside of what CloudWatch accepts at ``now`` (UTC) would be refused for ever: they are
    logged and left out, and their records are not failed. A refused call fails every record that contributed
    to it, and so does one that there is no time for. ``accepted`` is told the results of each call that CloudWatch
    took, before the next call, and those that were left out.
    """
    sums: dict[tuple[tuple[Series, ...], datetime], _Sum] = {}
    outside: Counter[str] = Counter()
    left_out: list[Result] = []
    for result, added in samples:
        time = added[0].time
        if not takes(time, now):
            outside.update(sample.series.metric.name for sample in added)
            left_out.append(result)
            continue
        minute, series = time.replace(second=0, microsecond=0), tuple(sample.series for sample in added)
        total = sums.setdefault((series, minute), _Sum(minute, dict.fromkeys(series, 0)))
        for sample in added:
            total.values[sample.series] += sample.value
        total.results.append(result)
    for name, count in outside.items():
        LOGGER.warning("CloudWatch would refuse the time of samples", extra=fields(metric=name, samples=count))
    accepted(left_out)

    failures: list[Failure] = []
    for chunk in chunks(sums.values(), max_items=MAX_SUMS, max_bytes=MAX_BYTES, size_of=lambda total: total.size):
        if not patience.lasts():
            failures += _failures(chunk, "no time left for CloudWatch")
            continue
        try:
            data = [datum for total in chunk for datum in total.data()]
            cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
        except (ClientError, BotoCoreError) as error:
            LOGGER.exception("CloudWatch took no metric of a call", extra=fields(metrics=len(chunk)))
            failures += _failures(chunk, f"CloudWatch put_metric_data failed: {type(error).__name__}")
        else:
            accepted(result for total in chunk for result in total.results)
    return failures, outside.total()


def _failures(chunk: Iterable[_Sum], reason: str) -> list[Failure]:
    return [failure for total in chunk for result in total.results for failure in failures_of(LOGGER, result, reason)]
