"""Recommendation: the categories that a user cared for lately (flink_jobs/jobs/recommendation.py)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from contracts.columns import Column, ColumnType
from contracts.entry import Count, Entry, Graph
from contracts.settings import JobSettings, Wrong, a_duration, a_number, a_whole_number, duration_text, numbers_by_name


@dataclass(frozen=True)
class RecommendationSettings(JobSettings):
    """Hopping window, decay, weights and length of the list of recommendations."""

    window: int = a_duration("1 h", "1 s", "1 d", "how far back events count")
    step: int = a_duration("5 min", "1 s", "1 d", "how often the lists of active users are made")
    decay: int = a_duration("1 h", "1 s", "7 d", "age at which an event counts 1/e of its weight")
    top: int = a_whole_number(5, 1, 100, "categories in a user's list")
    weights: tuple[tuple[str, float], ...] = numbers_by_name(
        (("view", 1.0), ("click", 2.0), ("purchase", 5.0)),
        100,
        -1000.0,
        1000.0,
        "what an event adds to its category's score, by event type; a negative one takes away",
    )
    weight_other: float = a_number(0.0, -1000.0, 1000.0, "what an event of every other type adds")

    def wrong(self) -> Iterator[Wrong]:
        """The window is whole steps."""
        if self.window % self.step:
            yield Wrong(("window",), f"a whole multiple of 'step' ({duration_text(self.step)})")


ENTRY = Entry(
    meaning="per active user, the best categories of the last hour, newer events counting more",
    columns=(
        Column("window_start", ColumnType.TIMESTAMP, "start of the hopping window, inclusive"),
        Column("window_end", ColumnType.TIMESTAMP, "end of the hopping window, exclusive"),
        Column("user_id", ColumnType.LONG, "the key"),
        Column("category", ColumnType.STRING, "the category that is scored"),
        Column(
            "behavior_score",
            ColumnType.DOUBLE,
            "sum of weight (`recommendation.weights`) * exp(-age / decay), six decimals",
        ),
        Column("last_activity", ColumnType.TIMESTAMP, "last event of the user in the category"),
        Column("rank", ColumnType.LONG, "1 is the best category of the user"),
    ),
    key=("user_id", "category"),
    start="window_start",
    end="window_end",
    line="user {user_id}: {category} is number {rank}, score {behavior_score}",
    settings=RecommendationSettings,
    counts=(
        Count(
            "TopCategory",
            "users whose best category it is, of those active in five minutes",
            dimension="category",
            where="rank == 1",
        ),
    ),
    widgets=(Graph("Top categories: users whose best it is", ("TopCategory",), stacked=True),),
    longest=("step",),
)
