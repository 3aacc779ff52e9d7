"""Event types that are counted by name: the largest, so many at most, and a bounded number of others in a month."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from lambdas.alerts.event_types import EventTypes, Named, RegistryError, Seen, TableRegistry, sightings_of
from lambdas.common.patience import Patience
from tests.unit.lambdas.conftest import PATIENT, Types

DAY = date(2026, 11, 23)
PLACES = 3


def seen(day: date = DAY, **sizes: int) -> dict[str, Seen]:
    return {label: Seen(size, day) for label, size in sizes.items()}


def after(named: Named, day: date = DAY, **sizes: int) -> Named:
    return named.after(seen(day, **sizes), PLACES)


def test_free_places_go_to_the_largest() -> None:
    assert set(after(Named({}), a=1, b=50, c=7, d=9).types) == {"b", "c", "d"}


def test_a_place_goes_to_a_type_that_is_more_than_twice_as_large_as_the_smallest() -> None:
    named = after(Named({}), view=900, click=500, refund=10)
    assert set(after(named, made_up=20).types) == {"view", "click", "refund"}
    assert set(after(named, made_up=21).types) == {"view", "click", "made_up"}


def test_a_type_that_nobody_has_seen_for_two_days_is_the_first_to_go() -> None:
    named = after(Named({}), view=900, click=500, refund=1000)
    later = after(named, DAY + timedelta(days=2), view=3, click=2)
    assert set(after(later, DAY + timedelta(days=2), made_up=1).types) == {"view", "click", "made_up"}


def test_an_old_window_makes_nothing_new_nor_old() -> None:
    named = after(Named({}), view=900)
    assert after(named, DAY - timedelta(days=9), view=5) == named


def test_a_type_is_written_when_its_size_has_doubled_and_no_sooner() -> None:
    named = after(Named({}), view=100)
    assert after(named, view=199) == named
    assert after(named, view=200).types["view"].size == 200


def test_fewer_places_keep_the_largest() -> None:
    named = after(Named({}), view=900, click=500, refund=10)
    assert set(named.after({}, 2).types) == {"view", "click"}


def test_a_flood_of_made_up_types_costs_a_month_the_places_and_little_more() -> None:
    # Given three types that are always there, and in each window four hundred that nobody has seen before, as large
    dice, named, names = random.Random(1), Named({}), set[str]()
    for window in range(30 * 288):
        day = DAY + timedelta(days=window // 288)
        made_up = {f"{window}-{n}": dice.randrange(1, 10**6) for n in range(4)}
        named = named.after(seen(day, view=1000, click=500, purchase=100, **made_up), PLACES)
        assert len(named.types) == PLACES
        names |= named.types.keys()
    # Then each day brought three new names at most: a metric-hour each
    assert len(names) <= PLACES + 30 * PLACES


def test_types_that_are_always_there_keep_their_names_beside_small_ones() -> None:
    named = Named({})
    for window in range(300):
        made_up = {f"{window}-{n}": 5 for n in range(400)}
        named = after(named, DAY, view=1000, click=500, purchase=100, **made_up)
        assert set(named.types) == {"view", "click", "purchase"}


SIGHTINGS = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.builds(Seen, st.integers(0, 50), st.integers(0, 4).map(lambda days: DAY + timedelta(days=days))),
)


@given(st.lists(SIGHTINGS), st.integers(1, 4))
def test_there_are_never_more_than_the_places_and_a_days_changes_are_bounded(
    batches: list[dict[str, Seen]], places: int
) -> None:
    named = Named({})
    for batch in batches:
        before, named = named, named.after(batch, places)
        assert len(named.types) <= places
        assert named.changes <= places
        assert named.day >= before.day


def test_a_batchs_sighting_is_the_largest_window_of_the_last_day() -> None:
    sizes = [("a", 9, DAY), ("a", 4, DAY + timedelta(days=1)), ("a", 5, DAY + timedelta(days=1)), ("a", 7, DAY)]
    assert sightings_of(sizes) == {"a": Seen(5, DAY + timedelta(days=1))}


def test_a_race_that_is_lost_is_run_again() -> None:
    types = Types(others=3)
    assert EventTypes(types, PLACES).named(seen(view=1), PATIENT) == {"view"}
    assert types.named.types.keys() == {"view"}


def test_without_time_nothing_is_named() -> None:
    late = Patience(lambda: 1000, reserve=25)
    with pytest.raises(RegistryError, match="no time left"):
        EventTypes(Types(), PLACES).named(seen(view=1), late)
    always_lost = Patience(lambda: 60_000, reserve=0, most=3, wait=lambda _: None)
    with pytest.raises(RegistryError, match="no time left"):
        EventTypes(Types(others=100), PLACES).named(seen(view=1), always_lost)


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb")
        client.create_table(
            TableName="processed",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


def test_the_table_keeps_what_was_named_and_one_writer_wins(dynamodb: Any) -> None:
    registry = TableRegistry(dynamodb, "processed")
    assert registry.read() == (Named({}), 0)
    first, second = after(Named({}), view=1), after(Named({}), click=1)
    assert registry.write(first, 0)
    assert not registry.write(second, 0)
    assert registry.read() == (first, 1)
    assert registry.write(after(first, click=1), 1)
    assert not registry.write(second, 1)
    assert registry.read() == (after(first, click=1), 2)


def test_a_table_that_does_not_answer_is_an_error(dynamodb: Any) -> None:
    registry = TableRegistry(dynamodb, "missing")
    for call in (registry.read, lambda: registry.write(Named({}), 0)):
        with pytest.raises(RegistryError, match="did not answer"):
            call()
