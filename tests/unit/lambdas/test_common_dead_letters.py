"""Dead letters keep the record's bytes as far as a message of SQS holds them."""

from __future__ import annotations

import base64
import gzip
import json
import random

import pytest

from lambdas.common.dead_letters import MAX_BYTES, MAX_PAYLOAD, DeadLetter, payload_of
from lambdas.common.errors import RecordError


def letter(payload: bytes) -> dict[str, str]:
    body = DeadLetter("alerts", "reason", "2026-11-23T10:00:00.000Z", "results", "shard", "1", payload).body()
    assert len(body) <= MAX_BYTES
    message: dict[str, str] = json.loads(body)
    return message


@pytest.mark.parametrize(
    ("payload", "encoding"),
    [
        (b"\xff", "base64"),
        (b"x" * 180_000, "base64"),
        (b"x" * 1_000_000, "gzip+base64"),
    ],
)
def test_bytes_come_back(payload: bytes, encoding: str) -> None:
    message = letter(payload)
    assert message["payload_encoding"] == encoding
    assert payload_of(message) == payload


def test_what_fits_in_no_way_is_left_out_and_its_place_is_there() -> None:
    message = letter(random.Random(1).randbytes(1_000_000))
    assert message["payload_encoding"] == "left_out"
    assert payload_of(message) is None
    assert (message["stream"], message["shard"], message["sequence"]) == ("results", "shard", "1")


@pytest.mark.parametrize(
    ("encoding", "payload", "reason"),
    [
        ("gzip+base64", gzip.compress(bytes(MAX_PAYLOAD + 1)), "larger than a record of Kinesis"),
        ("gzip+base64", gzip.compress(b"x" * 5000)[:-9], "not one whole gzip stream"),
        ("gzip+base64", gzip.compress(b"a") + gzip.compress(b"b"), "not one whole gzip stream"),
        ("gzip+base64", b"no gzip", "not gzip"),
        ("brotli", b"", "`payload_encoding` is missing"),
    ],
    ids=["bomb", "cut", "two streams", "other bytes", "other encoding"],
)
def test_a_payload_that_is_not_a_records_has_a_reason(encoding: str, payload: bytes, reason: str) -> None:
    message = {"payload_encoding": encoding, "payload": base64.b64encode(payload).decode()}
    with pytest.raises(RecordError, match=reason):
        payload_of(message)


@pytest.mark.parametrize("payload", ["\u0664==", "a", "????", 5, None])
def test_a_payload_that_is_not_base64_has_a_reason(payload: object) -> None:
    with pytest.raises(RecordError, match="`payload`"):
        payload_of({"payload_encoding": "base64", "payload": payload})


def test_the_largest_record_comes_back() -> None:
    payload = bytes(MAX_PAYLOAD)
    packed = base64.b64encode(gzip.compress(payload)).decode()
    assert payload_of({"payload_encoding": "gzip+base64", "payload": packed}) == payload
