"""The archive as tables: names, types and places for Glue and Athena, and the schema that Firehose writes Parquet with.

Results of all types come through one stream, so Firehose converts them with one schema, the columns of all types, each
null where a type has none, and puts each type below a prefix of its own. A table a type names that type's columns only:
Parquet is read by the columns' names.
"""

from __future__ import annotations

from dataclasses import dataclass

from contracts.archive import ARCHIVE_COLUMNS
from contracts.columns import Column, ColumnType
from contracts.events import ContractError
from contracts.rejections import REJECTED, REJECTION_COLUMNS
from contracts.results import ENVELOPE, SCHEMAS

#: Hive's name of a column's type. Times stay texts in ISO 8601, which Athena reads with from_iso8601_timestamp.
TYPES: dict[ColumnType, str] = {
    ColumnType.TIMESTAMP: "string",
    ColumnType.LONG: "bigint",
    ColumnType.DOUBLE: "double",
    ColumnType.DECIMAL: "decimal(38,6)",
    ColumnType.STRING: "string",
    ColumnType.BOOLEAN: "boolean",
    ColumnType.STRINGS: "array<string>",
}

EVENTS = "events"
RESULTS = "results"
#: Prefix of what backfills write, and of the live run's rejections as they are given to one; no table.
BACKFILL = "backfill"
#: What Firehose writes results with; not for queries.
EVERY_RESULT = "every_result"
#: Partition of every table: the hour, in UTC, in which Firehose took the record (not its event time).
HOUR = "hour"
_HOURS = "yyyy-MM-dd-HH"


@dataclass(frozen=True)
class Table:
    """A table: ``prefix`` is where its objects are in the bucket, ``hours`` how an hour is written below it (Java)."""

    name: str
    columns: tuple[Column, ...]
    prefix: str
    hours: str
    parquet: bool


def database(environment: str) -> str:
    """Name of an environment's database in the catalog."""
    return f"realtime_analytics_{environment.replace('-', '_')}"


def type_prefix(result_type: str) -> str:
    """Where the results of one type are."""
    return f"{RESULTS}/result_type={result_type}/"


def tables(*, parquet: bool) -> tuple[Table, ...]:
    """What can be queried: raw events, a table a result type, and the rejections.

    Without ``parquet`` results of all types lie together as JSON lines, and a query must ask for its ``result_type``;
    the example queries do so always.
    """
    typed = tuple(
        Table(
            kind.value,
            _distinct(ENVELOPE + schema.columns),
            type_prefix(kind.value) if parquet else f"{RESULTS}/",
            _HOURS,
            parquet,
        )
        for kind, schema in SCHEMAS.items()
    )
    return (
        Table(EVENTS, ARCHIVE_COLUMNS, f"{EVENTS}/", "yyyy/MM/dd/HH", parquet=False),
        *typed,
        Table(REJECTED, _rejection(), f"{REJECTED}/", _HOURS, parquet),
    )


def every_result() -> tuple[Column, ...]:
    """Columns of all result types; ContractError when two types have one name for different things."""
    return _distinct(ENVELOPE + tuple(column for schema in SCHEMAS.values() for column in schema.columns))


def _rejection() -> tuple[Column, ...]:
    return _distinct(ENVELOPE[:2] + REJECTION_COLUMNS)


def _distinct(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    found: dict[str, Column] = {}
    for column in columns:
        known = found.setdefault(column.name, column)
        if known.type is not column.type:
            raise ContractError(
                f"contracts/jobs: the column {column.name} is {known.type.value} in one job and {column.type.value} in "
                "another, and the archive has one column of that name: give one of them another name"
            )
    return tuple(found.values())
