"""Aggregation: what happened per event type in windows of five minutes (sql/aggregation.sql)."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.columns import Column, ColumnType
from contracts.entry import Count, Entry, Graph
from contracts.settings import JobSettings, a_duration


@dataclass(frozen=True)
class AggregationSettings(JobSettings):
    """The window."""

    window: int = a_duration("5 min", "1 s", "1 d", "length of the tumbling window")


ENTRY = Entry(
    meaning="events, users and value per event type in tumbling windows of five minutes",
    columns=(
        Column("window_start", ColumnType.TIMESTAMP, "start of the tumbling window, inclusive"),
        Column("window_end", ColumnType.TIMESTAMP, "end of the tumbling window, exclusive"),
        Column("event_type", ColumnType.STRING, "the key"),
        Column("event_count", ColumnType.LONG, "events with a value"),
        Column("unique_users", ColumnType.LONG, "distinct user_id among them"),
        Column("total_value", ColumnType.DECIMAL, "exact sum of value"),
        Column("avg_value", ColumnType.DOUBLE, "total_value / event_count"),
    ),
    key=("event_type",),
    start="window_start",
    end="window_end",
    line="{event_type}: {event_count} events of {unique_users} users, average {avg_value}",
    settings=AggregationSettings,
    # Stamped with the window's start, so that a 5-minute period of CloudWatch holds exactly its window.
    counts=(
        Count(
            "EventCount",
            "events with a value in a 5-minute window",
            value="event_count",
            dimension="event_type",
            at="window_start",
        ),
        Count(
            "TotalValue",
            "sum of the values of those events",
            value="total_value",
            dimension="event_type",
            at="window_start",
            unit="None",
        ),
    ),
    widgets=(
        Graph("Events by type", ("EventCount",), stacked=True),
        Graph("Value by type", ("TotalValue",), stacked=True),
    ),
    longest=("window",),
)
