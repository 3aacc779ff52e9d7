"""Oracle of session: sessions per user, in plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from contracts.results import MORE_MARK, ResultType
from flink_jobs.settings import Settings
from local.oracle.made import Result, exact_sum, parted, result
from local.oracle.records import Event


def results(events: list[Event], settings: Settings) -> Iterator[Result]:
    """Sessions per user."""
    rules = settings.session
    by_user: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        by_user[event.user_id].append(event)
    for user_id, members in by_user.items():
        members.sort(key=lambda event: (event.time, event.event_type))
        for part in parted(members, rules.gap, rules.max_span):
            start, end = part[0].time, part[-1].time
            event_types = list(dict.fromkeys(event.event_type for event in part))
            if len(event_types) > rules.max_types:
                event_types = [*event_types[: rules.max_types], MORE_MARK]
            yield result(
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
                total_value=exact_sum(event.amount for event in part),
                event_types=event_types,
            )
