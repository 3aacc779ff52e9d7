"""Delivery to a Kinesis stream: in order per shard, within the API's limits, with the places the stream gave."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from contracts.archive import position
from contracts.rejections import Reason
from local.packed import unpacked
from local.traffic.delivery import Delivery, DeliveryClosed, DeliveryFailed
from local.traffic.kinesis_log import KinesisLog
from local.traffic.plan import Planned

SHARDS = 3


@pytest.fixture
def kinesis(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("kinesis", region_name="us-east-1")
        client.create_stream(StreamName="events", ShardCount=SHARDS)
        yield client


def content(client: Any) -> dict[str, list[tuple[str, bytes]]]:
    """Per shard, in its order: position and payload."""
    found = {}
    for shard in client.list_shards(StreamName="events")["Shards"]:
        iterator = client.get_shard_iterator(
            StreamName="events", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records = client.get_records(ShardIterator=iterator, Limit=10_000)["Records"]
        found[shard["ShardId"]] = [
            (position(record["SequenceNumber"], sub), payload)
            for record in records
            for sub, payload in enumerate(unpacked(record["Data"]))
        ]
    return found


class Spy:
    """Passes calls on and keeps the batches; may refuse a record or do something after a call."""

    def __init__(self, client: Any, refuse: bool = False, after: Any = None) -> None:
        self.batches: list[list[bytes]] = []
        self._client = client
        self._refuse = refuse
        self._after = after

    def list_shards(self, **arguments: Any) -> Any:
        return self._client.list_shards(**arguments)

    def put_records(self, **arguments: Any) -> Any:
        self.batches.append([payload for record in arguments["Records"] for payload in unpacked(record["Data"])])
        answer = self._client.put_records(**arguments)
        if self._refuse:
            answer["FailedRecordCount"] = 1
        if self._after is not None:
            self._after()
        return answer


def planned(count: int, size: int = 0) -> list[Planned]:
    return [Planned(number * 7 % SHARDS, b"%d" % number + b"x" * size) for number in range(count)]


def test_given_more_than_a_batch_then_every_shard_holds_its_records_in_order(kinesis: Any) -> None:
    spy, records = Spy(kinesis), planned(1_203)
    delivery = Delivery(KinesisLog(spy, "events", SHARDS), threading.Event())
    delivery.send(records[:700])
    delivery.send(records[700:])

    assert [len(batch) for batch in spy.batches] == [500, 200, 500, 3]
    shards = content(kinesis)
    for number, shard_id in enumerate(sorted(shards)):
        wanted = [record.payload for record in records if record.shard == number]
        assert [data for _, data in shards[shard_id]] == wanted
    assert delivery.planned == records
    assert delivery.sent == len(records)


def test_given_sent_records_then_the_log_names_the_place_where_each_stands(kinesis: Any) -> None:
    delivery = Delivery(KinesisLog(kinesis, "events", SHARDS), threading.Event())
    delivery.send(planned(50))
    stands = {(shard, position): data for shard, records in content(kinesis).items() for position, data in records}
    assert {(record.partition, record.position): record.payload for record in delivery.log} == stands
    assert [record.payload for record in delivery.log] == [record.payload for record in planned(50)]
    assert {record.source for record in delivery.log} == {"events"}
    arrivals = [record.arrival for record in delivery.log]
    assert arrivals == sorted(arrivals)
    assert arrivals[0] > 1_700_000_000_000


def test_given_a_batch_then_the_first_records_of_a_shard_go_packed_and_keep_their_order(kinesis: Any) -> None:
    log = KinesisLog(kinesis, "events", SHARDS).append([Planned(0, b"%d" % number) for number in range(12)])
    sequence = log[0].position
    assert [record.position for record in log[:10]] == [position(sequence, sub) for sub in range(10)]
    assert len({record.position for record in log}) == 12
    assert all("." not in record.position for record in log[10:])
    assert [payload for _, payload in content(kinesis)[log[0].partition]] == [b"%d" % number for number in range(12)]


def test_given_large_records_then_a_batch_stays_below_half_the_apis_bytes(kinesis: Any) -> None:
    spy = Spy(kinesis)
    Delivery(KinesisLog(spy, "events", SHARDS), threading.Event()).send(planned(6, size=900_000))
    assert [len(batch) for batch in spy.batches] == [2, 2, 2]


def test_given_a_rate_then_batches_are_a_fifth_of_a_second(kinesis: Any) -> None:
    spy = Spy(kinesis)
    Delivery(KinesisLog(spy, "events", SHARDS), threading.Event()).send(planned(25), rate=50)
    assert [len(batch) for batch in spy.batches] == [10, 10, 5]


def test_given_a_stream_that_refuses_a_record_then_delivery_fails_and_logs_nothing_of_the_batch(kinesis: Any) -> None:
    delivery = Delivery(KinesisLog(Spy(kinesis, refuse=True), "events", SHARDS), threading.Event())
    with pytest.raises(DeliveryFailed, match="stream events refused 1 records"):
        delivery.send(planned(3))
    assert delivery.log == []


@pytest.mark.parametrize("rate", [0, 1_000_000])
def test_given_a_stop_while_sending_then_the_rest_is_not_sent(kinesis: Any, rate: int) -> None:
    stop = threading.Event()
    delivery = Delivery(KinesisLog(Spy(kinesis, after=stop.set), "events", SHARDS), stop)
    delivery.send(planned(1_500), rate)
    assert delivery.sent == 500


def test_given_a_stream_of_other_shards_then_delivery_refuses_to_begin(kinesis: Any) -> None:
    with pytest.raises(DeliveryFailed, match="stream events has 3 shards instead of 4"):
        Delivery(KinesisLog(kinesis, "events", 4), threading.Event())


def test_given_an_injection_then_it_lies_between_and_is_in_the_log_like_the_others(kinesis: Any) -> None:
    delivery = Delivery(KinesisLog(kinesis, "events", SHARDS), threading.Event())
    delivery.send([Planned(0, b"one"), Planned(1, b"two")])
    seen: list[int] = []

    def make(log: Any, planned: Any) -> list[Planned]:
        seen.append(len(log))
        assert len(log) == len(planned)
        return [Planned(0, b"between", Reason.MALFORMED)]

    (placed,) = delivery.inject(make)
    delivery.send([Planned(0, b"after")])
    assert seen == [2]
    assert [record.payload for record in delivery.log] == [b"one", b"two", b"between", b"after"]
    assert [plan.payload for plan in delivery.planned] == [record.payload for record in delivery.log]
    assert [data for _, data in content(kinesis)[placed.partition]] == [b"one", b"between", b"after"]


def test_given_a_closed_delivery_then_nothing_comes_between_until_it_is_opened_again(kinesis: Any) -> None:
    delivery = Delivery(KinesisLog(kinesis, "events", SHARDS), threading.Event())
    delivery.close()
    for attempt in (lambda: delivery.inject(lambda *_: [Planned(0, b"x")]), lambda: delivery.hold(0, 1.0)):
        with pytest.raises(DeliveryClosed):
            attempt()
    assert delivery.sent == 0
    delivery.send([Planned(0, b"closing")])  # what the run itself sends goes on
    delivery.reopen()
    delivery.inject(lambda *_: [Planned(0, b"x")])
    assert [record.payload for record in delivery.log] == [b"closing", b"x"]


class Clock(threading.Event):
    """Goes on when somebody waits, and only then."""

    seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds += timeout or 0.0
        return self.is_set()


def test_given_a_held_shard_then_the_others_go_on_and_its_records_follow_in_their_order(kinesis: Any) -> None:
    clock = Clock()
    delivery = Delivery(KinesisLog(kinesis, "events", SHARDS), clock, clock.now)
    records = [Planned(number % 2, b"%d" % number) for number in range(600)]
    delivery.hold(1, 0.3)
    delivery.send(records)
    sent = [(plan.shard, plan.payload) for plan in delivery.planned]
    assert sent[:300] == [(0, b"%d" % number) for number in range(0, 600, 2)]
    assert sent[300:] == [(1, b"%d" % number) for number in range(1, 600, 2)]
    assert delivery.held == 0
