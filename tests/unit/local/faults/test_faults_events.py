"""Injected events, in the middle of any traffic: each is judged as planned, and no other verdict changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest

from contracts.rejections import Reason
from flink_jobs.settings import Settings
from local.demo.application import checked, property_groups
from local.demo.findings import Findings
from local.faults.events import SHARD, Anomaly, FraudBurst, Injector, Late, Poison
from local.faults.fault import NotNow, Progress
from local.oracle.results import expected
from local.oracle.verdicts import Tolerance, Verdicts, judge
from local.traffic.delivery import Delivery
from local.traffic.generator import HOUR, Request, generate
from local.traffic.kinesis_log import KinesisLog
from local.traffic.plan import Planned, Traffic

SETTINGS: Settings = checked(property_groups({}))
#: Enough of the past for all that follows.
START = (int(time.time() * 1000) // HOUR - 5) * HOUR


class Stream:
    """Stands for Kinesis: takes everything and numbers it by shard."""

    def __init__(self, shards: int) -> None:
        self._shards = shards
        self._counts = [0] * shards

    def list_shards(self, **_: Any) -> dict[str, Any]:
        ranges = [{"StartingHashKey": str(shard)} for shard in range(self._shards)]
        return {"Shards": [{"ShardId": f"shard-{n}", "HashKeyRange": each} for n, each in enumerate(ranges)]}

    def put_records(self, *, Records: Sequence[dict[str, Any]], **_: Any) -> dict[str, Any]:
        placed = []
        for record in Records:
            shard = int(record["ExplicitHashKey"])
            self._counts[shard] += 1
            placed.append({"ShardId": f"shard-{shard}", "SequenceNumber": str(self._counts[shard])})
        return {"FailedRecordCount": 0, "Records": placed}


class Run:
    """As much of a run as faults look at."""

    def __init__(self, traffic: Traffic) -> None:
        self.traffic = traffic
        self.settings = SETTINGS
        self.verdict: object | None = None
        self.delivery = Delivery(KinesisLog(Stream(traffic.shards), "events", traffic.shards), threading.Event())
        self.findings = Findings(traffic.truth)
        self.alerts: list[dict[str, Any]] = []


def a_run(shards: int) -> Run:
    return Run(generate(Request(events=2_000, seed=3, start=START, shards=shards)))


def verdicts(run: Run) -> Verdicts:
    time_settings = SETTINGS.time
    return judge(
        run.delivery.log,
        watermark_delay=time_settings.watermark_delay,
        tolerance=Tolerance.of(time_settings),
        duplicate_window=time_settings.duplicate_window,
    )


def wrong(run: Run) -> list[tuple[Planned, Reason | None]]:
    """Records whose verdict is not the one that they were planned for."""
    judged = verdicts(run).rejected
    pairs = zip(run.delivery.planned, run.delivery.log, strict=True)
    found = [(plan, judged.get((record.partition, record.position))) for plan, record in pairs]
    return [(plan, reason) for plan, reason in found if plan.reason is not reason]


@pytest.mark.parametrize("shards", [1, 2])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_given_every_fault_at_any_time_of_the_traffic_then_no_other_verdict_changes(shards: int, share: float) -> None:
    run = a_run(shards)
    injector = Injector(run)  # type: ignore[arg-type]
    records = run.traffic.records
    cut = int(len(records) * share)
    before = len(records)
    run.delivery.send(records[:cut])
    faults = [Poison(injector), Late(injector), FraudBurst(injector)]
    for fault in faults:
        fault.inject()
    anomaly = Anomaly(injector)
    _, token = anomaly.inject()
    run.delivery.send(records[cut : cut + 40])
    anomaly.look(Progress(1, "anomaly", ""), token)
    run.delivery.send(records[cut + 40 :])
    assert run.delivery.sent > before + 20 + 20 + 25 + 60
    assert wrong(run) == []


def test_given_a_fraud_burst_then_the_oracle_finds_the_two_levels_that_were_planted() -> None:
    run = a_run(2)
    injector = Injector(run)  # type: ignore[arg-type]
    run.delivery.send(run.traffic.records[:1_000])
    known = set(run.traffic.truth.frauds)
    FraudBurst(injector).inject()
    run.delivery.send(run.traffic.records[1_000:])
    planted = run.traffic.truth.frauds - known
    assert {level for _, level, _ in planted} == {"LOW", "MEDIUM"}
    found = {
        (result["user_id"], result["alert_level"])
        for result in expected(verdicts(run).events, SETTINGS).values()
        if result["result_type"] == "fraud"
    }
    assert {(user, level) for user, level, _ in planted} <= found


def test_given_an_anomaly_then_the_outlier_follows_once_event_time_has_moved_and_the_oracle_finds_it() -> None:
    run = a_run(2)
    anomaly = Anomaly(Injector(run))  # type: ignore[arg-type]
    run.delivery.send(run.traffic.records[:1_000])
    _, token = anomaly.inject()
    progress, sent = Progress(1, "anomaly", ""), run.delivery.sent
    anomaly.look(progress, token)
    assert run.delivery.sent == sent  # event time stands still: the ordinary values are no baseline yet
    run.delivery.send(run.traffic.records[1_000:1_100])
    anomaly.look(progress, token)
    run.delivery.send(run.traffic.records[1_100:])
    outliers = [
        result
        for result in expected(verdicts(run).events, SETTINGS).values()
        if result["result_type"] == "anomaly" and result["event_type"] == "gift_card_1" and result["is_anomaly"]
    ]
    assert len(outliers) == 1
    assert wrong(run) == []
    run.findings.anomalies.add(token["id"])
    run.alerts.append({"event_type": "gift_card_1"})
    anomaly.look(progress, token)
    assert progress.recovered is not None


def test_given_rejections_then_a_fault_is_noticed_with_the_first_and_over_with_the_last() -> None:
    run = a_run(1)
    run.delivery.send(run.traffic.records[:500])
    reasons: dict[tuple[str, str], str] = {}
    run.rejections = type("Rejections", (), {"reasons": reasons})()  # type: ignore[attr-defined]
    fault = Late(Injector(run))  # type: ignore[arg-type]
    _, token = fault.inject()
    progress = Progress(1, "late", "")
    fault.look(progress, token)
    assert progress.noticed is None
    places = [place for place, _ in token]
    reasons[places[0]] = Reason.LATE.value
    fault.look(progress, token)
    assert progress.noticed is not None
    assert progress.recovered is None
    reasons.update(dict.fromkeys(places, Reason.LATE.value))
    fault.look(progress, token)
    assert progress.recovered is not None


def test_given_nothing_sent_or_a_closing_run_then_it_says_so_and_sends_nothing() -> None:
    run = a_run(1)
    fault = Poison(Injector(run))  # type: ignore[arg-type]
    with pytest.raises(NotNow, match="no event has been sent"):
        fault.inject()
    run.delivery.send(run.traffic.records[:100])
    run.delivery.close()
    with pytest.raises(NotNow, match="--keep"):
        fault.inject()
    assert run.delivery.sent == 100


def test_given_a_run_that_is_over_then_heartbeats_move_the_watermark_past_the_burst() -> None:
    run = a_run(2)
    run.delivery.send([*run.traffic.records, *run.traffic.closing])
    run.verdict = object()
    FraudBurst(Injector(run)).inject()  # type: ignore[arg-type]
    moved = [plan for plan in run.delivery.planned[-2:] if b"heartbeat" in plan.payload]
    assert sorted(plan.shard for plan in moved) == [0, 1]
    assert {plan.shard for plan in run.delivery.planned[-27:-2]} == {SHARD}
    assert wrong(run) == []
