"""The input as a Kinesis stream."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from local.oracle.records import LogRecord
from local.traffic.delivery import DeliveryFailed
from local.traffic.plan import Planned


class KinesisLog:
    """Appends to the shards of a stream; DeliveryFailed when it has another number of them.

    Args:
        client: boto3 client of Kinesis.
        stream: its name.
        shards: how many the stream has.
    """

    def __init__(self, client: Any, stream: str, shards: int) -> None:
        self._client = client
        self._stream = stream
        listed = sorted(client.list_shards(StreamName=stream)["Shards"], key=lambda shard: str(shard["ShardId"]))
        if len(listed) != shards:
            raise DeliveryFailed(f"stream {stream} has {len(listed)} shards instead of {shards}")
        self._hash_keys = [shard["HashKeyRange"]["StartingHashKey"] for shard in listed]

    def append(self, batch: Sequence[Planned]) -> list[LogRecord]:
        """Puts the batch; see :class:`local.traffic.delivery.Log`."""
        answer = self._client.put_records(
            StreamName=self._stream,
            Records=[
                {
                    "Data": record.payload,
                    "PartitionKey": "demo",
                    "ExplicitHashKey": self._hash_keys[record.shard],
                }
                for record in batch
            ],
        )
        if answer["FailedRecordCount"]:
            raise DeliveryFailed(f"stream {self._stream} refused {answer['FailedRecordCount']} records")
        arrival = time.time_ns() // 1_000_000
        return [
            LogRecord(self._stream, taken["ShardId"], taken["SequenceNumber"], arrival, record.payload)
            for record, taken in zip(batch, answer["Records"], strict=True)
        ]
