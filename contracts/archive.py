"""The archive of raw events: one JSON object a line, what ``FilesSource`` (flink_jobs/java) reads for a backfill.

The payload is base64 whatever it holds: a broken event has to come back byte by byte to be judged as it was, and a
query reads it with ``from_utf8(from_base64(payload))``.
"""

from __future__ import annotations

from contracts.columns import Column, ColumnType

SOURCE = "source"
PARTITION = "partition"
POSITION = "position"
ARRIVAL_TIME = "arrival_time"
PAYLOAD = "payload"
VERDICT = "verdict"

#: What every line has. ``source``, ``partition`` and ``position`` are a rejection's, too, and make its id.
ARCHIVE_COLUMNS = (
    Column(SOURCE, ColumnType.STRING, "the stream's name"),
    Column(PARTITION, ColumnType.STRING, "the shard"),
    Column(POSITION, ColumnType.STRING, "the sequence number, with the sub-sequence number of a packed record"),
    Column(ARRIVAL_TIME, ColumnType.LONG, "when the stream took it, epoch milliseconds"),
    Column(PAYLOAD, ColumnType.STRING, "the record as it came, base64"),
)

#: What a line may have: how the live run judged the record, :data:`ACCEPTED` or the reason of its rejection.
VERDICT_COLUMN = Column(VERDICT, ColumnType.STRING, "`accepted` or the reason of the rejection", nullable=True)
ACCEPTED = "accepted"


def position(sequence: str, sub: int = 0) -> str:
    """A record's place in its shard: the sequence number, and behind a dot the sub-sequence number.

    The Kinesis Producer Library packs several records into one, which has one sequence number. The first of them has
    the place of a record that stands alone: Firehose does not tell them apart.
    """
    return f"{sequence}.{sub}" if sub else sequence
