"""Dead letters as they lie in a queue: what the functions buried, and what Lambda gave up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from config.model import Environment
from contracts.names import FAILURE_QUEUES, queue_name
from lambdas.common.dead_letters import KIND, payload_of
from lambdas.common.errors import RecordError
from lambdas.common.json_text import json_object
from lambdas.common.records import RawRecord
from operations.environment import Target

#: Seconds that a letter is nobody else's while it is looked at or replayed.
VISIBILITY_SECONDS = 900
#: A long poll: an empty answer of a short one says little, SQS asks only some of its servers then.
_WAIT_SECONDS = 2
_READ_RECORDS = 1000
#: Records of a batch of Lambda, at most.
_MOST_IN_A_BATCH = 10_000


class UnreadableLetterError(Exception):
    """A message of the queue is neither the functions' nor Lambda's; the text says what is missing."""


@dataclass(frozen=True)
class Letter:
    """One message. ``payload`` is its record's; without one, the stream has ``count`` from ``first`` to ``last``."""

    message_id: str
    receipt: str
    reason: str
    first_seen: str
    stream: str
    shard: str
    first: str
    last: str
    count: int
    payload: bytes | None

    @property
    def place(self) -> str:
        """Where the records were, for people."""
        return f"{self.stream} {self.shard} {self.first}" + ("" if self.first == self.last else f" to {self.last}")


def letter_of(message: dict[str, Any]) -> Letter:
    """The letter in an SQS message; raises :class:`UnreadableLetterError`."""
    try:
        body = json_object(message["Body"])
        return _buried(message, body) if body.get("kind") == KIND else _given_up(message, body)
    except RecordError as error:
        raise UnreadableLetterError(f"message {message['MessageId']} is not a dead letter: {error}") from error


def _buried(message: dict[str, Any], body: Mapping[str, object]) -> Letter:
    sequence = _sequence(body, "sequence")
    return Letter(
        message_id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        reason=_text(body, "reason"),
        first_seen=_time(body, "first_seen"),
        stream=_text(body, "stream"),
        shard=_text(body, "shard"),
        first=sequence,
        last=sequence,
        count=1,
        payload=payload_of(body),
    )


def _given_up(message: dict[str, Any], body: Mapping[str, object]) -> Letter:
    """The message of Lambda's on-failure destination (developer guide, "Discarded records"): the records' place."""
    batch, context = _member(body, "KinesisBatchInfo"), _member(body, "requestContext")
    count = batch.get("batchSize")
    if isinstance(count, bool) or not isinstance(count, int) or not 0 < count <= _MOST_IN_A_BATCH:
        raise RecordError(f"`batchSize` is missing or not a number from 1 to {_MOST_IN_A_BATCH}")
    return Letter(
        message_id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        reason=f"given up by Lambda: {_text(context, 'condition')}",
        first_seen=_time(batch, "approximateArrivalOfFirstRecord"),
        stream=_text(batch, "streamArn").rpartition("/")[2],
        shard=_text(batch, "shardId"),
        first=_sequence(batch, "startSequenceNumber"),
        last=_sequence(batch, "endSequenceNumber"),
        count=count,
        payload=None,
    )


def _member(body: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = body.get(name)
    if not isinstance(value, Mapping):
        raise RecordError(f"`{name}` is missing or not an object")
    return value


def _text(body: Mapping[str, object], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise RecordError(f"`{name}` is missing or not a string")
    return value


def _sequence(body: Mapping[str, object], name: str) -> str:
    value = _text(body, name)
    if re.fullmatch(r"[0-9]{1,256}", value) is None:
        raise RecordError(f"`{name}` is not a sequence number")
    return value


def _time(body: Mapping[str, object], name: str) -> str:
    """An ISO 8601 time of which Python can tell the seconds since 1970."""
    value = _text(body, name)
    try:
        datetime.fromisoformat(value).timestamp()
    except (ValueError, OverflowError) as error:
        raise RecordError(f"`{name}` is not a time like 2026-11-23T10:00:00.000Z") from error
    return value


@dataclass(frozen=True)
class Inbox:
    """The queue of what ``function`` (its package) could not process."""

    function: str
    sqs: Any
    url: str

    def size(self) -> int:
        """Messages that wait, roughly: SQS counts them that way."""
        answer = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    @contextmanager
    def looking(self) -> Iterator[list[Letter]]:
        """A list of the letters in hand; what is in it at the end, whatever ends it, others see again."""
        held: list[Letter] = []
        try:
            yield held
        finally:
            for letter in held:
                self.give_back(letter.receipt)

    def take(self) -> Iterator[Letter | UnreadableLetterError]:
        """Every letter once, hidden from others for :data:`VISIBILITY_SECONDS`; give it back or delete it.

        Give back when all are taken: what is given back before is taken again.
        """
        seen: set[str] = set()
        unreadable: list[str] = []
        while messages := self._receive():
            for message in messages:
                if message["MessageId"] in seen:  # the queue may deliver one twice
                    continue
                seen.add(message["MessageId"])
                try:
                    yield letter_of(message)
                except UnreadableLetterError as error:
                    unreadable.append(message["ReceiptHandle"])
                    yield error
        for receipt in unreadable:
            self.give_back(receipt)

    def _receive(self) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=_WAIT_SECONDS,
            VisibilityTimeout=VISIBILITY_SECONDS,
        )
        return list(answer.get("Messages", []))

    def give_back(self, receipt: str) -> None:
        """Let others see the message again."""
        self.sqs.change_message_visibility(QueueUrl=self.url, ReceiptHandle=receipt, VisibilityTimeout=0)

    def delete(self, receipt: str) -> None:
        """Take the message out for good."""
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=receipt)


def inboxes(target: Target) -> list[Inbox]:
    """The queues that the environment has."""
    sqs, environment = target.client("sqs"), target.environment
    return [
        Inbox(function, sqs, sqs.get_queue_url(QueueName=queue_name(environment.prefix, function))["QueueUrl"])
        for function in functions(environment)
    ]


def functions(environment: Environment) -> list[str]:
    """Packages of the functions that have dead letters."""
    return [name for name in FAILURE_QUEUES if name != "search_indexer" or environment.search.enabled]


@dataclass(frozen=True)
class Records:
    """A letter's records: those that are still there, and how many are not.

    A range that Lambda gave up may hold more than the batch did: the mapping's filter had left some out, or another
    batch of the shard had them. They are no use to the function, or it knows them by their id.
    """

    found: tuple[RawRecord, ...]
    gone: int


def records_of(letter: Letter, kinesis: Any) -> Records:
    """The records: the letter's own, or the stream's where it still holds them."""
    if letter.payload is not None:
        record = RawRecord(letter.stream, letter.shard, letter.first, letter.first_seen, letter.payload)
        return Records((record,), 0)
    found = tuple(_read(letter, kinesis))
    return Records(found, max(0, letter.count - len(found)))


#: What Kinesis answers for records that its retention has ended, and for a shard that went with them.
_GONE = frozenset({"InvalidArgumentException", "ResourceNotFoundException"})


def _read(letter: Letter, kinesis: Any) -> Iterator[RawRecord]:
    try:
        iterator = kinesis.get_shard_iterator(
            StreamName=letter.stream,
            ShardId=letter.shard,
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            StartingSequenceNumber=letter.first,
        )["ShardIterator"]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _GONE:
            return
        raise
    last = int(letter.last)
    while iterator:
        answer = kinesis.get_records(ShardIterator=iterator, Limit=_READ_RECORDS)
        for record in answer["Records"]:
            if int(record["SequenceNumber"]) > last:
                return
            yield RawRecord(
                letter.stream,
                letter.shard,
                record["SequenceNumber"],
                _iso(record["ApproximateArrivalTimestamp"]),
                record["Data"],
            )
            if record["SequenceNumber"] == letter.last:
                return
        if not answer["Records"] and answer.get("MillisBehindLatest", 0) == 0:
            return
        iterator = answer.get("NextShardIterator")


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
