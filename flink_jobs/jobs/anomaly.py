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
from math import ldexp, sqrt

from contracts.events import Event
from contracts.results import ResultType
from flink_jobs.rule import Emit, Rule, result_of
from flink_jobs.settings import AnomalySettings, Settings

Result = result_of(ResultType.ANOMALY)

_MAX_SCORE = 1e6
#: Differences are squared after this power of two, which is exact: so none from 1e-280 to 2e18 vanishes or overflows.
_SCALE = ldexp(1.0, 430)

#: Count, a value of the set, how far the mean is from it, sum of squared scaled deviations. The mean as one number
#: would blur a third of a deviation of 1 at 1e15, where a double knows eighths.
Moments = tuple[int, float, float, float]


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
            self._judge(key, events, first, merged([moments for _, moments in slices]), emit)
        elif self.emit_all:
            for event in events:
                emit(_result(event, key, first, count, None, None, None, None, None, anomaly=False))
        slices.append((start, moments_of([event.value or 0.0 for event in events])))
        return Slices(slices)

    def due(self, state: Slices) -> int:
        """When the last slice is in no baseline any more."""
        return state.slices[-1][0] + self.slot + self.baseline

    def on_time(self, key: str, state: Slices, now: int, emit: Emit) -> None:
        """The type has fallen silent."""

    def _judge(self, key: str, events: Sequence[Event], first: int, expected: Moments, emit: Emit) -> None:
        count, shift, offset, squares = expected
        mean = shift + offset
        deviation = sqrt(squares / (count - 1)) / _SCALE
        low, high = mean - self.threshold * deviation, mean + self.threshold * deviation
        for event in events:
            distance = abs((event.value or 0.0) - shift - offset)
            score = 0.0
            if distance:
                score = min(_MAX_SCORE, distance / deviation) if deviation else _MAX_SCORE
            anomaly = score > self.threshold
            if anomaly or self.emit_all:
                emit(_result(event, key, first, count, mean, deviation, score, low, high, anomaly=anomaly))


def _result(
    event: Event,
    key: str,
    first: int,
    count: int,
    mean: float | None,
    deviation: float | None,
    score: float | None,
    low: float | None,
    high: float | None,
    *,
    anomaly: bool,
) -> tuple[object, ...]:
    return Result(
        event_time=event.event_time,
        event_ref=event.event_ref,
        user_id=event.user_id,
        event_type=key,
        current_value=event.value,
        moving_average=mean,
        deviation=deviation,
        baseline_count=count,
        anomaly_score=score,
        is_anomaly=anomaly,
        expected_low=low,
        expected_high=high,
        needs_from=first,
    )


def moments_of(values: list[float]) -> Moments:
    """Moments of a value or more by Welford's update, in order of size, so that their own order does not show."""
    values = sorted(values)
    shift, offset, squares = values[len(values) // 2], 0.0, 0.0
    for count, value in enumerate(values, start=1):
        delta = value - shift - offset
        offset += delta / count
        squares += delta * _SCALE * ((value - shift - offset) * _SCALE)
    return len(values), shift, offset, squares


def merged(parts: Sequence[Moments]) -> Moments:
    """Moments of a part or more, in their order, by the pairwise formula of Chan, Golub and LeVeque (1983)."""
    count, shift, offset, squares = parts[0]
    for other_count, other_shift, other_offset, other_squares in parts[1:]:
        total = count + other_count
        delta = other_shift - shift + (other_offset - offset)
        share = other_count / total
        squares += other_squares + delta * _SCALE * (delta * _SCALE) * count * share
        offset += delta * share
        count = total
    return count, shift, offset, squares


def rule(settings: Settings) -> Anomaly:
    """The rule with its settings."""
    return Anomaly(settings.anomaly)
