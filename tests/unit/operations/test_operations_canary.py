"""The canary against streams of moto: found, rejected, never seen."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.events import HEARTBEAT
from contracts.names import queue_name
from operations.canary import CANARY, Canary, CanaryError, Watch
from operations.environment import OperationError
from operations.forget import forget
from operations.smoke import smoke
from tests.unit.operations.conftest import target

STREAMS = ("events", "results", "rejected")
START = datetime(2026, 11, 25, 10, 2, tzinfo=UTC).timestamp()


class World:
    """A clock that moves when somebody waits, and what happens at the next wait."""

    def __init__(self) -> None:
        self.kinesis = target().client("kinesis")
        for name in STREAMS:
            self.kinesis.create_stream(StreamName=name, ShardCount=2)
        self.time = START
        self.told: list[str] = []
        self.at_wait: list[Callable[[], None]] = []

    def canary(self) -> Canary:
        return Canary(self.kinesis, *STREAMS, self.told.append, lambda: self.time, self._wait, "canary-1")

    def _wait(self, seconds: float) -> None:
        self.time += seconds
        if self.at_wait:
            self.at_wait.pop(0)()

    def put(self, stream: str, document: dict[str, Any]) -> None:
        self.kinesis.put_record(StreamName=stream, Data=json.dumps(document).encode(), PartitionKey="1")

    def sent(self) -> list[dict[str, Any]]:
        found = []
        for shard in self.kinesis.list_shards(StreamName="events")["Shards"]:
            iterator = self.kinesis.get_shard_iterator(
                StreamName="events", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            for record in self.kinesis.get_records(ShardIterator=iterator)["Records"]:
                found.append({"shard": shard["ShardId"], **json.loads(record["Data"])})
        return found


@pytest.fixture
def world() -> World:
    return World()


def aggregation(**changes: Any) -> dict[str, Any]:
    return {
        "result_type": "aggregation",
        "result_id": "aggregation-1",
        "event_type": CANARY,
        "window_start": "2026-11-25T10:00:00.000Z",
        "window_end": "2026-11-25T10:05:00.000Z",
        "event_count": 1,
        **changes,
    }


def test_the_result_that_holds_the_canary_is_found(world: World) -> None:
    world.at_wait = [lambda: world.put("results", aggregation())]
    assert world.canary().fly(60)["result_id"] == "aggregation-1"
    assert world.told[-1] == "its result is in results after 1 s"


@pytest.mark.parametrize(
    "other",
    [
        {"event_type": "view"},
        {"result_type": "anomaly"},
        {"window_start": "2026-11-25T09:55:00.000Z", "window_end": "2026-11-25T10:00:00.000Z"},
    ],
)
def test_another_result_is_not_the_canarys(world: World, other: dict[str, Any]) -> None:
    world.at_wait = [lambda: world.put("results", aggregation(**other))]
    with pytest.raises(CanaryError, match="no result of the canary within 20 s"):
        world.canary().fly(20)


def test_a_result_of_an_earlier_canary_is_not_this_ones(world: World) -> None:
    world.put("results", aggregation())
    with pytest.raises(CanaryError, match="no result"):
        world.canary().fly(20)


def test_a_rejected_canary_says_why(world: World) -> None:
    rejection = {"reason": "future", "detail": "event_time", "payload": '{"event_id":"canary-1"}'}
    world.at_wait = [lambda: world.put("rejected", rejection)]
    with pytest.raises(CanaryError, match=r"rejected: future \(event_time\)"):
        world.canary().fly(60)


def test_heartbeats_go_to_every_shard_after_the_canary_so_that_its_window_closes(world: World) -> None:
    with pytest.raises(CanaryError):
        world.canary().fly(12)
    canary, *heartbeats = sorted(world.sent(), key=lambda event: event["event_time"])
    assert (canary["event_type"], canary["event_time"], canary["value"]) == (CANARY, int(START * 1000), 1.0)
    assert {event["event_type"] for event in heartbeats} == {HEARTBEAT}
    assert {event["event_time"] - canary["event_time"] for event in heartbeats} == {5000, 10_000}
    assert {event["shard"] for event in heartbeats} == {"shardId-000000000000", "shardId-000000000001"}


def watch(world: World) -> Watch:
    return Watch(world.kinesis, "results", world.told.append, lambda: world.time, world._wait)


def test_where_nothing_can_be_sent_the_next_live_result_is_waited_for(world: World) -> None:
    world.put("results", aggregation(result_id="before", run="live"))
    world.at_wait = [
        lambda: world.put("results", aggregation(result_id="a-backfills", run="backfill")),
        lambda: world.put("results", aggregation(result_id="live-1", run="live")),
    ]
    assert watch(world).wait_for_one(60)["result_id"] == "live-1"
    assert world.sent() == []
    with pytest.raises(CanaryError, match="no result within 20 s: do producers write"):
        watch(world).wait_for_one(20)


def test_smoke_of_a_topic_sends_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(Watch, "wait_for_one", lambda self, patience: {"result_id": f"{self.results_stream}-1"})
    of_topic = target(source={"kind": "msk"}, network={"zones": ["us-east-1a", "us-east-1b"]})
    assert smoke(of_topic, argparse.Namespace(patience=60)) == 0
    told = "test works: realtime-analytics-test-results-1 came of your producers' events"
    assert capsys.readouterr().out.splitlines() == [told]


def test_forgetting_says_what_ends_by_itself_where_there_is_no_index(capsys: pytest.CaptureFixture[str]) -> None:
    class Arguments:
        user = 42

    target().client("sqs").create_queue(QueueName=queue_name(target().environment.prefix, "alerts"))
    assert forget(target(), Arguments()) == 0  # type: ignore[arg-type]
    assert capsys.readouterr().out.splitlines() == [
        "index: switched off in this environment",
        "dead letters: 0 records of user 42 removed",
        "streams: what they still hold of the user ends within 24 hours",
        "archive: objects end by themselves, events after 30 days, results after 365, rejections after 14, "
        "undelivered records after 30 (docs/deploy.md: how to take one out before)",
    ]
    with_warehouse = target(warehouse={"enabled": True}, network={"zones": [f"us-east-1{zone}" for zone in "abc"]})
    assert forget(with_warehouse, Arguments()) == 0  # type: ignore[arg-type]
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("warehouse: ")]
    assert "KEEPS the results of user 42" in line
    assert "24 hours after" in line
    assert "DROP MATERIALIZED VIEW public.results_landing CASCADE" in line
    Arguments.user = 2**63
    with pytest.raises(OperationError, match="64-bit"):
        forget(target(), Arguments())  # type: ignore[arg-type]
