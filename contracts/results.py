"""The result contract: the envelope, and the entries of the jobs by name.

A result is one JSON object: the envelope's columns, then the job's. ``result_id`` is a pure function of the
job, its key and its window (see :mod:`contracts.identity`), so a replay gives the same id and the same content.
"""

from __future__ import annotations

from enum import EnumType, StrEnum
from typing import TYPE_CHECKING

from contracts import jobs
from contracts.columns import Column, ColumnType
from contracts.entry import SEVERITIES, Entry

_S = ColumnType.STRING


class _OfFiles(EnumType):
    """Members come from the files of contracts/jobs, so a checker of types cannot know them."""

    if TYPE_CHECKING:

        def __getattr__(cls, name: str) -> ResultType: ...


class ResultType(StrEnum, metaclass=_OfFiles):
    """The jobs, by the name that their results, settings and operators carry: a member for each of contracts/jobs."""

    vars().update({name.upper(): name for name in jobs.names()})


#: Value of ``run``: how the result came about. Part of neither the id nor the compared content.
RUN_LIVE = "live"
RUN_BACKFILL = "backfill"

ENVELOPE = (
    Column("result_type", _S, "the job"),
    Column("result_id", _S, "pure function of job, key and window"),
    Column("event_time", ColumnType.TIMESTAMP, "when the result became true, in event time"),
    Column("run", _S, "live or backfill"),
)

#: Alert levels of fraud, lowest first: the severities of alerts.
ALERT_LEVELS = SEVERITIES

#: ``suspicious_activity`` of a fraud result.
HIGH_FREQUENCY = "High frequency transactions"

#: What every job adds to its rows and no result holds: the earliest event_time that can change the row. A row that
#: needs more than the application knows of the log is held back (see flink_jobs/java/.../sink/CompleteResults.java).
NEEDS_FROM = "needs_from"

#: Last element of a list, or last step of a sequence, that was cut.
MORE_MARK = "..."

#: What joins the steps of ``event_sequence``.
STEP_SEPARATOR = " -> "

#: The entries of the jobs, in order of name.
SCHEMAS: dict[ResultType, Entry] = {job: jobs.entry_of(job.value) for job in ResultType}
