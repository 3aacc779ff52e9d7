"""Whatever a queue or the stream of rejections holds, redrive has a letter or an event of it, or a reason."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from hypothesis import given

from lambdas.common.dead_letters import DeadLetter
from lambdas.common.errors import RecordError
from operations.letters import Letter, UnreadableLetterError, letter_of
from operations.rejections import Rejected, rejected_of
from tests.foreign import nearly
from tests.results import sample_result

NOW = "2026-11-23T10:00:00.000Z"
GIVEN_UP = {
    "requestContext": {"condition": "RetryAttemptsExhausted"},
    "KinesisBatchInfo": {
        "shardId": "shardId-000000000000",
        "startSequenceNumber": "1",
        "endSequenceNumber": "2",
        "approximateArrivalOfFirstRecord": NOW,
        "batchSize": 2,
        "streamArn": "arn:aws:kinesis:us-east-1:123456789012:stream/results",
    },
}


def buried(encoding: str, payload: str) -> dict[str, object]:
    return {
        "kind": "dead_letter",
        "function": "alerts",
        "reason": "data is not JSON",
        "first_seen": NOW,
        "stream": "results",
        "shard": "shardId-000000000000",
        "sequence": "1",
        "payload_encoding": encoding,
        "payload": payload,
    }


LETTERS = [
    GIVEN_UP,
    buried("base64", "e30="),
    buried("left_out", ""),
    buried("gzip+base64", "H4sIAAAAAAAC/6uuBQBDv6ajAgAAAA=="),
    buried("gzip+base64", "H4sIAAAAAAAC/6uuBQ=="),
]
REJECTIONS = [
    sample_result("rejected", "a", NOW, payload='{"user_id":42}', payload_encoding="utf-8", payload_truncated=False),
    sample_result("rejected", "b", NOW, payload="/w==", payload_encoding="base64", payload_truncated=True),
]


def message(body: str) -> dict[str, str]:
    return {"MessageId": "m", "ReceiptHandle": "r", "Body": body}


def letter_or_reason(body: str) -> Letter | str:
    try:
        return letter_of(message(body))
    except UnreadableLetterError as error:
        return str(error)


@pytest.mark.fuzz
@given(nearly(LETTERS))
def test_a_message_is_a_letter_or_has_a_reason(body: bytes) -> None:
    found = letter_or_reason(body.decode("utf-8", "replace"))
    if isinstance(found, str):
        assert found.startswith("message m is not a dead letter: ")
        return
    assert int(found.first) < 10**256
    assert datetime.fromisoformat(found.first_seen)
    assert found.place


def rejected_or_reason(data: bytes) -> Rejected | str:
    try:
        return rejected_of(data)
    except RecordError as error:
        return str(error)


@pytest.mark.fuzz
@given(nearly(REJECTIONS))
def test_a_record_is_a_rejection_or_has_a_reason(data: bytes) -> None:
    found = rejected_or_reason(data)
    assert found
    if isinstance(found, Rejected):
        assert found.arrived.tzinfo is not None


def test_what_the_functions_bury_is_read() -> None:
    body = DeadLetter("alerts", "why", NOW, "results", "shard", "1", b"\xff").body()
    assert letter_of(message(body)).payload == b"\xff"
    for valid in LETTERS[:4]:
        assert letter_of(message(json.dumps(valid)))
