"""The jobs by name: how each becomes rows, and which of its columns the contract wants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pyflink.datastream import DataStream
from pyflink.table import StreamTableEnvironment

from contracts.results import ALERT_LEVELS, HIGH_FREQUENCY, MORE_MARK, STEP_SEPARATOR, ResultType
from flink_jobs import session_job, sql_files
from flink_jobs.gateway import doubles, ints, java, strings
from flink_jobs.settings import Settings


@dataclass(frozen=True)
class Inputs:
    """What a job may read: the accepted events as a stream of rows, and as the table ``events``."""

    events: DataStream
    tables: StreamTableEnvironment
    sql: Path
    settings: Settings


@dataclass(frozen=True)
class Rows:
    """A job's rows and the names of their fields, in order."""

    stream: DataStream
    columns: tuple[str, ...]


def attach(job: ResultType, inputs: Inputs) -> Rows:
    """Attaches a job to its inputs."""
    return _PROGRAMS[job](inputs) if job in _PROGRAMS else _sql(job, inputs)


def _sql(job: ResultType, inputs: Inputs) -> Rows:
    table = inputs.tables.sql_query(sql_files.read(inputs.sql, job.value, inputs.settings))
    columns = tuple(table.get_schema().get_field_names())
    stream = inputs.tables.to_data_stream(table)
    java("jobs.OperatorIds").assign(stream._j_data_stream, inputs.events._j_data_stream, job.value)
    return Rows(stream, columns)


def _anomaly(inputs: Inputs) -> Rows:
    job, anomaly = java("jobs.AnomalyJob"), inputs.settings.anomaly
    stream = job.attach(
        inputs.events._j_data_stream,
        anomaly.slice,
        anomaly.baseline,
        anomaly.threshold,
        anomaly.minimum_count,
        anomaly.emit_all,
    )
    return Rows(DataStream(stream), tuple(job.COLUMNS))


def _behavior(inputs: Inputs) -> Rows:
    job, behavior = java("jobs.BehaviorJob"), inputs.settings.behavior
    stream = job.attach(
        inputs.events._j_data_stream,
        behavior.gap,
        behavior.max_steps,
        STEP_SEPARATOR,
        MORE_MARK,
        strings(behavior.funnel),
    )
    return Rows(DataStream(stream), tuple(job.COLUMNS))


def _recommendation(inputs: Inputs) -> Rows:
    job, rules = java("jobs.RecommendationJob"), inputs.settings.recommendation
    stream = job.attach(
        inputs.events._j_data_stream,
        rules.window,
        rules.step,
        rules.decay,
        rules.top,
        strings(name for name, _ in rules.weights),
        doubles(weight for _, weight in rules.weights),
        rules.weight_other,
    )
    return Rows(DataStream(stream), tuple(job.COLUMNS))


def _fraud(inputs: Inputs) -> Rows:
    job, fraud = java("jobs.FraudJob"), inputs.settings.fraud
    stream = job.attach(
        inputs.events._j_data_stream,
        strings(fraud.event_types),
        fraud.window,
        ints((fraud.low, fraud.medium, fraud.high)),
        strings(ALERT_LEVELS),
        HIGH_FREQUENCY,
    )
    return Rows(DataStream(stream), tuple(job.COLUMNS))


def _session(inputs: Inputs) -> Rows:
    return Rows(session_job.attach(inputs.events, inputs.settings.session), session_job.COLUMNS)


#: Jobs that are more than a query; every other one is ``sql/<job>.sql``.
_PROGRAMS: dict[ResultType, Callable[[Inputs], Rows]] = {
    ResultType.ANOMALY: _anomaly,
    ResultType.SESSION: _session,
    ResultType.BEHAVIOR: _behavior,
    ResultType.RECOMMENDATION: _recommendation,
    ResultType.FRAUD: _fraud,
}
