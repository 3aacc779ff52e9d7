"""Recomputes every job's results from the accepted events, in plain Python, from the design's table.

A result is a dict with the contract's columns; times are epoch milliseconds, sums Decimal. ``run`` is left out:
it is part of no compared content.
"""

from __future__ import annotations

import bisect
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

import numpy as np

from contracts.identity import result_id
from contracts.results import (
    ALERT_LEVELS,
    HIGH_FREQUENCY,
    MORE_MARK,
    STEP_SEPARATOR,
    ResultType,
)
from flink_jobs.settings import Settings
from local.oracle.records import Event

Result = dict[str, Any]

_MAX_SCORE = 1e6


def _floor(time: int, step: int) -> int:
    return time // step * step


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    with localcontext() as context:
        context.prec = 60
        return sum((amount for amount in amounts if amount is not None), Decimal("0.000000"))


def _result(
    job: ResultType, event_time: int, start: int, end: int, key: tuple[int | str, ...], **columns: Any
) -> Result:
    return {
        "result_type": job.value,
        "result_id": result_id(job.value, start, end, *key),
        "event_time": event_time,
        **columns,
    }


def aggregation(events: list[Event], settings: Settings) -> Iterator[Result]:
    """Tumbling windows per event_type over events with a value."""
    size = settings.aggregation.window
    windows: dict[tuple[int, str], list[Event]] = defaultdict(list)
    for event in events:
        if event.value is not None:
            windows[_floor(event.time, size), event.event_type].append(event)
    for (start, event_type), members in windows.items():
        total = _sum(event.amount for event in members)
        yield _result(
            ResultType.AGGREGATION,
            start + size,
            start,
            start + size,
            (event_type,),
            window_start=start,
            window_end=start + size,
            event_type=event_type,
            event_count=len(members),
            unique_users=len({event.user_id for event in members}),
            total_value=total,
            avg_value=float(total) / len(members),
        )


def anomaly(events: list[Event], settings: Settings) -> Iterator[Result]:
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
            own = _floor(event.time, rules.slice)
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
        yield _result(
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


def _sessions(events: list[Event], gap: int, max_span: int | None) -> Iterator[list[Event]]:
    """Parts events in order of time where the gap, or the longest span, is reached."""
    current: list[Event] = []
    for event in events:
        if current and (
            event.time - current[-1].time >= gap or (max_span is not None and event.time - current[0].time >= max_span)
        ):
            yield current
            current = []
        current.append(event)
    if current:
        yield current


def session(events: list[Event], settings: Settings) -> Iterator[Result]:
    """Sessions per user."""
    rules = settings.session
    by_user: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        by_user[event.user_id].append(event)
    for user_id, members in by_user.items():
        members.sort(key=lambda event: (event.time, event.event_type))
        for part in _sessions(members, rules.gap, rules.max_span):
            start, end = part[0].time, part[-1].time
            event_types = list(dict.fromkeys(event.event_type for event in part))
            if len(event_types) > rules.max_types:
                event_types = [*event_types[: rules.max_types], MORE_MARK]
            yield _result(
                ResultType.SESSION,
                min(end + rules.gap, start + rules.max_span),
                start,
                end,
                (user_id,),
                user_id=user_id,
                session_start=start,
                session_end=end,
                duration_minutes=(end - start) / 60_000,
                event_count=len(part),
                total_value=_sum(event.amount for event in part),
                event_types=event_types,
            )


def _in_order(event: Event, funnel: Sequence[str]) -> tuple[int, int, str]:
    """By time, ties by the funnel's steps, then by name."""
    rank = funnel.index(event.event_type) if event.event_type in funnel else len(funnel)
    return event.time, rank, event.event_type


def _converted(types: list[str], funnel: Sequence[str]) -> bool:
    rest = iter(types)
    return all(step in rest for step in funnel)


def behavior(events: list[Event], settings: Settings) -> Iterator[Result]:
    """Sequences per session_id and user."""
    rules = settings.behavior
    by_key: dict[tuple[int, str], list[Event]] = defaultdict(list)
    for event in events:
        if event.session_id is not None:
            by_key[event.user_id, event.session_id].append(event)
    for (user_id, session_id), members in by_key.items():
        members.sort(key=lambda event: _in_order(event, rules.funnel))
        for part in _sessions(members, rules.gap, None):
            start, end = part[0].time, part[-1].time
            types = [event.event_type for event in part]
            steps = types if len(types) <= rules.max_steps else [*types[: rules.max_steps], MORE_MARK]
            yield _result(
                ResultType.BEHAVIOR,
                end + rules.gap,
                start,
                end,
                (user_id, session_id),
                session_id=session_id,
                user_id=user_id,
                session_start=start,
                session_end=end,
                event_count=len(part),
                event_sequence=STEP_SEPARATOR.join(steps),
                session_duration=end - start,
                total_value=_sum(event.amount for event in part),
                conversion_flag=_converted(types, rules.funnel),
            )


def recommendation(events: list[Event], settings: Settings) -> Iterator[Result]:
    """Decayed scores per user and category at the end of each step in which the user was active."""
    rules = settings.recommendation
    weights = dict(rules.weights)
    by_user: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        if event.category is not None:
            by_user[event.user_id].append(event)
    for user_id, members in by_user.items():
        for end in sorted({_floor(event.time, rules.step) + rules.step for event in members}):
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
                yield _result(
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


def fraud(events: list[Event], settings: Settings) -> Iterator[Result]:
    """Walks each user's events that count; a level that fired needs a window's length below its threshold."""
    rules = settings.fraud
    thresholds = dict(zip(ALERT_LEVELS, (rules.low, rules.medium, rules.high), strict=True))
    by_user: dict[int, list[int]] = defaultdict(list)
    for event in events:
        if event.event_type in rules.event_types:
            by_user[event.user_id].append(event.time)
    for user_id, times in by_user.items():
        times.sort()
        # When the count was last seen to fall below the threshold, per level; None: never reached.
        fell: dict[str, int | None] = dict.fromkeys(ALERT_LEVELS)
        for position, time in enumerate(times):
            inside = [other for other in times[: position + 1] if other > time - rules.window]
            for level, threshold in thresholds.items():
                if len(inside) < threshold:
                    continue
                below_since = fell[level]
                if below_since is None or time - below_since >= rules.window:
                    yield _result(
                        ResultType.FRAUD,
                        time,
                        time - rules.window,
                        time,
                        (user_id, level),
                        window_start=time - rules.window,
                        window_end=time,
                        user_id=user_id,
                        suspicious_activity=HIGH_FREQUENCY,
                        risk_score=float(threshold),
                        alert_level=level,
                    )
                fell[level] = inside[-threshold] + rules.window


ORACLES: dict[ResultType, Callable[[list[Event], Settings], Iterator[Result]]] = {
    ResultType.AGGREGATION: aggregation,
    ResultType.ANOMALY: anomaly,
    ResultType.SESSION: session,
    ResultType.BEHAVIOR: behavior,
    ResultType.RECOMMENDATION: recommendation,
    ResultType.FRAUD: fraud,
}


def expected(events: list[Event], settings: Settings) -> dict[str, Result]:
    """Every enabled job's results by result_id."""
    results: dict[str, Result] = {}
    for name in settings.jobs.enabled:
        for result in ORACLES[ResultType(name)](list(events), settings):
            results[result["result_id"]] = result
    return results
