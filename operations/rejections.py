"""Rejected events sent again after a fix: from the stream of rejections into the stream of events, each once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from contracts.rejections import Reason
from lambdas.common.chunks import chunks
from lambdas.common.claim import Claim
from lambdas.common.errors import RecordError
from lambdas.common.json_text import json_object, utf8
from lambdas.common.once import Once
from lambdas.common.person import original

#: Reasons that a second try cannot help: the event would come later still, or count once more in the jobs that took it.
#: `make backfill` reads the archive's events in their own time instead.
HOPELESS = frozenset({Reason.LATE, Reason.LATE_AFTER_IDLE, Reason.DUPLICATE, Reason.RULE_FAILED})
HOPEFUL = tuple(reason for reason in Reason if reason not in HOPELESS)

#: Limits of one PutRecords call (5 MB; some are left for what is around the data).
_MOST_RECORDS = 500
_MOST_BYTES = 4 * 1024 * 1024
_AROUND_A_RECORD = 512


@dataclass(frozen=True)
class Rejected:
    """A rejected event: why, where it was in the stream of events, and its bytes (None where they were cut)."""

    reason: Reason
    source: str
    partition: str
    position: str
    arrived: datetime
    payload: bytes | None

    @property
    def key(self) -> str:
        """What it is claimed by: the record, not the rejection, which may be in the stream twice."""
        return f"event {self.source} {self.partition} {self.position}"


@dataclass
class Tally:
    """What was read and done, in events."""

    replayed: int = 0
    known: int = 0
    failed: int = 0
    cut: int = 0
    waiting: int = 0
    by_reason: dict[str, int] = field(default_factory=dict)


def rejected_of(data: bytes) -> Rejected:
    """The rejected event in a record of the stream of rejections, which the application writes.

    Raises :class:`RecordError` with the reason for any other bytes.
    """
    document = json_object(utf8(data))

    def text(name: str) -> str:
        value = document.get(name)
        if not isinstance(value, str):
            raise RecordError(f"`{name}` is missing or not a string")
        return value

    truncated = document.get("payload_truncated")
    if not isinstance(truncated, bool):
        raise RecordError("`payload_truncated` is missing or not a boolean")
    try:
        reason = Reason(text("reason"))
    except ValueError as error:
        raise RecordError("`reason` is not one of the contract's closed list") from error
    payload = original(text("payload"), text("payload_encoding"))
    return Rejected(
        reason=reason,
        source=text("source"),
        partition=text("partition"),
        position=text("position"),
        arrived=_time(text("arrival_time")),
        payload=None if truncated else payload,
    )


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise RecordError("`arrival_time` is not a time like 2026-11-23T10:00:00.000Z") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def read(kinesis: Any, stream: str, since: datetime | None) -> Iterator[bytes]:
    """Records of every shard, from ``since`` or the oldest, to where the shard stood when it was reached."""
    where: dict[str, object] = {"ShardIteratorType": "TRIM_HORIZON"}
    if since is not None:
        where = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": since}
    for page in kinesis.get_paginator("list_shards").paginate(StreamName=stream):
        for shard in page["Shards"]:
            iterator = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard["ShardId"], **where)["ShardIterator"]
            while iterator:
                answer = kinesis.get_records(ShardIterator=iterator)
                yield from (record["Data"] for record in answer["Records"])
                if answer.get("MillisBehindLatest", 0) == 0:
                    break
                iterator = answer.get("NextShardIterator")


@dataclass(frozen=True)
class EventReplayer:
    """Puts rejected events into ``stream`` again, in the shard that they came from where that is open still.

    ``step`` is called with the number of events that were dealt with.
    """

    kinesis: Any
    stream: str
    once: Once
    step: Callable[[int], None] = lambda _: None

    def replay(self, events: Iterable[Rejected], *, dry: bool) -> Tally:
        """All ``events``; a dry run counts them only."""
        tally = Tally()
        keys = self._hash_keys()
        for chunk in chunks(
            events,
            max_items=_MOST_RECORDS,
            max_bytes=_MOST_BYTES,
            size_of=lambda event: len(event.payload or b"") + _AROUND_A_RECORD,
        ):
            for event in chunk:
                tally.by_reason[event.reason.value] = tally.by_reason.get(event.reason.value, 0) + 1
            whole = [event for event in chunk if event.payload is not None]
            tally.cut += len(chunk) - len(whole)
            if dry:
                tally.waiting += len(whole)
            else:
                self._put(self._ours(whole, tally), keys, tally)
            self.step(len(chunk))
        return tally

    def _ours(self, events: Sequence[Rejected], tally: Tally) -> list[Rejected]:
        ours = []
        for event in {event.key: event for event in events}.values():
            claim = self.once.claim(event.key)
            if claim is Claim.OURS:
                ours.append(event)
            elif claim is Claim.DONE:
                tally.known += 1
            else:
                tally.waiting += 1
        return ours

    def _put(self, events: Sequence[Rejected], keys: dict[str, str], tally: Tally) -> None:
        if not events:
            return
        answer = self.kinesis.put_records(
            StreamName=self.stream, Records=[_entry(event, keys.get(event.partition)) for event in events]
        )
        refused = {
            event.key
            for event, told in zip(events, answer["Records"], strict=True)
            if told.get("ErrorCode")  # throttled: asked for again by running the command again
        }
        self.once.done(event.key for event in events if event.key not in refused)
        self.once.release(refused)
        tally.replayed += len(events) - len(refused)
        tally.failed += len(refused)

    def _hash_keys(self) -> dict[str, str]:
        """A hash key within each shard that is open."""
        return {
            shard["ShardId"]: shard["HashKeyRange"]["StartingHashKey"]
            for page in self.kinesis.get_paginator("list_shards").paginate(StreamName=self.stream)
            for shard in page["Shards"]
            if "EndingSequenceNumber" not in shard["SequenceNumberRange"]
        }


def _entry(event: Rejected, hash_key: str | None) -> dict[str, object]:
    entry: dict[str, object] = {"Data": event.payload, "PartitionKey": event.partition}
    return entry if hash_key is None else entry | {"ExplicitHashKey": hash_key}
