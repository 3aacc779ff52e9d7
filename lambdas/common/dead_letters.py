"""Dead letters: records that can never be processed, kept with what is needed to repair and replay them.

One SQS message a record: why, where it was, when the stream took it, and its bytes.
"""

from __future__ import annotations

import base64
import gzip
import json
import logging
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.common.errors import RecordError
from lambdas.common.logs import fields

LOGGER = logging.getLogger(__name__)

#: ``kind`` of these messages; what Lambda's on-failure destination sends has none.
KIND = "dead_letter"
#: Bytes of a message that SQS takes everywhere.
MAX_BYTES = 256 * 1024
#: Above this, a payload is left out and its place in the stream says where it still is.
_MAX_BODY = MAX_BYTES - 4096
#: The largest record that Kinesis takes, in bytes.
MAX_PAYLOAD = 10 * 1024 * 1024


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


def payload_of(message: Mapping[str, object]) -> bytes | None:
    """The record's bytes from a dead letter's message; None where they were left out. Raises :class:`RecordError`."""
    encoding, text = message.get("payload_encoding"), message.get("payload")
    if encoding == "left_out":
        return None
    if encoding not in ("base64", "gzip+base64") or not isinstance(text, str):
        raise RecordError("`payload` or `payload_encoding` is missing, or is not a dead letter's")
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise RecordError("`payload` is not base64") from error
    return _unpacked(data) if encoding == "gzip+base64" else data


def _unpacked(data: bytes) -> bytes:
    """One gzip stream of at most :data:`MAX_PAYLOAD` bytes: a few kilobytes can be packed gigabytes."""
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        payload = unpacker.decompress(data, MAX_PAYLOAD + 1)
    except zlib.error as error:
        raise RecordError("`payload` is not gzip") from error
    if len(payload) > MAX_PAYLOAD:
        raise RecordError(f"`payload` is larger than a record of Kinesis: more than {MAX_PAYLOAD:,} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise RecordError("`payload` is not one whole gzip stream")
    return payload


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
