"""The input as a topic of Kafka."""

from __future__ import annotations

from collections.abc import Sequence

from local.oracle.records import LogRecord
from local.standins.kafka_broker import KafkaBroker
from local.traffic.plan import Planned


class TopicLog:
    """Appends to the partitions of a topic, which has one for each shard of the traffic."""

    def __init__(self, broker: KafkaBroker, topic: str) -> None:
        self._broker = broker
        self._topic = topic

    def append(self, batch: Sequence[Planned]) -> list[LogRecord]:
        """Writes the batch; see :class:`local.traffic.delivery.Log`. RestError when the broker is away for minutes."""
        places = self._broker.write(self._topic, [(record.shard, record.payload) for record in batch])
        return [
            LogRecord(self._topic, str(record.shard), str(place.offset), place.arrival, record.payload)
            for record, place in zip(batch, places, strict=True)
        ]
