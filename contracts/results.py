"""The result contract: the envelope and, per job, its own columns.

A result is one JSON object: the envelope's columns, then the job's. ``result_id`` is a pure function of the
job, its key and its window (see :mod:`contracts.identity`), so a replay gives the same id and the same content.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from contracts.columns import Column, ColumnType

_T = ColumnType.TIMESTAMP
_L = ColumnType.LONG
_D = ColumnType.DOUBLE
_S = ColumnType.STRING


class ResultType(StrEnum):
    """The jobs, by the name that their results, settings and operators carry."""

    AGGREGATION = "aggregation"
    ANOMALY = "anomaly"
    SESSION = "session"
    BEHAVIOR = "behavior"
    RECOMMENDATION = "recommendation"
    FRAUD = "fraud"


#: Value of ``run``: how the result came about. Part of neither the id nor the compared content.
RUN_LIVE = "live"
RUN_BACKFILL = "backfill"

ENVELOPE = (
    Column("result_type", _S, "the job"),
    Column("result_id", _S, "pure function of job, key and window"),
    Column("event_time", _T, "when the result became true, in event time"),
    Column("run", _S, "live or backfill"),
)

#: Alert levels of fraud, lowest first, with the severity an alert carries.
ALERT_LEVELS = ("LOW", "MEDIUM", "HIGH")

#: ``suspicious_activity`` of a fraud result.
HIGH_FREQUENCY = "High frequency transactions"

#: What every job adds to its rows and no result holds: the earliest event_time that can change the row. A row that
#: needs more than the application knows of the log is held back (see flink_jobs/java/.../sink/CompleteResults.java).
NEEDS_FROM = "needs_from"

#: Last element of a list, or last step of a sequence, that was cut.
MORE_MARK = "..."

#: What joins the steps of ``event_sequence``.
STEP_SEPARATOR = " -> "


@dataclass(frozen=True)
class ResultSchema:
    """Columns of one job's results.

    ``key`` names the columns that, with the window, make ``result_id``: numbers first, at most one text, last.
    ``start`` and ``end`` name the columns that hold the window; ``event_time`` stands for the envelope's.
    """

    type: ResultType
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    start: str
    end: str


SCHEMAS: dict[ResultType, ResultSchema] = {
    schema.type: schema
    for schema in (
        ResultSchema(
            ResultType.AGGREGATION,
            (
                Column("window_start", _T, "start of the tumbling window, inclusive"),
                Column("window_end", _T, "end of the tumbling window, exclusive"),
                Column("event_type", _S, "the key"),
                Column("event_count", _L, "events with a value"),
                Column("unique_users", _L, "distinct user_id among them"),
                Column("total_value", ColumnType.DECIMAL, "exact sum of value"),
                Column("avg_value", _D, "total_value / event_count"),
            ),
            key=("event_type",),
            start="window_start",
            end="window_end",
        ),
        ResultSchema(
            ResultType.ANOMALY,
            (
                Column("user_id", _L, "who sent the event"),
                Column("event_type", _S, "the baseline's key"),
                Column("current_value", _D, "the event's value"),
                Column("moving_average", _D, "mean of the baseline", nullable=True),
                Column("deviation", _D, "sample deviation of the baseline", nullable=True),
                Column("baseline_count", _L, "values in the baseline"),
                Column("anomaly_score", _D, "|value - mean| / deviation, at most 1e6", nullable=True),
                Column("is_anomaly", ColumnType.BOOLEAN, "anomaly_score above the threshold"),
                Column("expected_low", _D, "mean - threshold * deviation", nullable=True),
                Column("expected_high", _D, "mean + threshold * deviation", nullable=True),
            ),
            key=("event_ref",),
            start="event_time",
            end="event_time",
        ),
        ResultSchema(
            ResultType.SESSION,
            (
                Column("user_id", _L, "the key"),
                Column("session_start", _T, "first event"),
                Column("session_end", _T, "last event"),
                Column("duration_minutes", _D, "session_end - session_start, minutes"),
                Column("event_count", _L, "events in the session"),
                Column("total_value", ColumnType.DECIMAL, "exact sum of value, null counts as 0"),
                Column("event_types", ColumnType.STRINGS, "in order of first appearance, at most 100, then '...'"),
            ),
            key=("user_id",),
            start="session_start",
            end="session_end",
        ),
        ResultSchema(
            ResultType.BEHAVIOR,
            (
                Column("session_id", _S, "the producer's session, with user_id the key"),
                Column("user_id", _L, "with session_id the key"),
                Column("session_start", _T, "first event"),
                Column("session_end", _T, "last event"),
                Column("event_count", _L, "events in the session"),
                Column("event_sequence", _S, "'view -> click', the first 100 steps, then '...'"),
                Column("session_duration", _L, "session_end - session_start, milliseconds"),
                Column("total_value", ColumnType.DECIMAL, "exact sum of value, null counts as 0"),
                Column(
                    "conversion_flag", ColumnType.BOOLEAN, "the steps of `behavior.funnel` in their order, not adjacent"
                ),
            ),
            key=("user_id", "session_id"),
            start="session_start",
            end="session_end",
        ),
        ResultSchema(
            ResultType.RECOMMENDATION,
            (
                Column("window_start", _T, "start of the hopping window, inclusive"),
                Column("window_end", _T, "end of the hopping window, exclusive"),
                Column("user_id", _L, "the key"),
                Column("category", _S, "the category that is scored"),
                Column(
                    "behavior_score", _D, "sum of weight (`recommendation.weights`) * exp(-age / decay), six decimals"
                ),
                Column("last_activity", _T, "last event of the user in the category"),
                Column("rank", _L, "1 is the best category of the user"),
            ),
            key=("user_id", "category"),
            start="window_start",
            end="window_end",
        ),
        ResultSchema(
            ResultType.FRAUD,
            (
                Column("window_start", _T, "the event's time minus the window, exclusive"),
                Column("window_end", _T, "the event that reached the level, inclusive"),
                Column("user_id", _L, "the key"),
                Column("suspicious_activity", _S, "what was seen"),
                Column("risk_score", _D, "events in the window that count (`fraud.event_types`)"),
                Column("alert_level", _S, "LOW, MEDIUM or HIGH"),
            ),
            key=("user_id", "alert_level"),
            start="window_start",
            end="window_end",
        ),
    )
}
