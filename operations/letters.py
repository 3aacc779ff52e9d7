"""Dead letters as they lie in a queue: what the functions buried, and what Lambda gave up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from config.model import Environment
from contracts.names import FAILURE_QUEUES, queue_name
from lambdas.common.dead_letters import KIND, payload_of
from lambdas.common.records import RawRecord
from operations.environment import Target

#: Seconds that a letter is nobody else's while it is looked at or replayed.
VISIBILITY_SECONDS = 900
#: A long poll: an empty answer of a short one says little, SQS asks only some of its servers then.
_WAIT_SECONDS = 2
_READ_RECORDS = 1000


class UnreadableLetterError(Exception):
    """A message of the queue is none of ours and none of Lambda's; the text says what is missing."""


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
        body = json.loads(message["Body"])
        return _buried(message, body) if body.get("kind") == KIND else _given_up(message, body)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableLetterError(
            f"message {message.get('MessageId')} is no dead letter: {type(error).__name__} {error}"
        ) from error


def _buried(message: dict[str, Any], body: dict[str, Any]) -> Letter:
    return Letter(
        message_id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        reason=body["reason"],
        first_seen=body["first_seen"],
        stream=body["stream"],
        shard=body["shard"],
        first=body["sequence"],
        last=body["sequence"],
        count=1,
        payload=payload_of(body),
    )


def _given_up(message: dict[str, Any], body: dict[str, Any]) -> Letter:
    """What Lambda's on-failure destination gets (developer guide, "Discarded records"): the place, not the records."""
    batch = body["KinesisBatchInfo"]
    return Letter(
        message_id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        reason=f"given up by Lambda: {body['requestContext']['condition']}",
        first_seen=batch["approximateArrivalOfFirstRecord"],
        stream=batch["streamArn"].rpartition("/")[2],
        shard=batch["shardId"],
        first=batch["startSequenceNumber"],
        last=batch["endSequenceNumber"],
        count=int(batch["batchSize"]),
        payload=None,
    )


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
