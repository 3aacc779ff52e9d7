"""The table ``events``, as the queries see it: the columns of the contract's :class:`Event`, in its order."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.columns import ColumnType
from contracts.events import DECIMAL_SCALE, EVENT_FIELDS, Event

#: Types of the contract in Flink's SQL.
SQL_TYPES: Mapping[ColumnType, str] = {
    ColumnType.TIMESTAMP: "TIMESTAMP_LTZ(3)",
    ColumnType.LONG: "BIGINT",
    ColumnType.DOUBLE: "DOUBLE",
    ColumnType.DECIMAL: f"DECIMAL(38, {DECIMAL_SCALE})",
    ColumnType.STRING: "STRING",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.STRINGS: "ARRAY<STRING>",
}

#: What no producer sends: the intake makes them of ``value`` and of ``event_id``.
_MADE = {"amount": ColumnType.DECIMAL, "event_ref": ColumnType.STRING}
_SENT = {column.name: column.type for column in EVENT_FIELDS}
#: The columns' types in the contract.
TYPES: Mapping[str, ColumnType] = {name: (_SENT | _MADE)[name] for name in Event._fields}

#: What every accepted event has: a query's columns made of it are not null either.
_NEVER_NULL = ("event_time", "user_id", "event_type", "event_ref")

#: Types in SQL by name of the column; the first is the event's time, by which watermarks go.
COLUMNS: Mapping[str, str] = {
    name: SQL_TYPES[kind] + " NOT NULL" * (name in _NEVER_NULL) for name, kind in TYPES.items()
}
