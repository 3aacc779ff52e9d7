"""A field of a team's own is one line of contracts/events.py: what it may be, and what says so."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import pytest

from contracts.columns import Column, ColumnType
from contracts.events import EVENT_FIELDS, KNOWN_FIELDS, ContractError, Event, own_fields
from flink_jobs.engine.lanes import EVENT_KINDS
from flink_jobs.event_table import COLUMNS
from local import sql_client
from scripts import docs


class Shop(NamedTuple):
    user_id: int
    device: Annotated[str | None, "what it was seen on"] = None
    attempt: Annotated[int | None, "how often it was tried"] = None
    score: Annotated[float | None, "what a model says"] = None
    beta: Annotated[bool | None, "whether it is a beta"] = None


def test_given_a_line_of_each_type_then_each_is_a_column_that_may_be_null() -> None:
    assert own_fields(Shop, known=1) == (
        Column("device", ColumnType.STRING, "what it was seen on", nullable=True),
        Column("attempt", ColumnType.LONG, "how often it was tried", nullable=True),
        Column("score", ColumnType.DOUBLE, "what a model says", nullable=True),
        Column("beta", ColumnType.BOOLEAN, "whether it is a beta", nullable=True),
    )


class NoMeaning(NamedTuple):
    device: str | None = None


class NotNull(NamedTuple):
    device: Annotated[str, "what it was seen on"] = ""


class NoAnnotation(NamedTuple):
    device: str = ""


class AnotherDefault(NamedTuple):
    device: Annotated[str | None, "what it was seen on"] = "phone"


class NoDefault(NamedTuple):
    device: Annotated[str | None, "what it was seen on"]


class TwoTypes(NamedTuple):
    device: Annotated[str | int | None, "what it was seen on"] = None


class TwoTypesButNone(NamedTuple):
    device: Annotated[str | int, "what it was seen on"] = None  # type: ignore[assignment]


class List(NamedTuple):
    device: Annotated[list[str] | None, "what it was seen on"] = None


class MeaningOfAnotherType(NamedTuple):
    device: Annotated[str | None, 7] = None


@pytest.mark.parametrize(
    "event",
    [
        NoMeaning,
        NotNull,
        NoAnnotation,
        AnotherDefault,
        NoDefault,
        TwoTypes,
        TwoTypesButNone,
        List,
        MeaningOfAnotherType,
    ],
)
def test_given_a_line_that_is_written_in_another_way_then_the_error_has_the_line_to_write(event: type[Any]) -> None:
    with pytest.raises(ContractError) as caught:
        own_fields(event, known=0)
    assert 'contracts/events.py: write device: Annotated[str | None, "its meaning"] = None' in str(caught.value)
    assert "str, int, float or bool" in str(caught.value)


class Taken(NamedTuple):
    event_id: Annotated[str | None, "the producer's id"] = None


class NotAscii(NamedTuple):
    gerät: Annotated[str | None, "what it was seen on"] = None


class Capital(NamedTuple):
    Device: Annotated[str | None, "what it was seen on"] = None


@pytest.mark.parametrize(("event", "name"), [(Taken, "event_id"), (NotAscii, "gerät"), (Capital, "Device")])
def test_given_a_name_that_is_taken_or_no_column_then_the_error_says_which_are_allowed(
    event: type[Any], name: str
) -> None:
    with pytest.raises(ContractError, match=f"{name} cannot be the name of a field: write one of a-z, 0-9 and _"):
        own_fields(event, known=0)


def test_given_the_contract_then_all_that_lists_its_fields_has_the_own_ones_behind_the_known() -> None:
    own = own_fields()
    assert (*KNOWN_FIELDS, *own) == EVENT_FIELDS
    names = [column.name for column in own]
    known = len(Event._fields) - len(own)
    assert [list(each)[known:] for each in (Event._fields, COLUMNS, EVENT_KINDS)] == [names] * 3


def test_given_the_columns_then_the_table_of_events_is_derived_from_them() -> None:
    written = docs.files()["sql/events.sql"]
    assert [line.strip(" ,") for line in written.splitlines() if line.startswith("    `")] == [
        f"`{name}` {kind}" for name, kind in COLUMNS.items()
    ]


def test_given_an_own_field_then_the_sql_client_reads_it_in_its_type() -> None:
    device, attempt, *_ = own_fields(Shop, known=1)
    assert sql_client.own_column(device) == "    `device` AS JSON_VALUE(payload, '$.device'),\n"
    assert sql_client.own_column(attempt) == "    `attempt` AS TRY_CAST(JSON_VALUE(payload, '$.attempt') AS BIGINT),\n"
