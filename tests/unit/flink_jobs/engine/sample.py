"""A rule for the engine's tests: it is plain when it does well, and fails in each way in which a rule may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from contracts.events import Event
from contracts.results import ResultType
from flink_jobs.engine.entries import Store
from flink_jobs.engine.host import Host
from flink_jobs.rule import Emit, Rule, result_of

MINUTE = 60_000
Result = result_of(ResultType.FRAUD)


@dataclass(slots=True)
class Count:
    """How many events, the sum of their values' millionths, and the last one's time."""

    count: int
    micros: int
    last: int


def hand_over(host: Host, start: int, end: int, groups: dict[int, list[Event]]) -> None:
    """Hands events over; what comes of it waits in the host."""
    assert not list(host.hand_over(start, end, groups)), "more results than a test has"


def taken(host: Host, message: bytes, group: int, store: Store) -> bytes:
    """What the JVM is given for a message."""
    return b"".join(host.take(message, group, store))


class Counting(Rule[int, Count]):
    """Tells how many events a user has had, a minute after the last one.

    An event's category asks for a failure, of this batch or, with "due" and "on_time", when the state is due.
    """

    job = ResultType.FRAUD
    key: ClassVar[tuple[str, ...]] = ("user_id",)
    fields: ClassVar[tuple[str, ...]] = ("event_type", "amount", "category")
    state: ClassVar[type[Any]] = Count

    def __init__(self, slot: int = 0, event_types: tuple[str, ...] = (), needs: tuple[str, ...] = ()) -> None:
        self.slot, self.event_types, self.needs = slot, event_types, needs  # type: ignore[misc]  # a class variable
        self.asked: dict[int, str] = {}

    def on_batch(self, key: int, state: Count | None, events: Sequence[Event], emit: Emit) -> Any:
        now = state or Count(0, 0, 0)
        for event in events:
            now.count, now.micros, now.last = now.count + 1, now.micros + event.amount, event.event_time
            if event.category is not None:
                self.asked[key] = event.category
                emit(told(key, now))
        match self.asked.get(key):
            case "raise":
                del self.asked[key]
                raise ArithmeticError(f"user {key} \ud800")
            case "forget":
                return None
            case "no state":
                del self.asked[key]
                return "text"
            case "unknown type":
                del self.asked[key]
                now.count = {1, 2}.union  # type: ignore[assignment]
        return now

    def due(self, state: Count) -> Any:
        if "due" in self.asked.values():
            self.asked.clear()
            raise LookupError("due")
        if "fraction" in self.asked.values():
            self.asked.clear()
            return float("inf")
        return 2**70 if "never" in self.asked.values() else state.last + MINUTE

    def on_time(self, key: int, state: Count, now: int, emit: Emit) -> Any:
        emit(told(key, state))
        state.count = -1
        if self.asked.get(key) == "on_time":
            raise LookupError("on time")
        return state if self.asked.get(key) == "still due" else None


def told(user: int, count: Count, **columns: Any) -> tuple[Any, ...]:
    values = {
        "event_time": count.last,
        "window_start": count.micros,
        "window_end": count.last,
        "user_id": user,
        "suspicious_activity": "",
        "risk_score": float(count.count),
        "alert_level": "LOW",
        "needs_from": 0,
    }
    return Result(**values | columns)
