"""Objects as the archive's Firehose leaves them: gzipped lines of its own function, by the hour of their arrival."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import itertools
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from contracts.archive import position
from lambdas.archive_transform.line import line_of
from lambdas.archive_transform.place import KINESIS, Source
from local.oracle.records import LogRecord
from local.traffic.plan import Planned

STREAM = "archived"
#: Kinesis' sequence numbers have 56 digits, too many for a machine's number.
_FIRST_SEQUENCE = 49_600_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000


def shard(number: int) -> str:
    """Name of a shard."""
    return f"shardId-{number:012d}"


class ArchiveLog:
    """Writes an object a batch below ``folder``; each appears whole, as it does in S3."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sequences = itertools.count(_FIRST_SEQUENCE)
        self._objects = itertools.count()

    @property
    def prefix(self) -> str:
        """The folder's address, with a slash at the end."""
        return f"{self._folder.as_uri()}/"

    def append(self, batch: Sequence[Planned]) -> list[LogRecord]:
        """Writes the batch as an object; see :class:`local.traffic.delivery.Log`."""
        records = self.taken(batch)
        self.write(lines(records))
        return records

    def taken(self, batch: Sequence[Planned]) -> list[LogRecord]:
        """The batch as a stream has it, in no object yet."""
        arrival = time.time_ns() // 1_000_000
        return [
            LogRecord(STREAM, shard(record.shard), str(next(self._sequences)), arrival, record.payload)
            for record in batch
        ]

    def taken_packed(self, payloads: Sequence[bytes], number: int = 0) -> list[LogRecord]:
        """Payloads that a producer packed into one record of a shard."""
        (record,) = self.taken([Planned(number, b"")])
        return [
            dataclasses.replace(record, position=position(record.position, sub), payload=payload)
            for sub, payload in enumerate(payloads)
        ]

    def write(self, content: bytes) -> Path:
        """Puts a gzipped object below the hour that it is."""
        return self.put(gzip.compress(content, mtime=0))

    def put(self, content: bytes) -> Path:
        """Puts an object of these bytes."""
        folder = self._folder / datetime.now(UTC).strftime("%Y/%m/%d/%H")
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{STREAM}-{next(self._objects):06d}.gz"
        hidden = folder / f".{name}"
        hidden.write_bytes(content)
        return hidden.replace(folder / name)


def lines(records: Sequence[LogRecord]) -> bytes:
    """What the archive's function makes of the records."""
    return b"".join(line_of(_delivered(record), Source(record.source, KINESIS)) for record in records)


def _delivered(record: LogRecord) -> dict[str, object]:
    sequence, _, sub = record.position.partition(".")
    metadata = {
        "shardId": record.partition,
        "sequenceNumber": sequence,
        "subsequenceNumber": int(sub or 0),
        "approximateArrivalTimestamp": record.arrival,
    }
    return {"data": base64.b64encode(record.payload).decode(), "kinesisRecordMetadata": metadata}
