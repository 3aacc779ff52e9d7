"""Dead letters keep the record's bytes as far as a message of SQS holds them."""

from __future__ import annotations

import json
import random

import pytest

from lambdas.common.dead_letters import MAX_BYTES, DeadLetter, payload_of


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
