"""The demo's traffic: the same for the same request, and exactly as bad, late and suspicious as it says."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter

import pytest

from contracts.events import HEARTBEAT
from contracts.identity import result_id
from contracts.rejections import INTAKE_REASONS, Reason
from flink_jobs.settings import Settings
from local.demo.application import checked, property_groups
from local.oracle.jobs import anomaly, behavior, fraud
from local.oracle.records import LogRecord
from local.oracle.verdicts import Tolerance, Verdicts, judge
from local.traffic.generator import HOUR, Request, generate
from local.traffic.plan import Planned, Traffic

T0 = 1_763_892_000_000
#: Seeds of which some failed when plain values could be anomalies.
SEEDS = (1, 3, 6, 7, 18)


def settings() -> Settings:
    return checked(property_groups({}))


def request(**changes: object) -> Request:
    return dataclasses.replace(Request(events=1_500, seed=1, start=T0), **changes)  # type: ignore[arg-type]


def sent(traffic: Traffic) -> list[Planned]:
    """In the order of the demo: the idle shard's record after the others' heartbeats."""
    if traffic.idle is None:
        return [*traffic.records, *traffic.closing]
    return [*traffic.records, *traffic.closing[:-1], traffic.idle, traffic.closing[-1]]


def log_of(traffic: Traffic) -> list[LogRecord]:
    arrival = traffic.end + 2 * HOUR
    return [
        LogRecord("events", f"shard-{record.shard}", str(number), arrival, record.payload)
        for number, record in enumerate(sent(traffic))
    ]


def verdicts(traffic: Traffic) -> Verdicts:
    log = log_of(traffic)
    woken = [
        (record.partition, record.position)
        for record, planned in zip(log, sent(traffic), strict=True)
        if planned is traffic.idle
    ]
    time = settings().time
    return judge(
        log,
        watermark_delay=time.watermark_delay,
        tolerance=Tolerance.of(time),
        duplicate_window=time.duplicate_window,
        after_idle=frozenset(woken),
    )


def good(traffic: Traffic) -> list[Planned]:
    return [record for record in traffic.records if record.reason is None]


def test_given_the_same_request_then_every_byte_is_the_same() -> None:
    assert generate(request()) == generate(request())


@pytest.mark.parametrize("other", [{"seed": 2}, {"start": T0 + HOUR}, {"events": 1_600}, {"span": 3 * HOUR}])
def test_given_another_request_then_other_records(other: dict[str, object]) -> None:
    assert [record.payload for record in generate(request(**other)).records] != [
        record.payload for record in generate(request()).records
    ]


@pytest.mark.parametrize("poison", [0.01, 0.3])
def test_given_poison_then_the_good_events_and_the_truth_are_the_same_as_without(poison: float) -> None:
    clean, poisoned = generate(request(poison=0.0)), generate(request(poison=poison))
    assert good(poisoned) == good(clean)
    assert poisoned.truth == clean.truth
    assert len(poisoned.records) > len(clean.records)
    assert {record.reason for record in clean.records} == {None, Reason.LATE, Reason.DUPLICATE}


def test_given_a_share_of_poison_then_about_that_many_are_poisonous() -> None:
    traffic = generate(request(events=10_000, poison=0.05))
    poisonous = sum(record.reason not in (None, Reason.LATE, Reason.DUPLICATE) for record in traffic.records)
    assert 0.04 < poisonous / len(good(traffic)) < 0.06


@pytest.mark.parametrize("shards", [2, 3])
def test_given_two_shards_or_more_then_every_reason_is_planted(shards: int) -> None:
    assert {record.reason for record in sent(generate(request(shards=shards)))} == {None, *INTAKE_REASONS}


@pytest.mark.parametrize("options", [{"shards": 1}, {"idle": False}])
def test_given_one_shard_or_no_idleness_then_every_other_reason_is_planted(options: dict[str, object]) -> None:
    traffic = generate(request(**options))
    assert traffic.idle is None
    assert {record.reason for record in sent(traffic)} == {None, *INTAKE_REASONS} - {Reason.LATE_AFTER_IDLE}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("shards", [1, 3])
def test_given_any_traffic_then_the_oracle_rejects_what_was_planned_and_nothing_else(seed: int, shards: int) -> None:
    traffic = generate(request(seed=seed, shards=shards, poison=0.05))
    rejected = verdicts(traffic).rejected
    wanted = {
        (record.partition, record.position): planned.reason
        for record, planned in zip(log_of(traffic), sent(traffic), strict=True)
        if planned.reason is not None
    }
    assert rejected == wanted


@pytest.mark.parametrize("seed", SEEDS)
def test_given_any_seed_then_the_oracle_finds_exactly_the_planted_truth(seed: int) -> None:
    traffic = generate(request(seed=seed))
    events = verdicts(traffic).events
    by_id = {event.event_id: event for event in events}
    planted = {
        result_id("anomaly", by_id[each].time, by_id[each].time, f"id:{each}") for each in traffic.truth.anomalies
    }
    assert {result["result_id"] for result in anomaly.results(events, settings())} == planted
    assert {
        (result["user_id"], result["alert_level"], result["event_time"]) for result in fraud.results(events, settings())
    } == traffic.truth.frauds
    assert {
        (result["user_id"], result["session_id"])
        for result in behavior.results(events, settings())
        if result["conversion_flag"]
    } == traffic.truth.conversions


def test_given_the_truth_then_it_holds_what_the_demo_promises() -> None:
    traffic = generate(request())
    assert len(traffic.truth.anomalies) >= 3
    assert len(traffic.truth.conversions) >= 10
    assert Counter(level for _, level, _ in traffic.truth.frauds) == {"LOW": 5, "MEDIUM": 2, "HIGH": 1}
    # One burst straddles the edge of a tumbling window, so that no such window holds enough of it.
    straddling = [time for user, _, time in traffic.truth.frauds if user % 10 == 1]
    purchases = [
        event.time
        for event in verdicts(traffic).events
        if event.user_id % 10 == 1 and event.user_id > 900_000 and event.event_type == "purchase"
    ]
    assert len(straddling) == 1
    windows = Counter(time // 300_000 for time in purchases)
    assert max(windows.values()) < settings().fraud.low <= len(purchases)


@pytest.mark.parametrize("shards", [1, 2, 5])
def test_given_shards_then_all_are_used_and_all_are_closed(shards: int) -> None:
    traffic = generate(request(shards=shards))
    assert {record.shard for record in traffic.records} == set(range(shards))
    assert sorted(record.shard for record in traffic.closing) == list(range(shards))
    heartbeats = [json.loads(record.payload) for record in traffic.closing]
    longest = max(settings().session.gap, settings().behavior.gap, settings().recommendation.step)
    for heartbeat in heartbeats:
        assert heartbeat["event_type"] == HEARTBEAT
        assert heartbeat["event_time"] > traffic.end + longest + settings().time.watermark_delay


def test_given_the_events_then_they_lie_in_the_span_and_come_out_of_order() -> None:
    traffic = generate(request())
    times = [event.time for event in verdicts(traffic).events]
    assert all(traffic.start <= time < traffic.end for time in times)
    assert times != sorted(times)
    assert len(times) >= 1_500


def test_given_the_events_then_every_form_of_time_is_among_them() -> None:
    payloads = [json.loads(record.payload) for record in good(generate(request()))]
    forms = Counter(
        "timestamp" if "timestamp" in each else type(each["event_time"]).__name__ + str(each["event_time"])[-1:]
        for each in payloads
    )
    assert forms["timestamp"] > 100
    assert forms["strZ"] > 100
    assert forms["str0"] > 100  # +00:00
    assert sum(number for form, number in forms.items() if form.startswith("int")) > 100
