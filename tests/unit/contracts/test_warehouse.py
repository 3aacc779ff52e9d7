"""The warehouse's SQL: its names are the contract's, and its SELECTs give the results' own values, each once.

There is no Redshift here. sqlglot reads the SQL in Redshift's dialect; DuckDB runs the SELECTs in its own.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from contracts.columns import ColumnType
from contracts.results import SCHEMAS, ResultType
from contracts.warehouse import LANDING, STREAM_PLACEHOLDER, views
from scripts import redshift
from stacks.warehouse import statements
from tests.results import sample_result

MOMENT = "2026-11-23T10:00:00.123Z"


def view_sql(name: str) -> exp.Create:
    _, replaced = statements("results")
    (sql,) = [group[-1] for group in replaced if f"public.{name} AS" in group[-1]]
    tree = sqlglot.parse_one(sql, dialect="redshift")
    assert isinstance(tree, exp.Create)
    return tree


def test_the_files_are_what_the_contracts_say() -> None:
    found = {path.name: path.read_text(encoding="utf-8") for path in redshift.FOLDER.glob("*.sql")}
    assert found == redshift.files()


def test_there_is_one_streaming_view_and_a_view_for_every_result_type() -> None:
    created, replaced = statements("my-results")
    assert [("MATERIALIZED" in sql, "EXTERNAL" in sql) for sql in created] == [(False, True), (True, False)]
    assert '"my-results"' in created[1]
    assert STREAM_PLACEHOLDER not in "".join(created)
    assert len(replaced) == len(ResultType)
    assert all(len(group) == 2 and "DROP VIEW IF EXISTS" in group[0] for group in replaced)


@pytest.mark.parametrize("name", [kind.value for kind in ResultType])
def test_a_view_reads_what_the_contract_names_and_nothing_else(name: str) -> None:
    tree = view_sql(name)
    columns = [column.name for column in views()[name]]
    inner = tree.find(exp.Subquery)
    assert inner is not None
    query = tree.expression
    assert [one.alias_or_name for one in query.expressions] == columns
    assert [one.alias for one in inner.this.expressions] == [*columns, "copy_number"]
    read = {column.name for column in inner.find_all(exp.Column) if column.table == "payload"}
    assert read == {*columns, "result_type"}
    assert {column.name for column in SCHEMAS[ResultType(name)].columns} <= read
    assert {table.name for table in tree.find_all(exp.Table)} == {name, LANDING}


def stand_in(records: list[tuple[dict[str, Any], str]], folder: Path) -> duckdb.DuckDBPyConnection:
    """A landing table with the records and when they arrived."""
    file = folder / "landing.jsonl"
    lines = (
        json.dumps(
            {
                "approximate_arrival_timestamp": arrived,
                "partition_key": "k",
                "shard_id": "shardId-000000000000",
                "sequence_number": str(number),
                "payload": document,
            }
        )
        for number, (document, arrived) in enumerate(records)
    )
    file.write_text("\n".join(lines), encoding="utf-8")
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    landing = connection.read_json(str(file), format="newline_delimited", sample_size=-1, maximum_depth=4)
    landing.create(LANDING)
    return connection


def rows(connection: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, Any]]:
    """What the view's SELECT gives in DuckDB."""
    query = view_sql(name).expression.copy()
    for table in query.find_all(exp.Table):
        table.set("db", None)
    for cast in query.find_all(exp.Cast):  # DuckDB's lists are what SUPER keeps
        if cast.to.is_type(exp.DataType.Type.SUPER):
            cast.replace(cast.this)
    cursor = connection.execute(query.sql(dialect="duckdb"))
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def expected(document: dict[str, Any], name: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for column in views()[name]:
        value = document[column.name]
        if value is not None and column.type is ColumnType.TIMESTAMP:
            value = datetime.fromisoformat(value).astimezone(UTC)
        elif value is not None and column.type is ColumnType.DECIMAL:
            value = Decimal(str(value)).quantize(Decimal("0.000001"))
        made[column.name] = value
    return made


@pytest.mark.parametrize("name", [kind.value for kind in ResultType])
def test_a_view_gives_each_result_once_as_it_was(name: str, tmp_path: Path) -> None:
    # Given results of every type, some of them twice in the stream, and nulls where the contract allows them
    nullable = {column.name: None for column in views()[name] if column.nullable}
    plain = sample_result(name, "plain", MOMENT)
    nulls = sample_result(name, "nulls", MOMENT, **nullable)
    others = [sample_result(kind.value, "other", MOMENT) for kind in ResultType if kind.value != name]
    records = [
        (plain | {"run": "live"}, "2026-11-23T10:00:01Z"),
        *((other, "2026-11-23T10:00:01Z") for other in others),
        (nulls, "2026-11-23T10:00:02Z"),
        (plain | {"run": "backfill"}, "2026-11-23T11:00:00Z"),
    ]
    # Then the view has each of its own type once, the later copy, typed
    found = sorted(rows(stand_in(records, tmp_path), name), key=lambda row: str(row["result_id"]))
    wanted = sorted((expected(one, name) for one in (plain | {"run": "backfill"}, nulls)), key=lambda r: r["result_id"])
    assert found == wanted
