"""The archive's tables and the example queries: names are the contract's, and the queries run (on DuckDB)."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from contracts.archive import ARCHIVE_COLUMNS
from contracts.lake import HOUR, TYPES, Table, every_result, tables
from contracts.rejections import REJECTED, REJECTION_COLUMNS
from contracts.results import SCHEMAS

QUERIES = sorted((Path(__file__).resolve().parents[3] / "sql" / "athena").glob("*.sql"))
_DUCK = {"string": "VARCHAR", "array<string>": "VARCHAR[]"}


def by_name(*, parquet: bool = True) -> dict[str, Table]:
    return {table.name: table for table in tables(parquet=parquet)}


def test_every_type_has_a_table_with_its_columns() -> None:
    found = by_name()
    assert found.keys() == {"events", "rejected", *(kind.value for kind in SCHEMAS)}
    for kind, schema in SCHEMAS.items():
        names = [column.name for column in found[kind.value].columns]
        assert {column.name for column in schema.columns} <= set(names)
        assert len(names) == len(set(names))
        assert found[kind.value].prefix == f"results/result_type={kind.value}/"
    assert set(REJECTION_COLUMNS) <= set(found[REJECTED].columns)
    assert found["events"].columns == ARCHIVE_COLUMNS


def test_what_firehose_converts_with_holds_every_column_of_every_table() -> None:
    wide = {column.name: column.type for column in every_result()}
    for kind in SCHEMAS:
        for column in by_name()[kind.value].columns:
            assert wide[column.name] is column.type


def test_lines_instead_of_parquet_are_in_one_place() -> None:
    found = by_name(parquet=False)
    assert {found[kind.value].prefix for kind in SCHEMAS} == {"results/"}
    assert not any(table.parquet for table in found.values())


@pytest.mark.parametrize("file", QUERIES, ids=lambda file: file.stem)
def test_an_example_names_tables_and_columns_that_there_are_and_bounds_its_hours(file: Path) -> None:
    tree = sqlglot.parse_one(file.read_text(encoding="utf-8"), dialect="athena")
    named = {cte.alias for cte in tree.find_all(exp.CTE)}
    used = {table.name for table in tree.find_all(exp.Table)} - named
    known = by_name()
    assert used <= known.keys()
    columns = {column.name for name in used for column in known[name].columns} | {HOUR}
    made = {alias.alias for alias in tree.find_all(exp.Alias)}
    assert {column.name for column in tree.find_all(exp.Column)} <= columns | made
    bounded = {between.this.sql() for between in tree.find_all(exp.Between)}
    assert len(bounded) == len(used), "a table without its hours is read as a whole"
    typed = used & {kind.value for kind in SCHEMAS}
    assert {literal.this for literal in tree.find_all(exp.Literal)} >= typed, "without parquet, types lie together"


@pytest.mark.parametrize("file", QUERIES, ids=lambda file: file.stem)
@pytest.mark.parametrize("parquet", [True, False])
def test_an_example_writes_hours_as_the_tables_do(file: Path, parquet: bool) -> None:
    text = file.read_text(encoding="utf-8")
    patterns = {"yyyy/MM/dd/HH": r"\d{4}/\d\d/\d\d/\d\d", "yyyy-MM-dd-HH": r"\d{4}-\d\d-\d\d-\d\d"}
    for table in tables(parquet=parquet):
        for first, last in re.findall(rf"(?:{table.name}\.)hour BETWEEN '(.+?)' AND '(.+?)'", text):
            assert re.fullmatch(patterns[table.hours], first)
            assert re.fullmatch(patterns[table.hours], last)


@pytest.fixture
def archive() -> duckdb.DuckDBPyConnection:
    """Every table, empty but for one conversion, one anomaly and one rejection."""
    connection = duckdb.connect()
    for table in tables(parquet=True):
        columns = ", ".join(
            f'"{column.name}" {_DUCK.get(TYPES[column.type], TYPES[column.type])}' for column in table.columns
        )
        connection.execute(f'CREATE TABLE "{table.name}" ({columns}, {HOUR} VARCHAR)')
    rows: dict[str, dict[str, object]] = {
        "anomaly": {
            "result_type": "anomaly",
            "event_type": "view",
            "result_id": "a",
            "is_anomaly": True,
            "anomaly_score": 4.5,
        },
        "behavior": {
            "result_type": "behavior",
            "result_id": "b",
            "event_time": "2026-11-23T10:30:00.000Z",
            "conversion_flag": True,
        },
        "rejected": {"source": "s", "partition": "p", "position": "1", "reason": "malformed", "arrival_time": "t"},
    }
    for name, row in rows.items():
        for _ in range(2):  # a replay writes a result again
            _insert(connection, name, row | {HOUR: "2026-11-23-10"})
            if name == "rejected":
                break
    _insert(
        connection,
        "events",
        {"source": "s", "partition": "p", "position": "1", "payload": "e30=", HOUR: "2026/11/23/10"},
    )
    return connection


def _insert(connection: duckdb.DuckDBPyConnection, table: str, row: dict[str, object]) -> None:
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join("?" for _ in row)
    connection.execute(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', list(row.values()))  # noqa: S608


def test_of_a_session_that_was_written_twice_the_latest_copy_counts(archive: duckdb.DuckDBPyConnection) -> None:
    # Given a backfill that found a conversion which the live run had not, and one that took one back
    for result_id, first, second in (("found", False, True), ("taken", True, False)):
        for hour, converted in (("2026-11-23-11", first), ("2026-11-23-15", second)):
            session: dict[str, object] = {
                "result_type": "behavior",
                "result_id": result_id,
                "event_time": "2026-11-23T11:30:00.000Z" if result_id == "found" else "2026-11-23T12:30:00.000Z",
                "conversion_flag": converted,
                HOUR: hour,
            }
            _insert(archive, "behavior", session)
    (file,) = (file for file in QUERIES if file.stem == "conversion_by_hour")
    sql = sqlglot.transpile(file.read_text(encoding="utf-8"), read="athena", write="duckdb")[0]
    rates = [(sessions, float(rate)) for _, sessions, rate in archive.execute(sql).fetchall()]
    assert rates == [(1, 1.0), (1, 1.0), (1, 0.0)]


def test_the_examples_count_each_result_once(archive: duckdb.DuckDBPyConnection) -> None:
    found = {}
    for file in QUERIES:
        sql = sqlglot.transpile(file.read_text(encoding="utf-8"), read="athena", write="duckdb")[0]
        found[file.stem] = archive.execute(sql).fetchall()
    assert found["anomalies_of_a_day"] == [("view", 1, 4.5)]
    ((_, sessions, rate),) = found["conversion_by_hour"]
    assert (sessions, float(rate)) == (1, 1.0)
    ((reason, _, _, payload),) = found["rejected_payloads"]
    assert (reason, payload) == ("malformed", "{}")
