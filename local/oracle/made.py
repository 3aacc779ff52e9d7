"""What oracles are made of: a result with its id, and arithmetic that several need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal, localcontext
from typing import Any

from contracts.identity import result_id
from contracts.results import ResultType
from local.oracle.records import Event

#: A result's columns by name; times are epoch milliseconds, sums Decimal. ``run`` is left out: it is not compared.
Result = dict[str, Any]


def floor(time: int, step: int) -> int:
    """The start of the step that the time is in."""
    return time // step * step


def exact_sum(amounts: Iterable[Decimal | None]) -> Decimal:
    """The sum of those that are not null, to the last digit."""
    with localcontext() as context:
        context.prec = 60
        return sum((amount for amount in amounts if amount is not None), Decimal("0.000000"))


def result(
    job: ResultType, event_time: int, start: int, end: int, key: tuple[int | str, ...], **columns: Any
) -> Result:
    """A result of the window from ``start`` to ``end``; ``key``: values of the entry's key, in its order."""
    return {
        "result_type": job.value,
        "result_id": result_id(job.value, start, end, *key),
        "event_time": event_time,
        **columns,
    }


def parted(events: list[Event], gap: int, max_span: int | None) -> Iterator[list[Event]]:
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
