"""Events for the tests of the sources: evenly spread, of a few users and types."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.events import HEARTBEAT
from contracts.results import ResultType
from tests.events import HOUR, event

#: Both ways in which time reaches a job: a query's windows, and slots for two rules of a lane, one with sessions and
#: one with windows. What every rule makes of its slots is shown without a source (test_against_oracle.py, tests/unit).
JOBS = (ResultType.AGGREGATION.value, ResultType.BEHAVIOR.value, ResultType.RECOMMENDATION.value)
FEW, MANY = 100, 2_000
#: Beyond every window that an event of the first hours can be in.
CLOSING = 6 * HOUR


def events(first: int, span: int, count: int) -> Iterator[bytes]:
    """``count`` events that are evenly spread over ``span`` milliseconds, of a few users and types."""
    for number in range(count):
        yield event(
            first + span * number // count,
            user_id=number % 7,
            event_type=("view", "click", "purchase", "view")[number % 4],
            value=number % 10 if number % 997 else 1e6,
            session_id=f"s{number % 7}",
            category=("shoes", "hats")[number % 2],
        )


def heartbeat(offset: int) -> bytes:
    """An event that is in no job and moves the watermark."""
    return event(offset, event_type=HEARTBEAT)
