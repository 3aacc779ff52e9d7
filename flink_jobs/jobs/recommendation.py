"""Recommendation: per user, the best categories of the last ``window`` (1 h), at each ``step`` (5 min) with activity.

    behavior_score = sum of weight(event_type) * exp(-(window_end - event_time) / decay), six decimals
    rank           = 1 .. ``top`` (5), by score, then by category

Weights are settings: view 1, click 2, purchase 5, others 0. Within a step the parts of events are whole billionths at
the step's end, so that their order does not show; steps are summed oldest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, floor

from contracts.events import Event
from contracts.jobs.recommendation import RecommendationSettings
from contracts.results import ResultType
from flink_jobs.rule import Emit, Rule, result_of
from flink_jobs.settings import Settings

Result = result_of(ResultType.RECOMMENDATION)

_BILLION = 1e9
_MILLION = 1e6

#: By category: billionths at the step's end, and the last event's time.
Scores = dict[str, list[int]]


@dataclass(slots=True)
class Steps:
    """Ends of steps with their scores, oldest first; ``ranked``: the end of the last one that has been ranked."""

    steps: list[tuple[int, Scores]]
    ranked: int


class Recommendation(Rule[int, Steps]):
    """The rule; settings in milliseconds."""

    job = ResultType.RECOMMENDATION
    key = ("user_id",)
    fields = ("event_type", "category")
    needs = ("category",)
    state = Steps

    def __init__(self, settings: RecommendationSettings) -> None:
        self.window, self.step, self.decay, self.top = settings.window, settings.step, settings.decay, settings.top
        self.weights, self.other = dict(settings.weights), settings.weight_other
        self._decays = [exp(-age / self.decay) for age in range(0, self.window, self.step)]

    def on_batch(self, key: int, state: Steps | None, events: Sequence[Event], emit: Emit) -> Steps:
        """Adds each event to its step's scores."""
        state = state or Steps([], 0)
        end, scores = state.steps[-1] if state.steps else (0, {})
        for event in events:
            time = event.event_time
            if time >= end:
                end, scores = time // self.step * self.step + self.step, {}
                state.steps.append((end, scores))
            weight = self.weights.get(event.event_type, self.other)
            added = floor(weight * exp(-(end - time) / self.decay) * _BILLION + 0.5)
            known = scores.get(event.category or "")
            if known is None:
                scores[event.category or ""] = [added, time]
            else:
                known[0] += added
                known[1] = time
        return state

    def due(self, state: Steps) -> int:
        """At the end of the first step that is not ranked; else when the oldest is in no window any more."""
        if state.steps[-1][0] > state.ranked:
            return next(end for end, _ in state.steps if end > state.ranked)
        # Rounded up to a step: ends of a restored state may be those of another setting.
        return -(-(state.steps[0][0] + self.window) // self.step) * self.step - self.step

    def on_time(self, key: int, state: Steps, now: int, emit: Emit) -> Steps | None:
        """Ranks the steps that are over, and forgets those that the next one's window does not reach."""
        for end, _ in state.steps:
            if state.ranked < end <= now:
                self._rank(key, end, [step for step in state.steps if end - self.window < step[0] <= end], emit)
                state.ranked = end
        next_end = now // self.step * self.step + self.step
        state.steps = [step for step in state.steps if step[0] > next_end - self.window]
        return state if state.steps else None

    def _rank(self, user: int, end: int, steps: list[tuple[int, Scores]], emit: Emit) -> None:
        found: dict[str, tuple[float, int]] = {}
        for close, scores in steps:
            decay = self._decays[(end - close) // self.step]
            for category, (billionths, last) in scores.items():
                score = billionths / _BILLION * decay
                known = found.get(category)
                found[category] = (score, last) if known is None else (known[0] + score, last)
        ranked = sorted((-floor(score * _MILLION + 0.5), category) for category, (score, _) in found.items())
        for rank, (negative, category) in enumerate(ranked[: self.top], start=1):
            emit(
                Result(
                    event_time=end,
                    window_start=end - self.window,
                    window_end=end,
                    user_id=user,
                    category=category,
                    behavior_score=-negative / _MILLION,
                    last_activity=found[category][1],
                    rank=rank,
                    needs_from=end - self.window,
                )
            )


def rule(settings: Settings) -> Recommendation:
    """The rule with its settings."""
    return Recommendation(settings.recommendation)
