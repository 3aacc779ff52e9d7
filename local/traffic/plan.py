"""What the traffic is made of: records to send, in order, and the truth that was planted in them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from contracts.rejections import Reason


@dataclass(frozen=True)
class Planned:
    """A record to send: which shard (0 is the first), its bytes, and the rejection it was made for, if any."""

    shard: int
    payload: bytes
    reason: Reason | None = None


@dataclass
class Truth:
    """What the jobs must find. Times are epoch milliseconds."""

    #: event_id of each planted anomaly.
    anomalies: set[str] = field(default_factory=set)
    #: (user_id, alert_level, time of the purchase that reaches it).
    frauds: set[tuple[int, str, int]] = field(default_factory=set)
    #: (user_id, session_id) of sessions that went view, click, purchase.
    conversions: set[tuple[int, str]] = field(default_factory=set)


@dataclass
class Traffic:
    """A seeded run: the same seed, start and size give the same records, byte by byte.

    ``records`` are sent in order, then ``closing`` (heartbeats that push the watermark past every window). Between
    them ``idle`` is played: the last shard is silent until the watermark has passed without it, then its record
    comes.
    """

    start: int
    end: int
    shards: int
    records: list[Planned]
    closing: list[Planned]
    idle: Planned | None
    truth: Truth


def event_bytes(event: dict[str, Any]) -> bytes:
    """The event as a producer sends it: compact UTF-8 JSON, absent fields left out."""
    present = {name: value for name, value in event.items() if value is not None}
    return json.dumps(present, separators=(",", ":"), ensure_ascii=False).encode()
