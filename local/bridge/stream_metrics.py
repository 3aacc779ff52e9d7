"""What Kinesis and SQS publish: records that streams took, how far behind readers are, messages that wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local.bridge.samples import Sample
from local.event_source_mapping import EventSourceMapping
from monitoring import service_metrics as service
from monitoring.series import series

#: Records and bytes that a stream has taken so far.
Taken = Callable[[], tuple[int, int]]


class StreamMetrics:
    """Counts what streams take; ``taken`` is by the stream's name. Kinesis publishes nothing where nothing came."""

    def __init__(self, taken: Mapping[str, Taken]) -> None:
        self._taken = taken
        self._before = dict.fromkeys(taken, (0, 0))

    def samples(self, mappings: tuple[EventSourceMapping, ...]) -> Iterator[Sample]:
        """Samples of now."""
        now = time.time()
        for stream, taken in self._taken.items():
            records, size = taken()
            known_records, known_size = self._before[stream]
            self._before[stream] = (records, size)
            if records > known_records:
                yield Sample(series(service.INCOMING_RECORDS, stream), records - known_records, now)
                yield Sample(series(service.INCOMING_BYTES, stream), size - known_size, now)
        for mapping in mappings:
            yield Sample(series(service.ITERATOR_AGE, mapping.stream), mapping.behind(), now)


class QueueMetrics:
    """Asks SQS. Nothing takes messages out of these queues, so the oldest is the first that was seen."""

    def __init__(self, sqs: Any, queues: Mapping[str, str]) -> None:
        self._sqs = sqs
        self._urls = {name: sqs.get_queue_url(QueueName=name)["QueueUrl"] for name in queues.values()}
        self._since: dict[str, float] = {}

    def samples(self) -> Iterator[Sample]:
        """Samples of now. Raises botocore's errors."""
        now = time.time()
        for name, url in self._urls.items():
            wanted = "ApproximateNumberOfMessages"
            answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[wanted])
            waiting = int(answer["Attributes"][wanted])
            if not waiting:
                self._since.pop(name, None)
            age = now - self._since.setdefault(name, now) if waiting else 0.0
            yield Sample(series(service.MESSAGES, name), waiting, now)
            yield Sample(series(service.MESSAGE_AGE, name), age, now)
