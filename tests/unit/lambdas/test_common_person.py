"""Whose a record is: read as the application's decoder reads it, and exactly."""

from __future__ import annotations

import base64
import json

import pytest

from lambdas.common.errors import RecordError
from lambdas.common.person import user_of


def rejected(payload: bytes) -> bytes:
    encoded = base64.b64encode(payload).decode()
    return json.dumps({"result_type": "rejected", "payload": encoded, "payload_encoding": "base64"}).encode()


@pytest.mark.parametrize(
    ("payload", "user"),
    [
        (b'{"user_id":42}', 42),
        (b'{"user_id":4242}', 4242),
        (b'{"user_id":"42"}', 42),
        (b'{"user_id":42.0}', 42),
        (b'{"user_id":-9223372036854775808}', -(2**63)),
        (b'\xef\xbb\xbf{"user_id":42}', 42),
        (b'{"user_id":7,"user_id":42}', 42),
        (b'{"user_id":42.5}', None),
        (b'{"user_id":9223372036854775808}', None),
        (b'{"user_id":1e9999999}', None),
        (b'{"user_id":-1e9999999}', None),
        (b'{"user_id":1e-9999999}', None),
        (b'{"user_id":true}', None),
        (b'{"user_id":null}', None),
        (b"{}", None),
    ],
)
def test_an_event_names_its_user_also_within_a_rejection(payload: bytes, user: int | None) -> None:
    assert user_of(payload) == user
    assert user_of(rejected(payload)) == user


@pytest.mark.parametrize("payload", [b"", b"[]", b"\xff", b'{"user_id":42', b"[" * 5_000])
def test_of_what_is_no_event_nobody_can_tell(payload: bytes) -> None:
    for record in (payload, rejected(payload)):
        with pytest.raises(RecordError):
            user_of(record)
