"""What the oracle reads and writes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class LogRecord:
    """A record as it stands in its shard's log. ``arrival`` is epoch milliseconds."""

    source: str
    partition: str
    position: str
    arrival: int
    payload: bytes


@dataclass(frozen=True)
class Event:
    """An accepted event. ``time`` is epoch milliseconds; ``amount`` is value rounded half up to six places."""

    time: int
    user_id: int
    event_type: str
    value: float | None
    amount: Decimal | None
    session_id: str | None
    category: str | None
    event_id: str | None
    ref: str
