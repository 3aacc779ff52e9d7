"""What Lambda publishes of a function's calls, and what CloudWatch Logs makes of its lines in embedded format."""

from __future__ import annotations

import json
import logging
import queue
from collections.abc import Iterator
from typing import Any

from lambdas.common.logs import JsonFormatter
from local.bridge.samples import Sample
from local.lambda_function import Invocation
from monitoring import service_metrics as service
from monitoring.catalogue import FUNCTION
from monitoring.series import series


class FunctionMetrics:
    """Takes invocations from their threads; the bridge takes the samples out."""

    def __init__(self) -> None:
        self._samples: queue.SimpleQueue[Sample] = queue.SimpleQueue()

    def take(self, invocation: Invocation) -> None:
        """Counts a call that has ended."""
        for metric, value in (
            (service.INVOCATIONS, 1.0),
            (service.ERRORS, float(invocation.raised)),
            (service.DURATION, invocation.milliseconds),
            (service.READ_AGE, invocation.iterator_age),
        ):
            if value is not None:
                self._samples.put(Sample(series(metric, invocation.function), value, invocation.ended))

    def samples(self) -> Iterator[Sample]:
        """What came since the last call."""
        yield from _drained(self._samples)


class EmbeddedMetrics(logging.Handler):
    """Reads log lines as CloudWatch Logs does: a line with ``_aws`` holds metrics."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self._samples: queue.SimpleQueue[Sample] = queue.SimpleQueue()

    def emit(self, record: logging.LogRecord) -> None:
        """Takes a record's metrics."""
        try:
            line = json.loads(self.format(record))
            if "_aws" in line:
                for sample in _embedded(line):
                    self._samples.put(sample)
        except Exception:  # noqa: BLE001 - a handler must not raise into who logs
            self.handleError(record)

    def samples(self) -> Iterator[Sample]:
        """What came since the last call."""
        yield from _drained(self._samples)


def _embedded(line: dict[str, Any]) -> Iterator[Sample]:
    time = line["_aws"]["Timestamp"] / 1000
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for dimensions in directive["Dimensions"]:
            for metric in directive["Metrics"]:
                values = line[metric["Name"]]
                for value in values if isinstance(values, list) else [values]:
                    yield Sample(
                        series(
                            FUNCTION[metric["Name"]],
                            *(str(line[name]) for name in dimensions),
                            namespace=directive["Namespace"],
                        ),
                        float(value),
                        time,
                    )


def _drained(samples: queue.SimpleQueue[Sample]) -> Iterator[Sample]:
    while True:
        try:
            yield samples.get_nowait()
        except queue.Empty:
            return
