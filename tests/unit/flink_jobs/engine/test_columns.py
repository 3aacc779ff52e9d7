"""The engine's columns: what the JVM writes is read, whatever it holds, and what rules give is written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from contracts.events import Event
from flink_jobs.engine import columns
from flink_jobs.engine.lanes import EVENT_KINDS
from tests.unit.flink_jobs.engine.reference import LEAST, MOST, encoded

#: flink_jobs/java/.../slots/ColumnsTest.java reads them, too.
VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).resolve().parents[3] / "vectors" / "columns.json").read_text(encoding="utf-8")
)
EVENTS = {vector["name"]: vector for vector in VECTORS if vector["side"] == "events"}
RESULTS = {vector["name"]: vector for vector in VECTORS if vector["side"] == "results"}

TEXTS = st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), st.sampled_from(["view", "日本", ""]))
BY_KIND: dict[str, SearchStrategy[Any]] = {
    "q": st.none() | st.integers(LEAST, MOST),
    "d": st.none() | st.floats(allow_nan=False, allow_infinity=False),
    "m": st.integers(-(10**30), 10**30) | st.sampled_from([LEAST, MOST, LEAST - 1, MOST + 1, 0]),
    "s": st.none() | TEXTS,
    "t": TEXTS,
    "b": st.none() | st.booleans(),
    "a": st.none() | st.lists(TEXTS, max_size=3),
}


def values(vector: Mapping[str, Any], kinds: Sequence[str]) -> list[list[Any]]:
    """The vector's rows; JSON has decimals as texts."""
    return [
        [int(value) if kind == "m" and value is not None else value for kind, value in zip(kinds, row, strict=True)]
        for row in vector["rows"]
    ]


def as_events(fields: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> list[Event]:
    """Events of rows; a decimal that is null counts as 0, and a field that is not handed over has its default."""
    names = dict.fromkeys(Event._fields) | Event._field_defaults
    return [
        Event(
            **names
            | {
                name: 0 if kind == "m" and value is None else value
                for (name, kind), value in zip(fields.items(), row, strict=True)
            }
        )
        for row in rows
    ]


@pytest.mark.parametrize("name", EVENTS)
def test_events_are_read_as_the_shared_vectors_say(name: str) -> None:
    vector = EVENTS[name]
    fields: dict[str, str] = vector["fields"]
    rows = values(vector, list(fields.values()))
    assert encoded(fields, rows).hex() == vector["hex"], "the reference writes what the JVM writes"
    assert repr(columns.events(memoryview(bytes.fromhex(vector["hex"])))) == repr(as_events(fields, rows))


@pytest.mark.parametrize("name", RESULTS)
def test_results_are_written_as_the_shared_vectors_say(name: str) -> None:
    vector = RESULTS[name]
    rows = [tuple(row) for row in values(vector, vector["kinds"])]
    assert columns.results(rows, vector["kinds"]).hex() == vector["hex"]


@st.composite
def batches(draw: st.DrawFn) -> tuple[dict[str, str], list[list[Any]]]:
    """Some of the event's fields in any order, and rows of them."""
    names = draw(st.lists(st.sampled_from(Event._fields), min_size=1, unique=True))
    fields = {name: EVENT_KINDS[name] for name in names}
    row = st.tuples(*(BY_KIND[kind] for kind in fields.values())).map(list)
    return fields, draw(st.lists(row, max_size=20))


@given(batches())
def test_whatever_the_jvm_writes_is_read(batch: tuple[dict[str, str], list[list[Any]]]) -> None:
    fields, rows = batch
    found = columns.events(memoryview(encoded(fields, rows)))
    assert repr(found) == repr(as_events(fields, rows))
    assert all(type(each) is Event for each in found)


def test_true_and_false_are_what_they_are_and_not_numbers() -> None:
    data = encoded({"event_time": "q", "category": "b"}, [[1, True], [2, False], [3, None]])
    found: list[object] = [each.category for each in columns.events(memoryview(data))]
    assert [repr(each) for each in found] == ["True", "False", "None"]


@st.composite
def rows_of_results(draw: st.DrawFn) -> tuple[str, list[tuple[Any, ...]]]:
    """Kinds, and rows of a rule."""
    kinds = "".join(draw(st.lists(st.sampled_from("qdmsba"), min_size=1, max_size=6)))
    row = st.tuples(*(BY_KIND[kind] for kind in kinds))
    return kinds, draw(st.lists(row, min_size=1, max_size=20))


@given(rows_of_results())
def test_whatever_a_rule_gives_is_written_as_an_event_is(batch: tuple[str, list[tuple[Any, ...]]]) -> None:
    """Kinds but for arrays are written in both directions alike: behind the header the bytes are the same."""
    kinds, rows = batch
    plain = [number for number, kind in enumerate(kinds) if kind != "a"]
    if not plain:
        plain, kinds, rows = [0], "q", [(1,)]
    fields = {str(number): kinds[number] for number in plain}
    chosen = [tuple(row[number] for number in plain) for row in rows]
    data = encoded(fields, chosen)
    header = 4 + len(",".join(f"{name}:{kind}" for name, kind in fields.items()))
    assert columns.results(chosen, "".join(fields.values())) == data[header:]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("q", 1.5),
        ("q", "1"),
        ("q", 2**63),
        ("d", "x"),
        ("m", 0.5),
        ("m", "1"),
        ("s", 1),
        ("s", ["view"]),
        ("s", "half a pair \ud800"),
        ("b", "yes"),
        ("a", 1),
        ("a", "view"),
        ("a", [1]),
    ],
)
def test_a_value_of_another_kind_is_refused(kind: str, value: object) -> None:
    with pytest.raises((TypeError, OverflowError, ValueError)):
        columns.results([(value,)], kind)


def test_so_is_a_row_of_another_length() -> None:
    with pytest.raises(ValueError, match="shorter"):
        columns.results([(1,)], "qq")
    with pytest.raises(ValueError, match="shorter"):
        columns.results([(1, 2), (1,)], "qq")


@pytest.mark.parametrize(("kind", "value"), [("q", 1), ("d", 0.5), ("m", 10**30), ("s", "a"), ("b", False), ("a", [])])
def test_a_column_that_is_required_holds_no_null(kind: str, value: object) -> None:
    assert columns.results([(value,)], kind, {0: "name"}) == columns.results([(value,)], kind)
    assert columns.results([(None,), (value,)], kind, {1: "name"})
    with pytest.raises(ValueError, match="name is None"):
        columns.results([(value,), (None,)], kind, {0: "name"})


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_json_has_no_such_number(number: float) -> None:
    with pytest.raises(ValueError, match="is no number of JSON"):
        columns.results([(0.5,), (number,)], "d")
