"""Dead letters: records that can never be processed, kept with what is needed to repair and replay them.

One SQS message a record: why, where it was, when the stream took it, and its bytes.
"""

from __future__ import annotations

import base64
import gzip
import json
import logging
from dataclasses import dataclass
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.common.logs import fields

LOGGER = logging.getLogger(__name__)

#: ``kind`` of these messages; what Lambda's on-failure destination sends has none.
KIND = "dead_letter"
#: Bytes of a message that SQS takes everywhere.
MAX_BYTES = 256 * 1024
#: Above this, a payload is left out and its place in the stream says where it still is.
_MAX_BODY = MAX_BYTES - 4096


class SqsClient(Protocol):
    """The part of boto3's SQS client that is used."""

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> object:
        """Take one message, or raise."""
        ...


@dataclass(frozen=True)
class DeadLetter:
    """A record that cannot be processed. ``first_seen`` is when the stream took it, ISO 8601 in UTC."""

    function: str
    reason: str
    first_seen: str
    stream: str
    shard: str
    sequence: str
    payload: bytes

    def body(self) -> str:
        """The message: JSON, with the payload in base64 (``gzip+base64`` where that alone fits), or without it."""
        plain = self._body("base64", self.payload)
        if len(plain) <= _MAX_BODY:
            return plain
        packed = self._body("gzip+base64", gzip.compress(self.payload, mtime=0))
        return packed if len(packed) <= _MAX_BODY else self._body("left_out", b"")

    def _body(self, encoding: str, payload: bytes) -> str:
        return json.dumps(
            {
                "kind": KIND,
                "function": self.function,
                "reason": self.reason,
                "first_seen": self.first_seen,
                "stream": self.stream,
                "shard": self.shard,
                "sequence": self.sequence,
                "payload_encoding": encoding,
                "payload": base64.b64encode(payload).decode("ascii"),
            }
        )


def payload_of(message: dict[str, str]) -> bytes | None:
    """The record's bytes from a dead letter's message; None where they were left out."""
    data = base64.b64decode(message["payload"])
    encoding = message["payload_encoding"]
    if encoding == "left_out":
        return None
    return gzip.decompress(data) if encoding == "gzip+base64" else data


@dataclass(frozen=True)
class DeadLetterQueue:
    """Sends dead letters to an SQS queue."""

    sqs: SqsClient
    url: str

    def send(self, letter: DeadLetter) -> bool:
        """Whether SQS confirmed the letter; an unconfirmed record must be delivered again.

        One message a call: of a call with ten, SQS may take the last and refuse the first, and the last would be sent
        again with the first.
        """
        try:
            self.sqs.send_message(QueueUrl=self.url, MessageBody=letter.body())
        except (ClientError, BotoCoreError):
            LOGGER.exception("SQS took no dead letter", extra=fields(shard=letter.shard, sequence=letter.sequence))
            return False
        return True
