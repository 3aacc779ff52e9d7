"""Oracle of behavior: sequences per session, in plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from contracts.results import MORE_MARK, STEP_SEPARATOR, ResultType
from flink_jobs.settings import Settings
from local.oracle.made import Result, exact_sum, parted, result
from local.oracle.records import Event


def _in_order(event: Event, funnel: Sequence[str]) -> tuple[int, int, str]:
    """By time, ties by the funnel's steps, then by name."""
    rank = funnel.index(event.event_type) if event.event_type in funnel else len(funnel)
    return event.time, rank, event.event_type


def _converted(types: list[str], funnel: Sequence[str]) -> bool:
    rest = iter(types)
    return all(step in rest for step in funnel)


def results(events: list[Event], settings: Settings) -> Iterator[Result]:
    """Sequences per session_id and user."""
    rules = settings.behavior
    by_key: dict[tuple[int, str], list[Event]] = defaultdict(list)
    for event in events:
        if event.session_id is not None:
            by_key[event.user_id, event.session_id].append(event)
    for (user_id, session_id), members in by_key.items():
        members.sort(key=lambda event: _in_order(event, rules.funnel))
        for part in parted(members, rules.gap, None):
            start, end = part[0].time, part[-1].time
            types = [event.event_type for event in part]
            steps = types if len(types) <= rules.max_steps else [*types[: rules.max_steps], MORE_MARK]
            yield result(
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
                total_value=exact_sum(event.amount for event in part),
                conversion_flag=_converted(types, rules.funnel),
            )
