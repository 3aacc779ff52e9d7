"""Runs the jobs' rules over a log without a JVM, and writes their rows as the sink writes documents."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from contracts.columns import ColumnType
from contracts.events import DECIMAL_SCALE, Event
from contracts.identity import result_id
from contracts.results import ENVELOPE, RUN_LIVE, SCHEMAS, ResultType
from flink_jobs.jobs import rule_of
from flink_jobs.rule import Rule
from flink_jobs.settings import Settings
from flink_jobs.testing import Job
from local.oracle.records import Event as Judged
from local.oracle.records import LogRecord
from tests.events import START, Output, at
from tests.oracle import judge


def ran(records: Sequence[LogRecord], settings: Settings) -> Output:
    """What the enabled jobs' rules make of a log; its records get their verdicts of the oracle."""
    judged = judge(records, settings)
    job = Job(*rules_of(settings))
    job.take(events_of(judged.events))
    rejected = {
        f"{partition}/{position}": json.dumps({"partition": partition, "position": position, "reason": reason.value})
        for (partition, position), reason in judged.rejected.items()
    }
    return Output(documents(job.finish()), rejected)


def rules_of(settings: Settings) -> list[Rule[Any, Any]]:
    """The rules of the enabled jobs; those that are queries have none."""
    found = (rule_of(ResultType(job), settings) for job in settings.jobs.enabled)
    return [rule for rule in found if rule is not None]


def events_of(judged: Iterable[Judged]) -> list[Event]:
    """Accepted events as the engine hands them to rules."""
    return [
        Event(
            each.time,
            each.user_id,
            each.event_type,
            each.value,
            int((each.amount or Decimal(0)).scaleb(DECIMAL_SCALE)),
            each.session_id,
            each.category,
            each.ref,
        )
        for each in judged
    ]


def documents(rows: Iterable[Any]) -> dict[str, str]:
    """Rows as texts of documents by result_id."""
    found: dict[str, str] = {}
    for row in rows:
        identity, text = _document(row)
        # Two records of the very same bytes are one anomaly, told twice in the same words; all else comes once.
        told_again = found.get(identity) == text and _job(row) is ResultType.ANOMALY
        assert identity not in found or told_again, f"one id, two documents: {found[identity]}, {text}"
        found[identity] = text
    return found


def _job(row: Any) -> ResultType:
    return ResultType(type(row).__name__.removesuffix("_result"))


@cache
def _columns(job: ResultType) -> tuple[tuple[str, ColumnType, str], ...]:
    """Name and type of each column, and how it begins in JSON."""
    columns = (*ENVELOPE, *SCHEMAS[job].columns)
    return tuple((column.name, column.type, f"{json.dumps(column.name)}: ") for column in columns)


def _document(row: Any) -> tuple[str, str]:
    job = _job(row)
    schema = SCHEMAS[job]
    key = [getattr(row, name) for name in schema.key]
    identity = result_id(job.value, getattr(row, schema.start), getattr(row, schema.end), *key)
    values = {"result_type": job.value, "result_id": identity, "run": RUN_LIVE, **row._asdict()}
    columns = [begin + _json(kind, values[name]) for name, kind, begin in _columns(job)]
    return identity, f"{{{', '.join(columns)}}}"


def _json(kind: ColumnType, value: Any) -> str:
    if value is None:
        return "null"
    if kind is ColumnType.TIMESTAMP:
        return f'"{at(value - START)}"'
    if kind is ColumnType.DECIMAL:
        return f"{Decimal(value).scaleb(-DECIMAL_SCALE):f}"
    return json.dumps(value)
