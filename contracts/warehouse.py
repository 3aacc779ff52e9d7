"""The warehouse's names and types: what the results are called in Redshift."""

from __future__ import annotations

from contracts.columns import Column, ColumnType
from contracts.results import ENVELOPE, SCHEMAS

DATABASE = "analytics"
#: External schema over the account's streams.
EXTERNAL_SCHEMA = "realtime"
#: Where the views are; views without schema binding must name it.
SCHEMA = "public"
#: The one streaming view: AWS advises one a stream, typed views go on top.
LANDING = "results_landing"
#: Stands in the SQL for the name of the environment's stream of results.
STREAM_PLACEHOLDER = "{results_stream}"

#: Redshift's type of a column. Arrays stay SUPER; a JSON number with a fraction is a double inside of SUPER, so a
#: decimal has its six decimals again, and about fifteen digits in all.
TYPES: dict[ColumnType, str] = {
    ColumnType.TIMESTAMP: "TIMESTAMPTZ",
    ColumnType.LONG: "BIGINT",
    ColumnType.DOUBLE: "DOUBLE PRECISION",
    ColumnType.DECIMAL: "DECIMAL(38, 6)",
    ColumnType.STRING: "VARCHAR(65535)",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.STRINGS: "SUPER",
}


def views() -> dict[str, tuple[Column, ...]]:
    """Columns by name of every typed view of the stream of results: one a result type."""
    return {result_type.value: ENVELOPE[1:] + _own(schema.columns) for result_type, schema in SCHEMAS.items()}


def _own(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    known = {column.name for column in ENVELOPE}
    return tuple(column for column in columns if column.name not in known)
