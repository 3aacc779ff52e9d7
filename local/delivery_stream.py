"""Archives a Kinesis stream in a folder, as a Firehose delivery stream does in a bucket: gzipped lines, by the hour.

With a transformation, the records go through the function's handler, which makes the lines; without one, each record is
a line, as with Firehose's AppendDelimiterToRecord.
"""

from __future__ import annotations

import base64
import gzip
import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from local.packed import unpacked

_POLL_SECONDS = 1.0
#: A file is written after so long, or at the end.
_BUFFER_SECONDS = 5.0
#: Bytes of records that the function is called with at once; Firehose's buffer hint is 1 MB.
_CALL_BYTES = 1_000_000

#: A transformation: Firehose's event in, its answer out.
Transform = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class TransformFailed(Exception):
    """The function answered something other than a line for a record."""


class DeliveryStream:
    """Reads a stream from its beginning in a thread of its own, and writes files below ``folder``.

    Args:
        client: of Kinesis.
        stream: its name.
        folder: gets ``yyyy/MM/dd/HH/<stream>-<number>.gz``.
        transform: makes the lines; None takes the records as they are.
    """

    def __init__(self, client: Any, stream: str, folder: Path, transform: Transform | None = None) -> None:
        self._client = client
        self._stream = stream
        self._folder = folder
        self._transform = transform
        self._lines: list[bytes] = []
        self._written_at = time.monotonic()
        self._numbers = itertools.count()
        self._ending = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"delivery-{stream}", daemon=True)

    def __enter__(self) -> Self:
        """Begins to read."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ends without reading the rest."""
        self._ending.set()
        self._thread.join(30)

    def finish(self) -> None:
        """Reads to the end of the stream, writes what is left and ends. Raises what went wrong."""
        self._ending.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            arn = self._client.describe_stream_summary(StreamName=self._stream)["StreamDescriptionSummary"]["StreamARN"]
            iterators = {
                shard["ShardId"]: self._client.get_shard_iterator(
                    StreamName=self._stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
                )["ShardIterator"]
                for shard in self._client.list_shards(StreamName=self._stream)["Shards"]
            }
            ended = False
            while not ended:
                last = self._ending.is_set()  # a read that begins after it sees everything
                read = sum(self._read(arn, shard, iterators) for shard in iterators)
                ended = last and read == 0
                if ended or time.monotonic() - self._written_at >= _BUFFER_SECONDS:
                    self._write()
                if read == 0 and not ended:
                    self._ending.wait(_POLL_SECONDS)
        except Exception as error:  # noqa: BLE001 - raised by finish, in the owner's thread
            self._error = error

    def _read(self, arn: str, shard: str, iterators: dict[str, str]) -> int:
        answer = self._client.get_records(ShardIterator=iterators[shard], Limit=10_000)
        iterators[shard] = answer["NextShardIterator"]
        records = answer["Records"]
        if self._transform is None:
            self._lines += [record["Data"] + b"\n" for record in records]
        else:
            for batch in _batches(records):
                self._lines += _lines(self._transform(_event(arn, self._stream, shard, batch)))
        return len(records)

    def _write(self) -> None:
        self._written_at = time.monotonic()
        if not self._lines:
            return
        folder = self._folder / datetime.now(UTC).strftime("%Y/%m/%d/%H")
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{self._stream}-{next(self._numbers):06d}.gz"
        hidden = folder / f".{name}"
        hidden.write_bytes(gzip.compress(b"".join(self._lines), mtime=0))
        hidden.replace(folder / name)
        self._lines = []


def _batches(records: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    batches: list[list[Mapping[str, Any]]] = []
    size = _CALL_BYTES
    for record in records:
        if size + len(record["Data"]) > _CALL_BYTES:
            batches.append([])
            size = 0
        batches[-1].append(record)
        size += len(record["Data"])
    return batches


def _event(arn: str, stream: str, shard: str, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The event that Firehose gives the function (Lambda developer guide, Firehose event), packed records unpacked."""
    return {
        "invocationId": f"{shard}-{records[0]['SequenceNumber']}",
        "deliveryStreamArn": arn.replace(":kinesis:", ":firehose:").replace(":stream/", ":deliverystream/"),
        "sourceKinesisStreamArn": arn,
        "region": arn.split(":")[3],
        "records": [
            {
                "recordId": f"{record['SequenceNumber']}{sub:06}",
                "approximateArrivalTimestamp": _millis(record),
                "data": base64.b64encode(payload).decode(),
                "kinesisRecordMetadata": {
                    "shardId": shard,
                    "partitionKey": record["PartitionKey"],
                    "approximateArrivalTimestamp": _millis(record),
                    "sequenceNumber": record["SequenceNumber"],
                    "subsequenceNumber": sub,
                },
            }
            for record in records
            for sub, payload in enumerate(unpacked(record["Data"]))
        ],
    }


def _millis(record: Mapping[str, Any]) -> int:
    return int(record["ApproximateArrivalTimestamp"].timestamp() * 1000)


def _lines(answer: Mapping[str, Any]) -> list[bytes]:
    for record in answer["records"]:
        if record["result"] != "Ok":
            raise TransformFailed(f"record {record['recordId']}: {record['result']}")
    return [base64.b64decode(record["data"]) for record in answer["records"]]
