"""Random streams of events: hypothesis writes scenarios, and many of them become ONE log for one run of Flink.

A scenario is what one set of users does. Its steps say how far the clock goes on, how far behind the clock the event's
own time lies, and what the event holds. Scenarios have users of their own, start together, and share the partitions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeVar

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from contracts.events import HEARTBEAT
from local.oracle.records import LogRecord
from tests.events import ARRIVAL, HOUR, MINUTE, SECOND, SOURCE, START

#: Users a scenario has.
USERS = 3
PARTITIONS = 4


@dataclass(frozen=True)
class Step:
    """One record. ``fields`` without a value in them stay out of the payload; ``poison`` goes in its stead."""

    advance: int
    lag: int
    partition: int
    fields: Mapping[str, Any]
    poison: bytes | None = None


Scenario = Sequence[Step]

#: The watermark delay is 5 s: up to 4,999 ms behind is in time.
LAGS = st.sampled_from([0, 0, 0, 0, 0, 1, 700, 2 * SECOND, 4 * SECOND, 4_999, 5_000, 5_001, MINUTE])

#: One record in twenty is none of the contract.
POISON = st.sampled_from(
    [None] * 285
    + [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"event_time": 1}{}',
        b'{"user_id": 1, "event_type": "view"}',
        b'{"event_time": "2099-01-01T00:00:00Z", "user_id": 1, "event_type": "view"}',
        b'{"event_time": "soon", "user_id": 1, "event_type": "view"}',
        b'{"event_time": "2026-01-01T00:00:00Z", "user_id": "1", "event_type": "view"}',
        b'{"event_time": "2026-01-01T00:00:00Z", "user_id": 1e3, "event_type": "view"}',
        b'{"event_time": "2026-01-01T00:00:00Z", "user_id": 9223372036854775808, "event_type": "view"}',
        b'{"event_time": "2026-01-01T00:00:00Z", "user_id": 1, "event_type": ""}',
        b'{"event_time": "2026-01-01T00:00:00Z", "user_id": 1, "event_type": "view", "value": 1e400}',
        b'{"event_time": "2026-01-01T00:00:00Z", "user_id": 1, "event_type": "view", "value": "1"}',
    ]
)

VALUES = st.one_of(
    st.none(),
    st.integers(-100, 100),
    st.floats(-1000, 1000, allow_subnormal=False).map(lambda value: round(value, 7)),
    st.sampled_from(
        [
            0.0,
            -0.0,
            0.1,
            1e-7,
            4.9e-7,
            5e-7,
            1e9 + 1,
            1e9 - 1,
            3e-170,
            1e15 + 0.25,
            1e17,
            -1e18,
            1e18,
            123456789.1234565,
        ]
    ),
)
TEXTS = st.one_of(st.text(max_size=6), st.sampled_from(["", "shoes", "Ärger", "日本", "\U0001f600", "a\x00b", '"\\']))
#: Half of the events are of the vocabulary, half are not.
EVENT_TYPES = (
    *("view", "view", "click", "click", "purchase", "purchase", "add_to_cart", HEARTBEAT),
    *("kauf", "\ufb01", "\U0001f600", "zoom") * 2,
)
#: Steps of the clock that every stream has, beside its own.
SMALL = (0, 0, 1, 300, SECOND)
EVENT_IDS = st.sampled_from([None] * 60 + [str(number) for number in range(15)])


def scenarios(
    advances: Sequence[int], *, event_types: Sequence[str] = EVENT_TYPES, most: int = 50
) -> SearchStrategy[Scenario]:
    """Scenarios whose clock goes on by one of ``advances``, with a lean to small ones."""
    return _drawn(most).map(lambda scenario: _settled(scenario, advances, event_types))


def generated(advances: Sequence[int], *, event_types: Sequence[str] = EVENT_TYPES) -> list[Scenario]:
    """As many scenarios as the profile has examples, as ``scenarios`` makes them."""
    return [_settled(scenario, advances, event_types) for scenario in _collected()]


#: Of what a stream has lists of its own for, the place in them: any list of up to 10 or 16 is drawn from evenly.
_PLACES = st.sampled_from(range(2 * 5040))


def _drawn(most: int) -> SearchStrategy[Scenario]:
    """Scenarios with places of ``advance`` and ``event_type`` instead of these."""
    fields = st.fixed_dictionaries(
        {
            "user_id": st.integers(0, USERS - 1),
            "event_type": _PLACES,
            "value": VALUES,
            "session_id": st.one_of(st.none(), st.sampled_from(["s", "t", "\U0001f600"])),
            "category": st.one_of(st.none(), TEXTS),
            "event_id": EVENT_IDS,
        }
    )
    step = st.builds(Step, _PLACES, LAGS, st.integers(0, PARTITIONS - 1), fields, POISON)
    return st.lists(step, min_size=most // 2, max_size=most)


@cache
def _collected() -> list[Scenario]:
    """Drawn once a session: drawing takes seconds, many times what a job needs for the stream."""
    collected: list[Scenario] = []

    @given(_drawn(50))
    def collect(scenario: Scenario) -> None:
        collected.append(scenario)

    collect()
    return collected


def _settled(scenario: Scenario, advances: Sequence[int], event_types: Sequence[str]) -> Scenario:
    return [
        replace(
            step,
            advance=_at(step.advance // 2, SMALL if step.advance % 2 else advances),
            fields={**step.fields, "event_type": _at(step.fields["event_type"], event_types)},
        )
        for step in scenario
    ]


T = TypeVar("T")


def _at(place: int, choices: Sequence[T]) -> T:
    return choices[place % len(choices)]


def merged(scenarios: Sequence[Scenario], *, skew: int = 0, own_types: bool = False) -> list[LogRecord]:
    """The scenarios as one archive of all partitions, ordered by the scenarios' clocks.

    Args:
        scenarios: what happens, each with its own users and event_ids.
        skew: the archive holds the first partition this much earlier than the last.
        own_types: every scenario has event types of its own, too.
    """
    timed: list[tuple[int, int, bytes]] = []
    for number, scenario in enumerate(scenarios):
        clock = START + HOUR
        for step in scenario:
            clock += step.advance
            payload = step.poison
            if payload is None:
                payload = _payload(number, step, clock, own_types)
            timed.append((clock + step.partition * skew // PARTITIONS, step.partition, payload))
    timed.sort(key=lambda record: record[0])
    return [
        LogRecord(SOURCE, f"shard-{partition}", str(position), ARRIVAL, payload)
        for position, (_, partition, payload) in enumerate(timed)
    ]


def _payload(number: int, step: Step, clock: int, own_types: bool) -> bytes:
    fields = {name: value for name, value in step.fields.items() if value is not None}
    user = number * USERS + fields["user_id"]
    # Every other user has a huge negative id.
    fields["user_id"] = user if user % 2 == 0 else user - 2**63
    if "event_id" in fields:
        fields["event_id"] = f"{number}-{fields['event_id']}"
    if own_types and fields["event_type"] != HEARTBEAT:
        fields["event_type"] += f"-{number}"
    content = {"event_time": clock - step.lag, **fields}
    return json.dumps(content, ensure_ascii=False).encode()
