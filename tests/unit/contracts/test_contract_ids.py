"""Ids are pure functions; the vectors are read by the JUnit tests of Digests, too."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.identity import event_ref, rejection_id, result_id

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).resolve().parents[2] / "vectors" / "result_ids.json").read_text(encoding="utf-8")
)
NUMBERS = st.integers(-(2**63), 2**63 - 1)
TIMES = st.integers(0, 253_402_300_799_999)
TEXTS = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("\x1e\x1f01")))
KEYS = st.lists(st.one_of(NUMBERS, TEXTS), min_size=1, max_size=4)


def independent(kind: str, start: int, end: int, key: list[object]) -> str:
    """The documented rule, spelled out: SHA-256 over the parts, each but the first behind a unit separator.

    In a text ahead of another part, the record separator and the unit separator are 1e30 and 1e31.
    """
    digest = hashlib.sha256(kind.encode("utf-8"))
    for number, part in enumerate((start, end, *key), start=-1):
        text = str(part).encode("utf-8")
        if number < len(key):
            text = text.replace(b"\x1e", b"\x1e\x30").replace(b"\x1f", b"\x1e\x31")
        digest.update(b"\x1f" + text)
    return f"{kind}-{digest.hexdigest()[:32]}"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["id"]))
def test_given_a_shared_vector_then_the_id_is_as_written(vector: dict[str, Any]) -> None:
    parts = vector["type"], vector["start"], vector["end"]
    assert result_id(*parts, *vector["key"]) == vector["id"]
    assert independent(*parts, vector["key"]) == vector["id"]


def test_given_the_vectors_then_several_texts_and_texts_beyond_ascii_are_among_them() -> None:
    assert any(sum(isinstance(part, str) for part in vector["key"]) > 1 for vector in VECTORS)
    texts = [part for vector in VECTORS for part in vector["key"] if isinstance(part, str)]
    assert any(max(text, default="") > "\uffff" for text in texts)
    assert any("\x1f" in text for text in texts)
    assert "" in texts
    assert len({vector["id"] for vector in VECTORS}) == len(VECTORS)


@given(TIMES, TIMES, KEYS)
def test_given_the_same_parts_then_the_id_is_the_same_and_one_word(start: int, end: int, key: list[int | str]) -> None:
    identity = result_id("fraud", start, end, *key)
    assert identity == independent("fraud", start, end, list(key))
    assert identity.removeprefix("fraud-").isalnum()
    assert len(identity) == len("fraud-") + 32


@given(TIMES, TIMES, st.lists(st.tuples(NUMBERS, TEXTS, TEXTS), min_size=2, max_size=2))
def test_given_two_keys_of_one_job_then_ids_are_equal_only_for_equal_parts(
    start: int, end: int, keys: list[tuple[int, str, str]]
) -> None:
    """A job's keys have one shape. A separator in a text passes for no other."""
    first, second = (result_id("x", start, end, *key) for key in keys)
    assert (first == second) is (keys[0] == keys[1])


def test_given_a_separator_in_the_text_then_it_does_not_shift_into_a_number() -> None:
    assert result_id("behavior", 1, 2, 3, "4\x1f5") != result_id("behavior", 1, 2, 34, "\x1f5")
    assert result_id("behavior", 1, 2, 3, "\x1f") != result_id("behavior", 1, 2, 3, "")
    assert result_id("x", 1, 2, "a\x1f", "b") != result_id("x", 1, 2, "a", "\x1fb")
    assert result_id("x", 1, 2, "a\x1e1", "b") != result_id("x", 1, 2, "a\x1f", "b")


def test_given_an_event_then_its_id_names_it_or_else_its_bytes() -> None:
    assert event_ref("e-1", b"{}") == "id:e-1"
    assert event_ref(None, b"{}") == "sha256:" + hashlib.sha256(b"{}").hexdigest()[:32]
    assert event_ref("sha256:x", b"") != event_ref(None, b"")


def test_given_places_in_logs_then_each_rejection_has_its_own_id() -> None:
    places = [("events", f"shard-{shard}", str(position)) for shard in range(3) for position in range(3)]
    assert len({rejection_id(*place) for place in places}) == 9
    assert rejection_id("a", "b", "c") == independent("rejected", 0, 0, ["a\x1fb\x1fc"])
