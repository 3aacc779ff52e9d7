"""The warehouse's SQL: its names are the contract's, and its SELECTs give the results' own values, each once.

There is no Redshift here. sqlglot reads the SQL in Redshift's dialect; DuckDB runs the SELECTs in its own.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlglot import exp

from contracts.results import SCHEMAS, ResultType
from contracts.warehouse import LANDING, STREAM_PLACEHOLDER, views
from scripts import redshift
from stacks.warehouse import statements
from tests.results import sample_result
from tests.warehouse import expected, landed, rows, view_sql

MOMENT = "2026-11-23T10:00:00.123Z"


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
    found = rows(landed(records, tmp_path), name)
    wanted = sorted((expected(one, name) for one in (plain | {"run": "backfill"}, nulls)), key=lambda r: r["result_id"])
    assert found == wanted
