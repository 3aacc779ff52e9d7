"""The one job graph: records in; results and rejections out, as JSON documents."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.table import Schema, StreamTableEnvironment

from contracts.columns import ColumnType
from contracts.results import SCHEMAS, ResultType
from flink_jobs.engine.attach import Inputs, Rows, attach
from flink_jobs.engine.contract import own_fields_of_java
from flink_jobs.engine.gateway import java, streams, strings
from flink_jobs.event_table import COLUMNS
from flink_jobs.settings import Settings

#: Bounds of event times when there is no backfill, epoch milliseconds.
_ALWAYS = (-1, 2**63 - 1)


@dataclass(frozen=True)
class Documents:
    """Two Java streams of ``KeyedJson``, ready for a sink."""

    results: Any
    rejected: Any


def build(environment: StreamExecutionEnvironment, records: Any, settings: Settings, sql: Path) -> Documents:
    """Attaches intake and jobs to ``records``, a Java stream of decoded records; ``sql`` is the queries' folder."""
    intake = java("intake.IntakeGraph").attach(records, settings.time.duplicate_window, own_fields_of_java())
    events = DataStream(intake.events())
    attached = attach(Inputs(events, _tables(environment, events), sql, settings))
    first, *others = [_encoded(job, rows, settings) for job, rows in attached.rows.items()]
    results = first.union(streams(others)) if others else first
    rejected = intake.rejected()
    if attached.failed:
        rejected = rejected.union(streams(attached.failed))
    return Documents(results, java("sink.RejectionEncoder").attach(rejected, settings.run))


def _tables(environment: StreamExecutionEnvironment, events: DataStream) -> StreamTableEnvironment:
    tables = StreamTableEnvironment.create(environment)
    # Times in the queries are UTC, whatever the machine's zone.
    tables.get_config().set_local_timezone("UTC")
    (time, kind), *others = COLUMNS.items()
    schema = Schema.new_builder().column_by_metadata(time, kind, "rowtime")
    for name, kind in others:
        schema = schema.column(name, kind)
    tables.create_temporary_view("events", events, schema.watermark(time, "SOURCE_WATERMARK()").build())
    return tables


def _encoded(job: ResultType, rows: Rows, settings: Settings) -> Any:
    schema = SCHEMAS[job]
    backfill = settings.backfill
    complete = java("sink.CompleteResults").attach(
        rows.stream._j_data_stream,
        job.value,
        strings(rows.columns),
        backfill.start if backfill else _ALWAYS[0],
        backfill.end if backfill else _ALWAYS[1],
    )
    times = [column.name for column in schema.columns if column.type is ColumnType.TIMESTAMP]
    return java("sink.ResultEncoder").attach(
        complete,
        job.value,
        settings.run,
        strings(rows.columns),
        strings(column.name for column in schema.columns),
        strings(times),
        schema.start,
        schema.end,
        strings(schema.key),
    )
