"""The input as a Kinesis stream."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from contracts.archive import position
from local.oracle.records import LogRecord
from local.packed import packed
from local.traffic.delivery import DeliveryFailed
from local.traffic.plan import Planned

#: Records that are packed into one, of each batch.
_PACKED = 10


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
        """Puts the batch; see :class:`local.traffic.delivery.Log`.

        The first records of a shard go packed into one, as the Kinesis Producer Library sends them.
        """
        entries: list[list[int]] = []
        pack: list[int] = []
        for number, record in enumerate(batch):
            if pack and record.shard == batch[pack[0]].shard and len(pack) < _PACKED:
                pack.append(number)
                continue
            entries.append([number])
            pack = pack or entries[-1]
        answer = self._client.put_records(
            StreamName=self._stream,
            Records=[self._entry([batch[number] for number in entry]) for entry in entries],
        )
        if answer["FailedRecordCount"]:
            raise DeliveryFailed(f"stream {self._stream} refused {answer['FailedRecordCount']} records")
        arrival = time.time_ns() // 1_000_000
        taken = {
            number: (put["ShardId"], position(put["SequenceNumber"], sub))
            for entry, put in zip(entries, answer["Records"], strict=True)
            for sub, number in enumerate(entry)
        }
        return [LogRecord(self._stream, *taken[number], arrival, record.payload) for number, record in enumerate(batch)]

    def _entry(self, records: Sequence[Planned]) -> dict[str, Any]:
        hash_key = self._hash_keys[records[0].shard]
        payloads = [record.payload for record in records]
        return {
            "Data": payloads[0] if len(payloads) == 1 else packed(payloads, hash_key),
            "PartitionKey": "demo",
            "ExplicitHashKey": hash_key,
        }
