"""What the oracle reads and writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    """An accepted event.

    ``time`` is epoch milliseconds; ``amount`` is value rounded half up to six places; ``own`` are a team's own fields.
    """

    time: int
    user_id: int
    event_type: str
    value: float | None
    amount: Decimal | None
    session_id: str | None
    category: str | None
    event_id: str | None
    ref: str
    own: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
