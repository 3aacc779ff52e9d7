"""What comes into a stream from now on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def open_shards(kinesis: Any, stream: str) -> Iterator[dict[str, Any]]:
    """Shards that take records."""
    for page in kinesis.get_paginator("list_shards").paginate(StreamName=stream):
        for shard in page["Shards"]:
            if "EndingSequenceNumber" not in shard["SequenceNumberRange"]:
                yield shard


class Tail:
    """A reader of all open shards, which begins when it is made."""

    def __init__(self, kinesis: Any, stream: str) -> None:
        self._kinesis = kinesis
        self._iterators = [
            kinesis.get_shard_iterator(StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="LATEST")[
                "ShardIterator"
            ]
            for shard in open_shards(kinesis, stream)
        ]

    def read(self) -> Iterator[dict[str, Any]]:
        """Documents that have come since it was last asked."""
        for index, iterator in enumerate(self._iterators):
            answer = self._kinesis.get_records(ShardIterator=iterator, Limit=1000)
            self._iterators[index] = answer.get("NextShardIterator", iterator)
            for record in answer["Records"]:
                yield json.loads(record["Data"])
