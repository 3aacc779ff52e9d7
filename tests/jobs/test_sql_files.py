"""The queries of sql/ run with their settings over the test table of sql/events.sql, as a person would run them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyflink.table import EnvironmentSettings, StreamTableEnvironment, TableEnvironment

from contracts.results import ResultType
from flink_jobs import sql_files
from local.oracle.jobs import aggregation
from local.oracle.records import Event
from tests.events import HOUR, MINUTE, SECOND, START, configured
from tests.jobs.harness import SQL


def events() -> list[Event]:
    """Two hours of three users, in order."""
    made = []
    for i in range(400):
        time = START + i * 18 * SECOND
        kind = ("view", "click", "purchase")[i % 3]
        number = None if i % 10 == 0 else (i % 7) / 4
        amount = None if number is None else Decimal(repr(number)).quantize(Decimal("0.000001"))
        category = None if i % 11 == 0 else f"category-{i % 6}"
        made.append(Event(time, i % 5, kind, number, amount, None, category, None, f"ref-{i}"))
    return made


@pytest.fixture(scope="module")
def tables(jar: Path, tmp_path_factory: pytest.TempPathFactory) -> TableEnvironment:
    """A table environment after events.sql, whose path is another."""
    folder = tmp_path_factory.mktemp("events")
    with (folder / "events.json").open("w", encoding="utf-8") as lines:
        for event in events():
            row = {
                "event_time": iso(event.time),
                "user_id": event.user_id,
                "event_type": event.event_type,
                "value": event.value,
                "amount": None if event.amount is None else float(event.amount),
                "category": event.category,
                "event_ref": event.ref,
            }
            lines.write(json.dumps(row) + "\n")
    environment = StreamTableEnvironment.create(environment_settings=EnvironmentSettings.in_streaming_mode())
    environment.get_config().set("pipeline.jars", jar.as_uri())
    environment.get_config().set("parallelism.default", "1")
    environment.get_config().set_local_timezone("UTC")
    table = (SQL / "events.sql").read_text(encoding="utf-8").rstrip().removesuffix(";")
    assert table.count("'/tmp/events'") == 1
    environment.execute_sql(table.replace("'/tmp/events'", f"'{folder.as_uri()}'"))
    return environment


def iso(millis: int) -> str:
    second = millis // SECOND
    return f"2026-09-21T{second // 3600 % 24:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"


def rows(tables: TableEnvironment, name: str) -> list[dict[str, Any]]:
    """The file's result."""
    table = tables.sql_query(sql_files.read(SQL, ResultType(name), configured()))
    names = table.get_schema().get_field_names()
    with table.execute().collect() as collected:
        return [dict(zip(names, row, strict=True)) for row in collected]


def test_aggregation(tables: TableEnvironment) -> None:
    expected = {
        (row["window_start"], row["event_type"]): (
            row["event_count"],
            row["unique_users"],
            row["total_value"],
            pytest.approx(row["avg_value"]),
        )
        for row in aggregation.results(events(), configured())
    }
    found = {
        (millis(row["window_start"]), row["event_type"]): (
            row["event_count"],
            row["unique_users"],
            row["total_value"],
            row["avg_value"],
        )
        for row in rows(tables, "aggregation")
    }
    assert len(found) == 3 * 2 * HOUR // (5 * MINUTE)
    assert found == expected


def millis(moment: datetime) -> int:
    """Epoch milliseconds of a TIMESTAMP in UTC."""
    return round(moment.replace(tzinfo=UTC).timestamp() * 1_000)
