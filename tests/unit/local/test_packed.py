"""Packed records: as AWS's own module packs them."""

from __future__ import annotations

import hashlib

import pytest

from local.packed import packed, unpacked

MAGIC = b"\xf3\x89\x9a\xc2"


def test_given_payloads_then_one_record_holds_them_in_order() -> None:
    payloads = [b'{"a":1}', b"", b"\xff\x00", b'{"a":1}']
    record = packed(payloads, "7")
    assert record.startswith(MAGIC)
    assert record.endswith(hashlib.md5(record[4:-16], usedforsecurity=False).digest())
    assert unpacked(record) == payloads


@pytest.mark.parametrize("other", [b"", b"{}", MAGIC, MAGIC + b"garbage", MAGIC + b"x" * 40, b"\xff\xfe"])
def test_given_any_other_record_then_it_is_its_own_payload(other: bytes) -> None:
    assert unpacked(other) == [other]


def test_given_more_than_a_record_holds_then_the_error_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="pack fewer"):
        packed([b"x" * 600_000] * 2, "7")
