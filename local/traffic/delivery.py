"""Sends planned records to a Kinesis stream, in order per shard, and keeps the log of what was taken."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from local.oracle.records import LogRecord
from local.traffic.plan import Planned

#: Limits of PutRecords: 500 records, 5 MB; half of it leaves room for keys.
_MAX_RECORDS = 500
_MAX_BYTES = 2_500_000


class DeliveryFailed(Exception):
    """The stream refused records; retrying would change their order."""


class Delivery:
    """A producer. One thread sends; others may read ``sent`` and ``log``.

    Args:
        client: boto3 client of Kinesis.
        stream: its name.
        shards: how many the stream has.
        stop: set to end early.
    """

    def __init__(self, client: Any, stream: str, shards: int, stop: threading.Event) -> None:
        self.log: list[LogRecord] = []
        self.planned: list[Planned] = []
        self._client = client
        self._stream = stream
        self._stop = stop
        listed = sorted(client.list_shards(StreamName=stream)["Shards"], key=lambda shard: str(shard["ShardId"]))
        if len(listed) != shards:
            raise DeliveryFailed(f"stream {stream} has {len(listed)} shards instead of {shards}")
        self._hash_keys = [shard["HashKeyRange"]["StartingHashKey"] for shard in listed]

    @property
    def sent(self) -> int:
        """Records that the stream has taken."""
        return len(self.log)

    def send(self, records: Sequence[Planned], rate: int = 0) -> None:
        """Sends all, at most ``rate`` a second (0: no limit); DeliveryFailed when the stream refuses any."""
        began, done = time.monotonic(), 0
        for batch in _batches(records, _MAX_RECORDS if rate == 0 else max(1, min(_MAX_RECORDS, rate // 5))):
            if rate and self._stop.wait(max(0.0, began + done / rate - time.monotonic())):
                return
            self._put(batch)
            done += len(batch)
            if self._stop.is_set():
                return

    def _put(self, batch: Sequence[Planned]) -> None:
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
        self.planned += batch
        self.log += [
            LogRecord(self._stream, taken["ShardId"], taken["SequenceNumber"], arrival, record.payload)
            for record, taken in zip(batch, answer["Records"], strict=True)
        ]


def _batches(records: Sequence[Planned], size: int) -> Iterator[list[Planned]]:
    batch: list[Planned] = []
    total = 0
    for record in records:
        if batch and (len(batch) == size or total + len(record.payload) > _MAX_BYTES):
            yield batch
            batch, total = [], 0
        batch.append(record)
        total += len(record.payload)
    if batch:
        yield batch
