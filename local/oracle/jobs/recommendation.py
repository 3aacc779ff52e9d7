"""Oracle of recommendation: decayed scores per user and category, in plain Python."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator

from contracts.results import ResultType
from flink_jobs.settings import Settings
from local.oracle.made import Result, floor, result
from local.oracle.records import Event


def results(events: list[Event], settings: Settings) -> Iterator[Result]:
    """Decayed scores per user and category at the end of each step in which the user was active."""
    rules = settings.recommendation
    weights = dict(rules.weights)
    by_user: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        if event.category is not None:
            by_user[event.user_id].append(event)
    for user_id, members in by_user.items():
        for end in sorted({floor(event.time, rules.step) + rules.step for event in members}):
            start = end - rules.window
            scores: dict[str, float] = defaultdict(float)
            last: dict[str, int] = {}
            for event in members:
                if start <= event.time < end and event.category is not None:
                    weight = weights.get(event.event_type, rules.weight_other)
                    scores[event.category] += weight * math.exp(-(end - event.time) / rules.decay)
                    last[event.category] = max(event.time, last.get(event.category, event.time))
            ranked = sorted((-round(score, 6), category) for category, score in scores.items())
            for rank, (negative, category) in enumerate(ranked[: rules.top], start=1):
                yield result(
                    ResultType.RECOMMENDATION,
                    end,
                    start,
                    end,
                    (user_id, category),
                    window_start=start,
                    window_end=end,
                    user_id=user_id,
                    category=category,
                    behavior_score=-negative,
                    last_activity=last[category],
                    rank=rank,
                )
