"""Session: what a user did without a pause (flink_jobs/jobs/session.py)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from contracts.columns import Column, ColumnType
from contracts.entry import Count, Entry, Graph
from contracts.settings import JobSettings, Wrong, a_duration, a_whole_number


@dataclass(frozen=True)
class SessionSettings(JobSettings):
    """Gap, longest span and number of types of a user's session."""

    gap: int = a_duration("30 min", "1 s", "1 d", "pause after which a session is over")
    max_span: int = a_duration("24 h", "1 min", "7 d", "how long after its first event a session is cut")
    max_types: int = a_whole_number(100, 1, 1000, "event types that a session lists; a mark stands for the others")

    def wrong(self) -> Iterator[Wrong]:
        """A session is cut no sooner than it may end."""
        if self.max_span < self.gap:
            yield Wrong(("max_span",), "at least the 'gap'")


ENTRY = Entry(
    meaning="per user, what happened until a pause of 30 minutes",
    columns=(
        Column("user_id", ColumnType.LONG, "the key"),
        Column("session_start", ColumnType.TIMESTAMP, "first event"),
        Column("session_end", ColumnType.TIMESTAMP, "last event"),
        Column("duration_minutes", ColumnType.DOUBLE, "session_end - session_start, minutes"),
        Column("event_count", ColumnType.LONG, "events in the session"),
        Column("total_value", ColumnType.DECIMAL, "exact sum of value, null counts as 0"),
        Column("event_types", ColumnType.STRINGS, "in order of first appearance, at most 100, then '...'"),
    ),
    key=("user_id",),
    start="session_start",
    end="session_end",
    line="user {user_id}: {event_count} events in {duration_minutes} minutes, {event_types}",
    settings=SessionSettings,
    counts=(Count("Sessions", "closed user sessions"),),
    widgets=(Graph("Sessions and conversions", ("Sessions", "Conversions")),),
    longest=("gap",),
)
