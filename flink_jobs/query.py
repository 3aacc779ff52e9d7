"""A job's query, checked against its entry when the graph is built: each mistake is a line that says what to write."""

from __future__ import annotations

import re
from typing import Any

from pyflink.datastream import DataStream
from pyflink.table import StreamTableEnvironment, Table
from pyflink.util.exceptions import TableException

from contracts.columns import Column, ColumnType
from contracts.entry import EVENT_REF
from contracts.events import ContractError
from contracts.results import NEEDS_FROM, SCHEMAS, ResultType
from flink_jobs.event_table import SQL_TYPES

#: Flink's names of types that a column of the contract may have, by the beginning of their text; precision aside.
_ACCEPTED: dict[ColumnType, tuple[str, ...]] = {
    ColumnType.TIMESTAMP: ("TIMESTAMP(3)", "TIMESTAMP_LTZ(3)"),
    ColumnType.LONG: ("BIGINT",),
    ColumnType.DOUBLE: ("DOUBLE",),
    ColumnType.DECIMAL: (SQL_TYPES[ColumnType.DECIMAL].replace(" ", ""),),
    ColumnType.STRING: ("STRING", "VARCHAR", "CHAR"),
    ColumnType.BOOLEAN: ("BOOLEAN",),
    ColumnType.STRINGS: ("ARRAY<STRING", "ARRAY<VARCHAR", "ARRAY<CHAR"),
}
#: What a null becomes, in the words of COALESCE.
_INSTEAD = {
    ColumnType.LONG: "0",
    ColumnType.DOUBLE: "0",
    ColumnType.DECIMAL: "0",
    ColumnType.STRING: "''",
    ColumnType.BOOLEAN: "FALSE",
}

_CHANGES = (
    "the query changes rows that it has given: group by a window, as in GROUP BY window_start, window_end, and order "
    "or rank inside of a window only"
)


def needed(job: ResultType) -> tuple[Column, ...]:
    """What a job's rows must hold: its columns, its time, what tells if it is complete, what its key names beside."""
    entry = SCHEMAS[job]
    beside = [Column(EVENT_REF, ColumnType.STRING, "the event's id")] if EVENT_REF in entry.key else []
    return (
        Column("event_time", ColumnType.TIMESTAMP, "when the row became true, such as window_end"),
        Column(
            NEEDS_FROM, ColumnType.TIMESTAMP, "the earliest event time that can change the row, such as window_start"
        ),
        *beside,
        *entry.columns,
    )


def stream_of(job: ResultType, sql: str, tables: StreamTableEnvironment) -> tuple[DataStream, tuple[str, ...]]:
    """The query's rows as a stream that is only added to, and the names of their columns.

    Raises:
        ContractError: the query is none, or gives other columns than the entry says, or changes rows that it has given.
    """
    place = f"sql/{job.value}.sql: "
    try:
        table = tables.sql_query(sql)
    except Exception as error:  # PyFlink hands on whatever Java throws
        raise ContractError(place + _refused(error)) from error
    found = mistakes(job, types_of(table))
    try:
        stream = tables.to_data_stream(table)
    except TableException as error:
        if "update" in str(error) or "delete" in str(error):
            found = [_CHANGES]
        raise ContractError(place + (found[0] if found else _refused(error))) from error
    if found:
        raise ContractError(place + found[0])
    return stream, tuple(table.get_schema().get_field_names())


def types_of(table: Table) -> dict[str, str]:
    """Flink's type of each column, such as ``BIGINT NOT NULL``."""
    schema = table._j_table.getResolvedSchema()
    return {str(column.getName()): str(column.getDataType().getLogicalType()) for column in schema.getColumns()}


def mistakes(job: ResultType, found: dict[str, str]) -> list[str]:
    """What is not as the entry says; ``found`` are Flink's types by the column's name."""
    told = []
    for column in needed(job):
        name, wanted = column.name, _ACCEPTED[column.type]
        if name not in found:
            told.append(f"the column {name} ({column.meaning}) is missing: write ... AS {name}")
            continue
        kind, nullable = found[name].removesuffix(" NOT NULL"), not found[name].endswith(" NOT NULL")
        plain = re.sub(r"\s*\*\w+\*", "", kind).replace(" ", "")  # a time attribute is a timestamp, too
        if not plain.startswith(wanted):
            sql = SQL_TYPES[column.type]
            told.append(
                f"the column {name} is {kind}, the entry says {column.type.value}: write CAST(... AS {sql}) AS {name}"
            )
        elif nullable and not column.nullable:
            told.append(f"the column {name} may be null: {_not_null(job, column)}")
    known = {column.name for column in needed(job)}
    for name in found.keys() - known:
        told.append(
            f"the column {name} is not in contracts/jobs/{job.value}.py: add it there, or take it out of the query"
        )
    return told


def _not_null(job: ResultType, column: Column) -> str:
    if column.type is ColumnType.TIMESTAMP:
        return "take it from the window, as window_start or window_end, or from event_time"
    instead = _INSTEAD.get(column.type)
    how = f"write COALESCE(..., {instead}) AS {column.name}, or " if instead else ""
    return f"{how}say nullable=True in contracts/jobs/{job.value}.py"


def _refused(error: Exception) -> str:
    """One line of what Flink says about a query, with what to write where that is known."""
    text = _cause(error)
    place = re.search(r"line (\d+), column (\d+)", text)
    where = f"line {place[1]}: " if place else ""
    word = re.search(r'Encountered "([^"\s]+)', text)
    if word is not None:
        name = word[1].strip()
        if re.fullmatch(r"[A-Za-z_]\w*", name):
            return f"{where}{name} cannot stand here; a name that is a reserved word of SQL is written `{name}`"
        return f"{where}{name} cannot stand here"
    unknown = re.search(r"Column '([^']+)' not found", text)
    if unknown is not None:
        return f"{where}there is no column {unknown[1]}; those of the table events are in sql/events.sql"
    return where + text


def _cause(error: Any) -> str:
    """The last cause's message, in one line."""
    text = str(error)
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("at ")]
    causes = [line.partition(": ")[2] for line in lines if line.startswith("Caused by: ")]
    told = causes[-1] if causes else lines[0] if lines else type(error).__name__
    return re.sub(r"^([a-z]\w*\.)+\w+: ", "", told)
