"""The file of events that every contender reads: seeded, of about 180 bytes an event, over four hours of event time.

In front of the events that are measured may stand others that warm up, at the same pace.

The format is what flink_jobs/java/.../benchmark/RecordFile.java reads: the number of partitions, then per record
partition, arrival (epoch milliseconds), length and payload, big-endian.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PARTITIONS = 4
SPAN = 4 * 3_600_000
#: A whole hour, far enough in the past for no event to be in the future: 2026-09-21T13:00:00Z.
START = 1_789_995_600_000
#: After every event.
ARRIVAL = START + 30 * 24 * 3_600_000

_HEADER = struct.Struct(">i")
_RECORD = struct.Struct(">iqi")
_CATEGORIES = tuple(f"category-{number}" for number in range(20))
#: Milliseconds between two events of a visitor.
_BETWEEN = 10_000
_TYPES = ("view", "view", "view", "view", "view", "view", "click", "click", "click", "purchase", "add_to_cart")


@dataclass(frozen=True)
class Shape:
    """What the events are like.

    ``event_types`` 4 is hot: four types hold everything; more are drawn evenly beside them. ``skewed``: half of the
    first partition's events stand before all others in the file, so that it runs far ahead. ``warm_up`` events come
    before the first of ``events``, in order.
    """

    events: int
    event_types: int = 4
    users: int = 50_000
    skewed: bool = False
    seed: int = 1
    warm_up: int = 0

    @property
    def name(self) -> str:
        """Names the file: the same name, the same bytes."""
        skew = "skewed" if self.skewed else "even"
        return f"{self.warm_up}-{self.events}-{self.event_types}-{self.users}-{skew}-{self.seed}"


class _Visit:
    """A user on the site: some ten seconds between events, a handful of categories, then gone."""

    def __init__(self, chance: random.Random, number: int, shape: Shape) -> None:
        self.user = int(chance.random() ** 2 * shape.users)  # some users come more often than others
        self.session = f"s-{number}"
        self.categories = chance.sample(_CATEGORIES, 3)
        self.left = 1 + int(chance.expovariate(1 / 15))


def _payloads(shape: Shape) -> Iterator[tuple[int, bytes]]:
    """Partition and payload, in order of arrival; event times up to two seconds out of order."""
    chance = random.Random(shape.seed)  # noqa: S311 - a benchmark's data
    visits = 0
    visitors: list[_Visit] = []
    while len(visitors) < max(1, shape.events * _BETWEEN // SPAN):
        visitors.append(_Visit(chance, visits := visits + 1, shape))
    for number in range(shape.warm_up + shape.events):
        time = START + SPAN * number // shape.events - chance.randrange(2_000)
        place = chance.randrange(len(visitors))
        visit = visitors[place]
        user = visit.user
        if shape.event_types > 4 and number % 2:
            event_type = f"type-{chance.randrange(shape.event_types)}"
        else:
            event_type = _TYPES[chance.randrange(len(_TYPES))]
        if number % 20_000 < 30:  # somebody buys a lot at once
            user, event_type = number // 20_000 % shape.users, "purchase"
        value = round(chance.lognormvariate(3, 1), 2)
        payload = (
            f'{{"event_time": {max(time, START)}, "user_id": {user}, "event_type": "{event_type}", "value": {value}, '
            f'"session_id": "{visit.session}", "ip_address": "10.{user >> 8 & 255}.{user & 255}.7", '
            f'"category": "{visit.categories[chance.randrange(3)]}"}}'
        )
        visit.left -= 1
        if visit.left == 0:
            visitors[place] = _Visit(chance, visits := visits + 1, shape)
        yield user % PARTITIONS, payload.encode()


def write(shape: Shape, folder: Path) -> Path:
    """The file of that shape, made where it is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{shape.name}.records"
    if path.exists():
        return path
    known: list[bytes] = []
    ahead: list[bytes] = []
    rest: list[bytes] = []
    for number, (partition, payload) in enumerate(_payloads(shape)):
        record = _RECORD.pack(partition, ARRIVAL, len(payload)) + payload
        # All begin, so that every partition is known, and then one of them runs away.
        if number < max(shape.warm_up, 4 * PARTITIONS):
            known.append(record)
        elif shape.skewed and partition == 0 and len(ahead) < shape.events // PARTITIONS // 2:
            ahead.append(record)
        else:
            rest.append(record)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        file.write(_HEADER.pack(PARTITIONS))
        file.writelines(known)
        file.writelines(ahead)
        file.writelines(rest)
    partial.rename(path)
    return path


def read(path: Path) -> Iterator[bytes]:
    """The payloads, in the file's order."""
    for _, payload in records(path):
        yield payload


def records(path: Path) -> Iterator[tuple[int, bytes]]:
    """Partition and payload, in the file's order."""
    with path.open("rb", buffering=1 << 20) as file:
        file.read(_HEADER.size)
        while header := file.read(_RECORD.size):
            partition, _, length = _RECORD.unpack(header)
            yield partition, file.read(length)
