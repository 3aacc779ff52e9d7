"""Anomaly: z-score of a value against the hour before it, per event_type.

Time is cut into slices of 10 s (``slice``). An event's baseline is the whole slices of the hour (``baseline``) before
its own slice, so never the event itself.

    anomaly_score  = |value - mean| / deviation, at most 1e6 (deviation 0: 0 for the mean itself, else 1e6)
    is_anomaly     = anomaly_score > ``threshold`` (3)
    expected_range = mean +- threshold * deviation; deviation is the sample's

Fewer than ``minimum_count`` (30) values: score null, no anomaly. Only anomalies are results, or all with ``emit_all``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contracts.events import Event
from contracts.jobs.anomaly import AnomalySettings
from contracts.results import ResultType
from flink_jobs.moments import Moments, deviation_of, merged, moments_of
from flink_jobs.rule import Emit, Rule, result_of
from flink_jobs.settings import Settings

Result = result_of(ResultType.ANOMALY)

_MAX_SCORE = 1e6
_UNJUDGED: dict[str, Any] = {
    **dict.fromkeys(("moving_average", "deviation", "anomaly_score", "expected_low", "expected_high")),
    "is_anomaly": False,
}


@dataclass(slots=True)
class Slices:
    """Starts of slices, epoch milliseconds, with the moments of their values, oldest first."""

    slices: list[tuple[int, Moments]]


class Anomaly(Rule[str, Slices]):
    """The rule; settings in milliseconds."""

    job = ResultType.ANOMALY
    key = ("event_type",)
    fields = ("user_id", "value", "event_ref")
    needs = ("value",)
    state = Slices

    def __init__(self, settings: AnomalySettings) -> None:
        self.slot, self.baseline, self.threshold = settings.slice, settings.baseline, settings.threshold
        self.minimum_count, self.emit_all = settings.minimum_count, settings.emit_all

    def on_batch(self, key: str, state: Slices | None, events: Sequence[Event], emit: Emit) -> Slices:
        """Judges a slice's events by the slices before it, which it then joins."""
        start = events[0].event_time // self.slot * self.slot
        first = start - self.baseline
        slices = [each for each in state.slices if each[0] >= first] if state else []
        count = sum(moments[0] for _, moments in slices)
        if count >= self.minimum_count:
            self._judge(events, first, merged([moments for _, moments in slices]), emit)
        elif self.emit_all:
            for event in events:
                emit(_result(event, first, count))
        slices.append((start, moments_of([event.value or 0.0 for event in events])))
        return Slices(slices)

    def due(self, state: Slices) -> int:
        """When the last slice is in no baseline any more."""
        return state.slices[-1][0] + self.slot + self.baseline

    def on_time(self, key: str, state: Slices, now: int, emit: Emit) -> None:
        """The type has fallen silent."""

    def _judge(self, events: Sequence[Event], first: int, expected: Moments, emit: Emit) -> None:
        count, shift, offset, _ = expected
        mean, deviation = shift + offset, deviation_of(expected)
        baseline = {
            "moving_average": mean,
            "deviation": deviation,
            "expected_low": mean - self.threshold * deviation,
            "expected_high": mean + self.threshold * deviation,
        }
        for event in events:
            distance = abs((event.value or 0.0) - shift - offset)
            score = 0.0
            if distance:
                score = min(_MAX_SCORE, distance / deviation) if deviation else _MAX_SCORE
            anomaly = score > self.threshold
            if anomaly or self.emit_all:
                emit(_result(event, first, count, anomaly_score=score, is_anomaly=anomaly, **baseline))


def _result(event: Event, first: int, count: int, **judged: float) -> tuple[Any, ...]:
    """``judged``: what only an event with a baseline has."""
    return Result(
        event_time=event.event_time,
        event_ref=event.event_ref,
        user_id=event.user_id,
        event_type=event.event_type,
        current_value=event.value,
        baseline_count=count,
        needs_from=first,
        **_UNJUDGED | judged,
    )


def rule(settings: Settings) -> Anomaly:
    """The rule with its settings."""
    return Anomaly(settings.anomaly)
