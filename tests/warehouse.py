"""A stand-in for the warehouse: DuckDB runs the typed views' SELECTs over records as the landing view has them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

from contracts.columns import ColumnType
from contracts.warehouse import LANDING, views
from stacks.warehouse import statements


def view_sql(name: str) -> exp.Create:
    """The statement that makes a typed view, parsed in Redshift's dialect."""
    _, replaced = statements("results")
    (sql,) = [group[-1] for group in replaced if f"public.{name} AS" in group[-1]]
    tree = sqlglot.parse_one(sql, dialect="redshift")
    if not isinstance(tree, exp.Create):
        raise TypeError(f"{name} is no CREATE")
    return tree


def landed(records: Iterable[tuple[Mapping[str, Any], str]], folder: Path) -> duckdb.DuckDBPyConnection:
    """A landing table with the records and when they arrived (ISO 8601)."""
    file = folder / "landing.jsonl"
    with file.open("w", encoding="utf-8") as lines:
        for number, (document, arrived) in enumerate(records):
            row = {
                "approximate_arrival_timestamp": arrived,
                "partition_key": "k",
                "shard_id": "shardId-000000000000",
                "sequence_number": f"{number:020}",
                "payload": document,
            }
            lines.write(json.dumps(row) + "\n")
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    landing = connection.read_json(str(file), format="newline_delimited", sample_size=-1, maximum_depth=4)
    landing.create(LANDING)
    return connection


def rows(connection: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, Any]]:
    """What the view's SELECT gives in DuckDB, in order of id."""
    query = view_sql(name).expression.copy()
    for table in query.find_all(exp.Table):
        table.set("db", None)
    for cast in query.find_all(exp.Cast):  # DuckDB's lists are what SUPER keeps
        if cast.to.is_type(exp.DataType.Type.SUPER):
            cast.replace(cast.this)
    cursor = connection.execute(query.sql(dialect="duckdb"))
    names = [column[0] for column in cursor.description or []]
    found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return sorted(found, key=lambda row: str(row["result_id"]))


def expected(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The view's row of a result, which may have its numbers as decimals."""
    made: dict[str, Any] = {}
    for column in views()[name]:
        value = document[column.name]
        if value is not None and column.type is ColumnType.TIMESTAMP:
            value = datetime.fromisoformat(value).astimezone(UTC)
        elif value is not None and column.type is ColumnType.DECIMAL:
            value = Decimal(str(value)).quantize(Decimal("0.000001"))
        elif value is not None and column.type is ColumnType.DOUBLE:
            value = float(value)
        made[column.name] = value
    return made
