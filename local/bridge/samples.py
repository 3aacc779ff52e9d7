"""Samples on their way to CloudWatch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from monitoring.series import Series

#: Limit of one PutMetricData call.
_MOST_METRICS = 1000


@dataclass(frozen=True)
class Sample:
    """A value of a series at ``time``, epoch seconds."""

    series: Series
    value: float
    time: float


def put(client: Any, samples: Iterable[Sample]) -> int:
    """Sends the samples; answers how many. Raises botocore's errors."""
    ordered = sorted(samples, key=lambda sample: sample.series.namespace)
    for namespace, group in groupby(ordered, key=lambda sample: sample.series.namespace):
        for chunk in _chunks(list(group)):
            client.put_metric_data(Namespace=namespace, MetricData=[_datum(sample) for sample in chunk])
    return len(ordered)


def _datum(sample: Sample) -> dict[str, object]:
    series = sample.series
    return {
        "MetricName": series.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in series.dimensions.items()],
        "Timestamp": datetime.fromtimestamp(sample.time, UTC),
        "Value": sample.value,
        "Unit": series.metric.unit.value,
    }


def _chunks(samples: Sequence[Sample]) -> Iterator[Sequence[Sample]]:
    for start in range(0, len(samples), _MOST_METRICS):
        yield samples[start : start + _MOST_METRICS]
