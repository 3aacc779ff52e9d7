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
from contracts.results import SCHEMAS

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).resolve().parents[2] / "vectors" / "result_ids.json").read_text(encoding="utf-8")
)
NUMBERS = st.integers(-(2**63), 2**63 - 1)
TIMES = st.integers(0, 253_402_300_799_999)
KEYS = st.tuples(st.lists(NUMBERS, max_size=2), st.one_of(st.none(), st.text(st.characters(codec="utf-8"))))


def independent(kind: str, start: int, end: int, key: list[object]) -> str:
    """The documented rule, spelled out: SHA-256 over the parts, each but the first behind a unit separator."""
    digest = hashlib.sha256(kind.encode("utf-8"))
    for part in (start, end, *key):
        digest.update(b"\x1f" + str(part).encode("utf-8"))
    return f"{kind}-{digest.hexdigest()[:32]}"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["id"]))
def test_given_a_shared_vector_then_the_id_is_as_written(vector: dict[str, Any]) -> None:
    parts = vector["type"], vector["start"], vector["end"]
    assert result_id(*parts, *vector["key"]) == vector["id"]
    assert independent(*parts, vector["key"]) == vector["id"]


def test_given_the_vectors_then_every_job_and_texts_beyond_ascii_are_among_them() -> None:
    assert {vector["type"] for vector in VECTORS} == {job.value for job in SCHEMAS}
    texts = [part for vector in VECTORS for part in vector["key"] if isinstance(part, str)]
    assert any(max(text, default="") > "\uffff" for text in texts)
    assert any("\x1f" in text for text in texts)
    assert "" in texts
    assert len({vector["id"] for vector in VECTORS}) == len(VECTORS)


@given(TIMES, TIMES, KEYS)
def test_given_the_same_parts_then_the_id_is_the_same_and_one_word(
    start: int, end: int, key: tuple[list[int], str | None]
) -> None:
    numbers, text = key
    parts: list[Any] = [*numbers, *([] if text is None else [text])]
    identity = result_id("fraud", start, end, *parts)
    assert identity == independent("fraud", start, end, parts)
    assert identity.removeprefix("fraud-").isalnum()
    assert len(identity) == len("fraud-") + 32


@given(TIMES, TIMES, KEYS, TIMES, TIMES, KEYS)
def test_given_two_keys_of_one_job_then_ids_are_equal_only_for_equal_parts(
    start: int, end: int, key: tuple[list[int], str | None], start2: int, end2: int, key2: tuple[list[int], str | None]
) -> None:
    """A job's keys have one shape: numbers, then at most one text. A separator in it passes for no other."""
    numbers, numbers2 = key[0], (key2[0] + [0, 0])[: len(key[0])]
    text, text2 = key[1] or "", key2[1] or ""
    same = (start, end, numbers, text) == (start2, end2, numbers2, text2)
    assert (result_id("x", start, end, *numbers, text) == result_id("x", start2, end2, *numbers2, text2)) is same


def test_given_a_separator_in_the_text_then_it_does_not_shift_into_a_number() -> None:
    assert result_id("behavior", 1, 2, 3, "4\x1f5") != result_id("behavior", 1, 2, 34, "\x1f5")
    assert result_id("behavior", 1, 2, 3, "\x1f") != result_id("behavior", 1, 2, 3, "")


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=lambda schema: schema.type.value)
def test_given_a_schema_then_its_key_is_numbers_and_at_most_one_text_at_the_end(schema: Any) -> None:
    types = {column.name: column.type.value for column in schema.columns} | {"event_ref": "string"}
    assert [types[name] for name in schema.key[:-1]] == ["long"] * (len(schema.key) - 1)
    assert types[schema.key[-1]] in ("long", "string")


def test_given_an_event_then_its_id_names_it_or_else_its_bytes() -> None:
    assert event_ref("e-1", b"{}") == "id:e-1"
    assert event_ref(None, b"{}") == "sha256:" + hashlib.sha256(b"{}").hexdigest()[:32]
    assert event_ref("sha256:x", b"") != event_ref(None, b"")


def test_given_places_in_logs_then_each_rejection_has_its_own_id() -> None:
    places = [("events", f"shard-{shard}", str(position)) for shard in range(3) for position in range(3)]
    assert len({rejection_id(*place) for place in places}) == 9
    assert rejection_id("a", "b", "c") == independent("rejected", 0, 0, ["a\x1fb\x1fc"])
