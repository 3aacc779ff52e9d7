"""Behavior: the steps of a producer's session, and whether it went through the funnel (flink_jobs/jobs/behavior.py)."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.columns import Column, ColumnType
from contracts.entry import Count, Entry, Share
from contracts.settings import JobSettings, a_duration, a_whole_number, names


@dataclass(frozen=True)
class BehaviorSettings(JobSettings):
    """Gap, steps and funnel of a session's sequence."""

    gap: int = a_duration("30 min", "1 s", "1 d", "pause after which a session is over")
    max_steps: int = a_whole_number(100, 1, 1000, "steps that a sequence lists; a mark stands for the others")
    funnel: tuple[str, ...] = names(
        ("view", "click", "purchase"), 2, 10, "event types that a conversion has in this order, not adjacent"
    )


ENTRY = Entry(
    meaning="per session of the producer, its steps in order and whether it converted",
    columns=(
        Column("session_id", ColumnType.STRING, "the producer's session, with user_id the key"),
        Column("user_id", ColumnType.LONG, "with session_id the key"),
        Column("session_start", ColumnType.TIMESTAMP, "first event"),
        Column("session_end", ColumnType.TIMESTAMP, "last event"),
        Column("event_count", ColumnType.LONG, "events in the session"),
        Column("event_sequence", ColumnType.STRING, "'view -> click', the first 100 steps, then '...'"),
        Column("session_duration", ColumnType.LONG, "session_end - session_start, milliseconds"),
        Column("total_value", ColumnType.DECIMAL, "exact sum of value, null counts as 0"),
        Column(
            "conversion_flag",
            ColumnType.BOOLEAN,
            "the steps of `behavior.funnel` in their order, not adjacent",
        ),
    ),
    key=("user_id", "session_id"),
    start="session_start",
    end="session_end",
    line="session {session_id}: {event_count} steps, {conversion_flag:converted|no conversion}",
    settings=BehaviorSettings,
    counts=(
        Count("Conversions", "sessions that went through the funnel (`behavior.funnel`)", where="conversion_flag"),
    ),
    widgets=(Share("Conversions, % of sessions", "Conversions", "Sessions"),),
    longest=("gap",),
)
