"""``make sql``: the client's tables over the streams, and a query that goes from one stream to another."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.results import ENVELOPE, ResultType
from local import sql_client
from local.demo import application
from local.processes import Supervisor, wait_until
from local.sql_client import NoDemoRuns
from local.standins.moto import Moto
from scripts.package import JAR
from tests.results import sample_result

_TIME = "DATE_FORMAT(event_time, 'HH:mm:ss.SSS')"
MOMENT = "2026-11-23T10:00:00.123Z"


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    run_dir = application.ROOT / ".run" / f"sql-{os.getpid()}"
    with Supervisor(run_dir) as made:
        yield made
    shutil.rmtree(run_dir, ignore_errors=True)


def _read(kinesis: object, stream: str) -> list[dict[str, object]]:
    (shard,) = kinesis.list_shards(StreamName=stream)["Shards"]  # type: ignore[attr-defined]
    iterator = kinesis.get_shard_iterator(  # type: ignore[attr-defined]
        StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    return [json.loads(record["Data"]) for record in kinesis.get_records(ShardIterator=iterator)["Records"]]  # type: ignore[attr-defined]


def test_a_query_sees_events_results_and_rejections_with_their_types(supervisor: Supervisor, tmp_path: Path) -> None:
    # Given streams with an event of each form, poison, a result of every type and a rejection
    moto = Moto.start(supervisor)
    kinesis = moto.client("kinesis")
    for stream in ("events", "results", "rejected", "out"):
        kinesis.create_stream(StreamName=stream, ShardCount=1)
    events = [
        {"event_time": MOMENT, "user_id": 7, "event_type": "view", "value": 1.5, "category": "books"},
        {"timestamp": 1_795_000_000_000, "user_id": "8", "event_type": "click"},
    ]
    for data in (*map(json.dumps, events), "poison"):
        kinesis.put_record(StreamName="events", Data=data, PartitionKey="k")
    for kind in ResultType:
        kinesis.put_record(
            StreamName="results", Data=json.dumps(sample_result(kind.value, "a", MOMENT)), PartitionKey="k"
        )
    kinesis.put_record(StreamName="rejected", Data=json.dumps(sample_result("rejected", "a", MOMENT)), PartitionKey="k")
    # When the client runs a file with a query over each table
    home = tmp_path / "application"
    application.unpack(home)
    out = sql_client._table("out_table", (*ENVELOPE[:2],), "out", moto.endpoint, "TRIM_HORIZON").replace(
        "'format'", "'sink.http-client.protocol.version' = 'HTTP1_1', 'format'"
    )
    selects = [
        "SELECT 'events', event_type || ' ' || CAST(user_id AS STRING) || ' ' || DATE_FORMAT(event_time, 'yyyy') "
        "FROM events WHERE event_type IS NOT NULL",
        "SELECT 'poison', payload FROM events WHERE event_type IS NULL",
        *(f"SELECT '{kind.value}', {_TIME} FROM {kind.value}" for kind in ResultType),  # noqa: S608 - the contract's
        "SELECT 'rejected', reason FROM rejected",
    ]
    file = tmp_path / "query.sql"
    file.write_text(f"{out};\nINSERT INTO out_table {' UNION ALL '.join(selects)};\n", encoding="utf-8")
    line, environment = sql_client.command(
        tmp_path, home / JAR, [*sql_client.statements(moto.endpoint), "SET 'table.dml-sync' = 'true'"], file
    )
    client = supervisor.start("sql-client", line, env=environment)
    wanted = len(events) + 1 + len(ResultType) + 1
    wait_until(lambda: len(_read(kinesis, "out")) >= wanted, 120, "the query's rows", process=client)
    # Then every table gave what was in its stream
    found = sorted((str(row["result_type"]), str(row["result_id"])) for row in _read(kinesis, "out"))
    assert found == sorted(
        [
            ("events", "view 7 2026"),
            ("events", "click 8 2026"),
            ("poison", "poison"),
            ("rejected", "late"),
            *((kind.value, "10:00:00.123") for kind in ResultType),
        ]
    )


def test_without_a_demo_it_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(NoDemoRuns, match="make demo ARGS=--keep"):
        sql_client.running_demo(runs=tmp_path)
