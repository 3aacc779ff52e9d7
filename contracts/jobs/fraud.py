"""Fraud: users with too many purchases in any five minutes (flink_jobs/jobs/fraud.py)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from contracts.columns import Column, ColumnType
from contracts.entry import SEVERITIES, Alert, Count, Entry, Graph
from contracts.settings import JobSettings, Wrong, a_duration, a_whole_number, names


@dataclass(frozen=True)
class FraudSettings(JobSettings):
    """Which events count, the window, how many in it reach each level, and how long alerts may wait for others."""

    event_types: tuple[str, ...] = names(("purchase",), 1, 100, "event types that count")
    window: int = a_duration("5 min", "1 s", "1 d", "how long before an event others count with it")
    low: int = a_whole_number(11, 2, 10_000, "events in the window that alert as LOW")
    medium: int = a_whole_number(21, 2, 10_000, "events in the window that alert as MEDIUM")
    high: int = a_whole_number(51, 2, 10_000, "events in the window that alert as HIGH")
    slot: int = a_duration(
        "1 s", "100 ms", "1 min", "events are taken together in slots of this length; an alert leaves at the slot's end"
    )

    def wrong(self) -> Iterator[Wrong]:
        """Levels ascend."""
        if not self.low < self.medium < self.high:
            yield Wrong(("low", "medium", "high"), "ascending numbers")


ENTRY = Entry(
    meaning="users with more purchases in any five minutes than a level allows",
    columns=(
        Column("window_start", ColumnType.TIMESTAMP, "the event's time minus the window, exclusive"),
        Column("window_end", ColumnType.TIMESTAMP, "the event that reached the level, inclusive"),
        Column("user_id", ColumnType.LONG, "the key"),
        Column("suspicious_activity", ColumnType.STRING, "what was seen"),
        Column("risk_score", ColumnType.DOUBLE, "events in the window that count (`fraud.event_types`)"),
        Column("alert_level", ColumnType.STRING, "LOW, MEDIUM or HIGH"),
    ),
    key=("user_id", "alert_level"),
    start="window_start",
    end="window_end",
    line="{alert_level}: user {user_id}, {risk_score} events",
    settings=FraudSettings,
    counts=(Count("FraudAlerts", "fraud escalations", dimension="alert_level", values=SEVERITIES, once=True),),
    alerts=(
        Alert(
            "FRAUD_DETECTED",
            title="{severity} fraud alert: {suspicious_activity}",
            sentence="{severity} fraud alert: user {user_id} made {risk_score} {event_types} events after "
            "{window_start} and up to {event_time} ({suspicious_activity}).",
            severity="alert_level",
            shows=("user_id", "risk_score", "alert_level", "suspicious_activity"),
            event_type="{event_types}",
        ),
    ),
    widgets=(Graph("Fraud by level", ("FraudAlerts",), stacked=True),),
)
