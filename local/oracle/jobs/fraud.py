"""Oracle of fraud: bursts of events per user, in plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from contracts.results import ALERT_LEVELS, HIGH_FREQUENCY, ResultType
from flink_jobs.settings import Settings
from local.oracle.made import Result, result
from local.oracle.records import Event


def results(events: list[Event], settings: Settings) -> Iterator[Result]:
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
                    yield result(
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
