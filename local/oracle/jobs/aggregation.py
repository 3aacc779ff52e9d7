"""Oracle of aggregation: tumbling windows per event_type, in plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from contracts.results import ResultType
from flink_jobs.settings import Settings
from local.oracle.made import Result, exact_sum, floor, result
from local.oracle.records import Event


def results(events: list[Event], settings: Settings) -> Iterator[Result]:
    """Tumbling windows per event_type over events with a value."""
    size = settings.aggregation.window
    windows: dict[tuple[int, str], list[Event]] = defaultdict(list)
    for event in events:
        if event.value is not None:
            windows[floor(event.time, size), event.event_type].append(event)
    for (start, event_type), members in windows.items():
        total = exact_sum(event.amount for event in members)
        yield result(
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
