"""Oracle of anomaly: z-scores against the hour before, in plain Python."""

from __future__ import annotations

import bisect
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from contracts.results import ResultType
from flink_jobs.settings import Settings
from local.oracle.made import Result, floor, result
from local.oracle.records import Event

_MAX_SCORE = 1e6


def results(events: list[Event], settings: Settings) -> Iterator[Result]:
    """z-score against the whole slices of the hour before the event's own slice; numpy's mean and deviation."""
    rules = settings.anomaly
    by_type: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.value is not None:
            by_type[event.event_type].append(event)
    for event_type, members in by_type.items():
        members.sort(key=lambda event: event.time)
        times = [event.time for event in members]
        values = np.array([event.value for event in members], dtype=np.float64)
        slice_start, baseline = -1, _Baseline(0, 0.0, 0.0, None)
        for position, event in enumerate(members):
            own = floor(event.time, rules.slice)
            if own != slice_start:  # the events of a slice share their baseline
                first = bisect.bisect_left(times, own - rules.baseline)
                last = bisect.bisect_left(times, own)
                slice_start, baseline = own, _baseline(values[first:last], rules.minimum_count)
            yield from _scored(event, event_type, baseline, float(values[position]), settings)


@dataclass(frozen=True)
class _Baseline:
    """The mean is ``middle`` + ``offset``: their sum alone would blur what lies between neighbouring doubles."""

    count: int
    middle: float
    offset: float
    deviation: float | None


def _baseline(values: np.ndarray[Any, np.dtype[np.float64]], minimum: int) -> _Baseline:
    if len(values) < minimum:
        return _Baseline(len(values), 0.0, 0.0, None)
    middle = float(np.median(values))
    around = values - middle
    unit = float(np.max(np.abs(around))) or 1.0  # squares of tiny differences would vanish
    return _Baseline(len(values), middle, float(np.mean(around)), float(np.std(around / unit, ddof=1)) * unit)


def _scored(event: Event, event_type: str, baseline: _Baseline, value: float, settings: Settings) -> Iterator[Result]:
    rules = settings.anomaly
    deviation = baseline.deviation
    mean = score = low = high = None
    if deviation is not None:
        mean = baseline.middle + baseline.offset
        distance = abs(value - baseline.middle - baseline.offset)
        ratio = distance / deviation if deviation > 0 else math.inf
        score = 0.0 if distance == 0 else min(_MAX_SCORE, ratio)
        low, high = mean - rules.threshold * deviation, mean + rules.threshold * deviation
    is_anomaly = score is not None and score > rules.threshold
    if is_anomaly or rules.emit_all:
        yield result(
            ResultType.ANOMALY,
            event.time,
            event.time,
            event.time,
            (event.ref,),
            user_id=event.user_id,
            event_type=event_type,
            current_value=value,
            moving_average=mean,
            deviation=deviation,
            baseline_count=baseline.count,
            anomaly_score=score,
            is_anomaly=is_anomaly,
            expected_low=low,
            expected_high=high,
        )
