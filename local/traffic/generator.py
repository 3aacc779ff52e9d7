"""Generates a click-stream of sessions with anomalies, fraud bursts, conversions and every kind of rejection."""

from __future__ import annotations

import random
from bisect import bisect_left
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from contracts.events import HEARTBEAT
from contracts.rejections import Reason
from contracts.results import ALERT_LEVELS
from local.traffic.plan import Planned, Traffic, Truth, event_bytes
from local.traffic.poison import POISON

MINUTE = 60_000
HOUR = 60 * MINUTE

#: Those of them that a metric may be of by their own name.
PLAIN_CATEGORIES = ("books", "garden", "kitchen", "music", "sports", "toys")
_CATEGORIES = (*PLAIN_CATEGORIES, "café", "本")
#: Lowest and highest value per event type, evenly spread: none is more than 1.8 deviations from the mean, so that no
#: plain value is an anomaly, be the baseline as short as it may.
_VALUES = {
    "view": (5.0, 60.0),
    "click": (1.0, 9.0),
    "add_to_cart": (10.0, 90.0),
    "purchase": (15.0, 120.0),
}
_ANOMALY_FACTOR = 15
#: Values of its type in the hour before a planted anomaly: the job needs 30, and outliers before it blunt its score.
_WARM = 100
_FRAUDSTERS = 900_000
_USERS = 100_000
#: Records overtake each other by less than this in their shard; must stay below the watermark delay.
JITTER = 4_000


@dataclass(frozen=True)
class Request:
    """What to generate. ``start`` and ``span`` are milliseconds; ``poison`` is the share of poisonous records."""

    events: int
    seed: int
    start: int
    span: int = 2 * HOUR
    shards: int = 2
    poison: float = 0.01
    #: How far past the last event the closing heartbeats are; beyond every gap and window.
    closing: int = HOUR + 10 * MINUTE
    watermark_delay: int = 5_000
    #: Plant a record that comes back from an idle shard; needs two shards.
    idle: bool = True


@dataclass
class _Event:
    time: int
    fields: dict[str, Any]
    jitter: int = 0
    #: Set on what is not an ordinary event.
    payload: bytes | None = None
    reason: Reason | None = None


class _Generator:
    def __init__(self, request: Request) -> None:
        self.request = request
        self.random = random.Random(request.seed)  # noqa: S311 - traffic, not secrets
        # Poison has its own stream of chance, so that the good events are the same with and without it.
        self.poison_random = random.Random(request.seed + 1)  # noqa: S311
        self.truth = Truth()
        self.events: list[_Event] = []
        self.ids = 0

    def traffic(self) -> Traffic:
        self._fraud_bursts()
        session = 0
        while len(self.events) < self.request.events:
            self._session(session)
            session += 1
        self._anomalies()
        self._duplicates()
        self.events.sort(key=lambda event: (event.time + event.jitter, event.time))
        records = self._planned()
        idle, closing = self._closing()
        return Traffic(
            self.request.start,
            self.request.start + self.request.span,
            self.request.shards,
            records,
            closing,
            idle,
            self.truth,
        )

    def _next_id(self) -> str:
        self.ids += 1
        return f"e-{self.request.seed}-{self.ids}"

    def _add(self, time: int, user: int, event_type: str, **fields: Any) -> _Event:
        event = _Event(
            time,
            {"user_id": user, "event_type": event_type, **fields},
            jitter=self.random.randrange(JITTER),
        )
        self.events.append(event)
        return event

    def _value(self, event_type: str) -> float:
        return round(self.random.uniform(*_VALUES[event_type]), 2)

    def _session(self, number: int) -> None:
        """A user's visit: views and clicks, perhaps a cart; a purchase only in a converting session."""
        chance = self.random
        user = 1 + int(_USERS * chance.random() ** 2)
        # Zero-padded numbers sort, and no two visits share a session_id.
        session_id = None if chance.random() < 0.05 else f"s{number:06d}"
        converting = session_id is not None and chance.random() < 0.15
        time = self.request.start + chance.randrange(self.request.span - 10 * MINUTE)
        steps = chance.choices(("view", "click", "add_to_cart"), (6, 3, 1), k=chance.randint(2, 14))
        if converting:
            steps += ["view", "click", "add_to_cart", "purchase"]
        if steps[0] != "view":
            steps.insert(0, "view")
        end = self.request.start + self.request.span
        category = chance.choice(_CATEGORIES)
        for step in steps:
            time += 1 + int(chance.expovariate(1 / 25_000))
            if time >= end:
                return
            if chance.random() < 0.3:
                category = chance.choice(_CATEGORIES)
            self._add(
                time,
                user,
                step,
                value=None if chance.random() < 0.1 else self._value(step),
                session_id=session_id,
                category=None if chance.random() < 0.1 else category,
                event_id=self._next_id() if chance.random() < 0.5 else None,
                ip_address=f"198.51.100.{chance.randrange(256)}" if chance.random() < 0.5 else None,
            )
        if converting and session_id is not None:
            self.truth.conversions.add((user, session_id))

    def _anomalies(self) -> None:
        """Makes some ordinary events outliers, where the hour before them holds enough of their type."""
        count = max(3, self.request.events // 4_000)
        warm: list[_Event] = []
        for event_type in ("view", "click"):
            valued = [
                event
                for event in self.events
                if event.fields["event_type"] == event_type and event.fields.get("value") is not None
            ]
            times = sorted(event.time for event in valued)
            warm += [
                event
                for event in valued
                if bisect_left(times, event.time - MINUTE) - bisect_left(times, event.time - HOUR) >= _WARM
            ]
        for event in self.random.sample(warm, min(count, len(warm))):
            event.fields["value"] = _VALUES[event.fields["event_type"]][1] * _ANOMALY_FACTOR
            event.fields["event_id"] = self._next_id()
            self.truth.anomalies.add(event.fields["event_id"])

    def _fraud_bursts(self) -> None:
        start = self.request.start
        # 6 + 6 across the edge of a five-minute window: no tumbling window sees more than 6.
        edge = start + 40 * MINUTE
        straddling = [edge - 60_000 + 10_000 * i for i in range(6)] + [edge + 10_000 * i for i in range(6)]
        self._burst(1, straddling, {"LOW": straddling[10]})
        # 25 within four minutes.
        steady = [start + 55 * MINUTE + 9_000 * i for i in range(25)]
        self._burst(2, steady, {"LOW": steady[10], "MEDIUM": steady[20]})
        # 60 at one millisecond.
        moment = start + 70 * MINUTE
        self._burst(3, [moment] * 60, dict.fromkeys(ALERT_LEVELS, moment))
        # Twice 12, far enough apart to re-arm.
        first = [start + 20 * MINUTE + 5_000 * i for i in range(12)]
        second = [time + 30 * MINUTE for time in first]
        self._burst(4, first + second, {"LOW": first[10]})
        self.truth.frauds.add((_FRAUDSTERS + 4, "LOW", second[10]))

    def _burst(self, number: int, times: list[int], reached: dict[str, int]) -> None:
        user = _FRAUDSTERS + number
        for time in times:
            self._add(time, user, "purchase", value=self._value("purchase"), event_id=self._next_id())
        self.truth.frauds.update((user, level, time) for level, time in reached.items())

    def _duplicates(self) -> None:
        """Sends some events twice, as a producer that retries does."""
        identified = [event for event in self.events if event.fields.get("event_id") is not None]
        for event in self.random.sample(identified, max(2, len(identified) // 500)):
            again = replace(event, jitter=min(JITTER - 1, event.jitter + 500), reason=Reason.DUPLICATE)
            if again.jitter > event.jitter:
                self.events.append(again)

    def _planned(self) -> list[Planned]:
        records: list[Planned] = []
        newest = [0] * self.request.shards
        self._plan_every_poison = iter(POISON)
        late_every = max(1, len(self.events) // 20)
        for number, event in enumerate(self.events):
            shard = event.fields["user_id"] % self.request.shards
            newest[shard] = max(newest[shard], event.time)
            records.append(Planned(shard, self._bytes(event), event.reason))
            if number % late_every == late_every - 1:
                late = dict(event.fields, event_id=None)
                # Exactly at the delay is late, too.
                behind = self.request.watermark_delay + (number % 3) * MINUTE
                payload = event_bytes({"event_time": newest[shard] - behind, **late})
                records.append(Planned(shard, payload, Reason.LATE))
            records += self._poison(event.time, number)
        return records

    def _poison(self, time: int, number: int) -> list[Planned]:
        """Each kind once, early, then by chance."""
        if self.request.poison == 0:
            return []
        due = next(self._plan_every_poison, None) if number % 50 == 49 else None
        if due is None:
            if self.poison_random.random() >= self.request.poison:
                return []
            due = self.poison_random.choice(POISON)
        reason, make = due
        return [Planned(self.poison_random.randrange(self.request.shards), make(time), reason)]

    def _bytes(self, event: _Event) -> bytes:
        """The time in one of the forms that the contract allows, by what the event is, not by chance."""
        form = event.time % 4
        if form == 0:
            return event_bytes({"event_time": event.time, **event.fields})
        stamp = datetime.fromtimestamp(event.time / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S") + (
            f".{event.time % 1000:03d}"
        )
        if form == 1:
            return event_bytes({"timestamp": stamp, **event.fields})
        return event_bytes({"event_time": stamp + ("Z" if form == 2 else "+00:00"), **event.fields})

    def _closing(self) -> tuple[Planned | None, list[Planned]]:
        """Heartbeats on every shard, past every window; and what an idle shard sends when it wakes up."""
        end = self.request.start + self.request.span
        heartbeats = [Planned(shard, _heartbeat(end + self.request.closing)) for shard in range(self.request.shards)]
        if not self.request.idle or self.request.shards < 2:
            return None, heartbeats
        last = self.request.shards - 1
        # In order in its own shard, but the watermark has passed by the other shards' heartbeats.
        woken = event_bytes({"event_time": end + 1, "user_id": last, "event_type": "view", "value": 20.0})
        return Planned(last, woken, Reason.LATE_AFTER_IDLE), heartbeats


def _heartbeat(time: int) -> bytes:
    return event_bytes({"event_time": time, "user_id": 0, "event_type": HEARTBEAT})


def generate(request: Request) -> Traffic:
    """The traffic of a request; a pure function of it."""
    return _Generator(request).traffic()
