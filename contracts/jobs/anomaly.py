"""Anomaly: the z-score of a value against the hour before it (flink_jobs/jobs/anomaly.py)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from contracts.columns import Column, ColumnType
from contracts.entry import EVENT_REF, Alert, Count, Entry, Graph
from contracts.settings import JobSettings, Wrong, a_duration, a_flag, a_number, a_whole_number, duration_text


@dataclass(frozen=True)
class AnomalySettings(JobSettings):
    """Slices, baseline and threshold of the z-score, and the severity of an anomaly's alert."""

    slice: int = a_duration("10 s", "1 s", "1 min", "length of a slice; the events of one share their baseline")
    baseline: int = a_duration("1 h", "10 s", "1 d", "how much before its slice a value is compared with")
    threshold: float = a_number(3.0, 0.1, 1000.0, "above how many deviations from the mean a value is an anomaly")
    minimum_count: int = a_whole_number(30, 2, 1_000_000, "values that a baseline needs, or nothing is judged")
    emit_all: bool = a_flag(False, "whether every event with a value is a result, not anomalies alone")
    medium_score: float = a_number(5.0, 0.1, 1e6, "above how many deviations an alert is MEDIUM; below, it is LOW")
    high_score: float = a_number(10.0, 0.1, 1e6, "above how many deviations an alert is HIGH")

    def wrong(self) -> Iterator[Wrong]:
        """The baseline is whole slices, and HIGH is above MEDIUM."""
        if self.baseline % self.slice:
            yield Wrong(("baseline",), f"a whole multiple of 'slice' ({duration_text(self.slice)})")
        if self.medium_score >= self.high_score:
            yield Wrong(("high_score",), "more than 'medium_score'")


ENTRY = Entry(
    meaning="values that are far from those of their event type in the hour before",
    columns=(
        Column("user_id", ColumnType.LONG, "who sent the event"),
        Column("event_type", ColumnType.STRING, "the baseline's key"),
        Column("current_value", ColumnType.DOUBLE, "the event's value"),
        Column("moving_average", ColumnType.DOUBLE, "mean of the baseline", nullable=True),
        Column("deviation", ColumnType.DOUBLE, "sample deviation of the baseline", nullable=True),
        Column("baseline_count", ColumnType.LONG, "values in the baseline"),
        Column("anomaly_score", ColumnType.DOUBLE, "|value - mean| / deviation, at most 1e6", nullable=True),
        Column("is_anomaly", ColumnType.BOOLEAN, "anomaly_score above the threshold"),
        Column("expected_low", ColumnType.DOUBLE, "mean - threshold * deviation", nullable=True),
        Column("expected_high", ColumnType.DOUBLE, "mean + threshold * deviation", nullable=True),
    ),
    key=(EVENT_REF,),
    start="event_time",
    end="event_time",
    line="{event_type}: {current_value} instead of {expected_low} to {expected_high}, score {anomaly_score}",
    settings=AnomalySettings,
    counts=(Count("Anomalies", "anomalous events", dimension="event_type", where="is_anomaly", once=True),),
    alerts=(
        Alert(
            "ANOMALY_DETECTED",
            title="{severity} anomaly: {event_type}",
            sentence="{severity} anomaly: a {event_type} event at {event_time} has the value {current_value}, "
            "expected was {expected_low} to {expected_high} (score {anomaly_score}).",
            when="is_anomaly",
            severity={"HIGH": "anomaly_score > high_score", "MEDIUM": "anomaly_score > medium_score", "LOW": "True"},
            shows=("event_type", "anomaly_score", "current_value", "expected_low", "expected_high"),
        ),
    ),
    widgets=(Graph("Anomalies by type", ("Anomalies",), stacked=True),),
    longest=("slice",),
)
