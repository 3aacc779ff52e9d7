"""The poller against moto server: events, order, batches, failures, resharding."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.batch_policy import MappingSettings
from local.batch_processor import Destination
from local.environment import child_environment
from local.event_source_mapping import EventSourceMapping, LambdaFunction, MappingFailed, sqs_destination
from local.processes import Supervisor, wait_until
from local.shard_reader import Position, ShardReader
from local.standins.moto import ACCOUNT, Moto

FAST = MappingSettings(poll_interval=0.02, first_backoff=0.01)
HALF = str(2**127)


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    with Supervisor(tmp_path_factory.mktemp("moto") / "run") as supervisor:
        yield Moto.start(supervisor)


@pytest.fixture
def stream(moto: Moto, request: pytest.FixtureRequest) -> str:
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)[:100]
    moto.client("kinesis").create_stream(StreamName=name, ShardCount=2)
    return name


class Notes:
    """A handler that notes the payloads it was called with, by shard."""

    def __init__(self, fail: Callable[[dict[str, Any]], object] | None = None) -> None:
        self.events: list[dict[str, Any]] = []
        self.by_shard: dict[str, list[int]] = {}
        self.fail = fail
        self.overlapping = 0
        self._running = threading.Lock()

    def __call__(self, event: dict[str, Any], _context: object) -> object:
        if not self._running.acquire(blocking=False):
            self.overlapping += 1
            return None
        try:
            self.events.append(event)
            answer = self.fail(event) if self.fail else None
            if not answer:
                for record in event["Records"]:
                    shard = record["eventID"].partition(":")[0]
                    self.by_shard.setdefault(shard, []).append(number(record))
            return answer
        finally:
            self._running.release()

    @property
    def numbers(self) -> list[int]:
        return sorted(value for values in self.by_shard.values() for value in values)


def number(record: dict[str, Any]) -> int:
    return int(base64.b64decode(record["kinesis"]["data"]))


def put(moto: Moto, stream: str, numbers: range) -> float:
    client = moto.client("kinesis")
    for start in range(numbers.start, numbers.stop, 500):
        part = numbers[start - numbers.start : start - numbers.start + 500]
        client.put_records(StreamName=stream, Records=[{"Data": b"%d" % n, "PartitionKey": f"key-{n}"} for n in part])
    return time.monotonic()


def drain(mapping: EventSourceMapping, since: float) -> None:
    wait_until(lambda: mapping.caught_up(since), 20, "the mapping", interval=0.02)


def mapping_of(
    moto: Moto,
    stream: str,
    handler: Notes,
    settings: MappingSettings = FAST,
    *,
    position: Position = "TRIM_HORIZON",
    destination: Destination | None = None,
) -> EventSourceMapping:
    client = moto.client("kinesis")
    return EventSourceMapping(
        client, stream, LambdaFunction("f", handler), settings, position=position, destination=destination
    )


def test_every_record_arrives_once_and_in_order(moto: Moto, stream: str) -> None:
    notes = Notes()
    put(moto, stream, range(0, 700))
    with mapping_of(moto, stream, notes) as mapping:
        drain(mapping, put(moto, stream, range(700, 1500)))
        counts = mapping.counts()
    assert notes.numbers == list(range(1500))
    assert len(notes.by_shard) == 2
    assert all(values == sorted(values) for values in notes.by_shard.values())
    assert notes.overlapping == 0
    assert max(len(event["Records"]) for event in notes.events) == 100
    assert (counts.done, counts.delivered, counts.given_up, counts.errors) == (1500, 1500, 0, 0)
    assert counts.invocations == len(notes.events)


def test_the_event_has_the_shape_of_the_service(moto: Moto, stream: str) -> None:
    notes = Notes()
    before = datetime.now(UTC).timestamp() - 1
    since = put(moto, stream, range(1))
    with mapping_of(moto, stream, notes) as mapping:
        drain(mapping, since)
    (record,) = json.loads(json.dumps(notes.events[0]))["Records"]
    shard, _, sequence = record["eventID"].partition(":")
    arrived = record["kinesis"].pop("approximateArrivalTimestamp")
    assert isinstance(arrived, float)
    assert before < arrived < before + 60
    assert shard.startswith("shardId-00000000000")
    assert record == {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "key-0",
            "sequenceNumber": sequence,
            "data": base64.b64encode(b"0").decode(),
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": record["eventID"],
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": f"arn:aws:iam::{ACCOUNT}:role/f",
        "awsRegion": "us-east-1",
        "eventSourceARN": f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/{stream}",
    }


def test_latest_begins_with_what_comes_after_the_start(moto: Moto, stream: str) -> None:
    notes = Notes()
    put(moto, stream, range(0, 50))
    with mapping_of(moto, stream, notes, position="LATEST") as mapping:
        drain(mapping, put(moto, stream, range(50, 80)))
    assert notes.numbers == list(range(50, 80))


def test_the_window_gathers_small_puts(moto: Moto, stream: str) -> None:
    notes = Notes()
    settings = MappingSettings(poll_interval=0.02, maximum_batching_window_in_seconds=0.6)
    with mapping_of(moto, stream, notes, settings) as mapping:
        since = 0.0
        for start in range(0, 40, 10):
            since = put(moto, stream, range(start, start + 10))
        assert not mapping.caught_up(since)
        drain(mapping, since)
    assert notes.numbers == list(range(40))
    assert len(notes.events) == 2  # one a shard


def test_a_partial_failure_is_retried_from_the_lowest(moto: Moto, stream: str) -> None:
    failed = threading.Event()

    def fail_once(event: dict[str, Any]) -> object:
        found = [each["kinesis"]["sequenceNumber"] for each in event["Records"] if number(each) in (30, 20)]
        if not found or failed.is_set():
            return None
        failed.set()
        return {"batchItemFailures": [{"itemIdentifier": name} for name in reversed(found)]}

    notes = Notes(fail_once)
    since = put(moto, stream, range(60))
    with mapping_of(moto, stream, notes) as mapping:
        drain(mapping, since)
        counts = mapping.counts()
    first = next(event for event in notes.events if {20, 30} & {number(each) for each in event["Records"]})
    lowest = min({20, 30} & {number(each) for each in first["Records"]})
    retried = next(event for event in notes.events if number(event["Records"][0]) == lowest)
    assert [number(each) for each in retried["Records"]] == [
        number(each) for each in first["Records"] if number(each) >= lowest
    ]
    assert (counts.done, counts.partial, counts.given_up) == (60, 1, 0)


def test_poison_is_isolated_and_told_to_the_queue(moto: Moto, stream: str) -> None:
    def poison(event: dict[str, Any]) -> object:
        if any(number(each) % 40 == 7 for each in event["Records"]):
            raise ValueError("poison")
        return None

    sqs = moto.client("sqs")
    queue = sqs.create_queue(QueueName=stream[:80])["QueueUrl"]
    notes = Notes(poison)
    settings = MappingSettings(
        poll_interval=0.02, first_backoff=0.0, bisect_batch_on_function_error=True, maximum_retry_attempts=1
    )
    since = put(moto, stream, range(120))
    with mapping_of(moto, stream, notes, settings, destination=sqs_destination(sqs, queue)) as mapping:
        drain(mapping, since)
        counts = mapping.counts()
    assert notes.numbers == [n for n in range(120) if n % 40 != 7]
    assert (counts.done, counts.given_up) == (117, 3)
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    told = [json.loads(message["Body"]) for message in messages]
    assert [each["KinesisBatchInfo"]["batchSize"] for each in told] == [1, 1, 1]
    assert {each["requestContext"]["condition"] for each in told} == {"RetryAttemptsExhausted"}
    assert all(each["KinesisBatchInfo"]["streamArn"].endswith(stream) for each in told)


def test_children_are_read_after_their_parents(moto: Moto, stream: str) -> None:
    client = moto.client("kinesis")
    notes = Notes()
    with mapping_of(moto, stream, notes) as mapping:
        drain(mapping, put(moto, stream, range(0, 100)))
        shards = client.list_shards(StreamName=stream)["Shards"]
        first, second = (shard["ShardId"] for shard in shards)
        middle = str(int(shards[0]["HashKeyRange"]["EndingHashKey"]) // 2)
        client.split_shard(StreamName=stream, ShardToSplit=first, NewStartingHashKey=middle)
        drain(mapping, put(moto, stream, range(100, 200)))
        children = [each for each in client.list_shards(StreamName=stream)["Shards"] if each.get("ParentShardId")]
        client.merge_shards(StreamName=stream, ShardToMerge=children[1]["ShardId"], AdjacentShardToMerge=second)
        drain(mapping, put(moto, stream, range(200, 300)))
    assert notes.numbers == list(range(300))
    assert len(notes.by_shard) == 5
    assert all(values == sorted(values) for values in notes.by_shard.values())


def test_a_failing_poller_is_told_to_its_owner(moto: Moto, stream: str) -> None:
    def unreachable(_message: dict[str, Any]) -> None:
        raise ConnectionError("no queue")

    def fail(_event: dict[str, Any]) -> object:
        raise ValueError("no")

    settings = MappingSettings(maximum_retry_attempts=0, poll_interval=0.02)
    mapping = mapping_of(moto, stream, Notes(fail), settings, destination=unreachable)
    since = put(moto, stream, range(5))
    mapping.start()
    with pytest.raises(MappingFailed, match="no queue"):
        drain(mapping, since)
    mapping.stop()
    assert mapping.counts().given_up == 0
    with pytest.raises(MappingFailed):
        mapping.raise_if_failed()


def test_a_missing_stream_is_told_at_once(moto: Moto) -> None:
    with pytest.raises(Exception, match="ResourceNotFound"):
        mapping_of(moto, "missing", Notes()).start()


def test_an_expired_iterator_is_renewed_where_it_was(moto: Moto, stream: str) -> None:
    client = moto.client("kinesis")
    put(moto, stream, range(40))
    shard = client.list_shards(StreamName=stream)["Shards"][0]["ShardId"]

    class Expiring:
        """The real client, whose second read answers that the iterator has expired."""

        reads = 0
        get_shard_iterator = client.get_shard_iterator

        def get_records(self, **arguments: object) -> object:
            self.reads += 1
            if self.reads == 2:
                raise client.exceptions.ExpiredIteratorException(
                    {"Error": {"Code": "ExpiredIteratorException"}}, "GetRecords"
                )
            return client.get_records(**arguments)

    reader = ShardReader(Expiring(), stream, shard, "TRIM_HORIZON", FAST, threading.Event(), closed=lambda: True)
    first, second = reader.next_batch(), reader.next_batch()
    assert first
    assert second is None


def test_a_stop_does_not_wait_for_polls(moto: Moto, stream: str) -> None:
    mapping = mapping_of(moto, stream, Notes(), MappingSettings(poll_interval=30))
    mapping.start()
    began = time.monotonic()
    mapping.stop()
    assert time.monotonic() - began < 5


def test_concurrent_puts_lose_nothing(moto: Moto, stream: str) -> None:
    """Moto itself loses acknowledged records here: see local/standins/moto_server.py."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda part: put(moto, stream, range(part * 300, part * 300 + 300)), range(8)))
    notes = Notes()
    with mapping_of(moto, stream, notes) as mapping:
        drain(mapping, time.monotonic())
    assert notes.numbers == list(range(2400))


def test_a_closed_shard_ends_when_it_was_read_and_an_open_one_never(moto: Moto, stream: str) -> None:
    """As the service has it; a consumer that reads children after their parents waits for it."""
    client = moto.client("kinesis")
    parent = client.list_shards(StreamName=stream)["Shards"][0]
    put(moto, stream, range(40))
    low, high = (int(parent["HashKeyRange"][edge]) for edge in ("StartingHashKey", "EndingHashKey"))
    client.split_shard(StreamName=stream, ShardToSplit=parent["ShardId"], NewStartingHashKey=str((low + high) // 2))
    for shard in client.list_shards(StreamName=stream)["Shards"]:
        closed = shard["ShardId"] == parent["ShardId"]
        assert ("EndingSequenceNumber" in shard["SequenceNumberRange"]) == closed
        iterator = client.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        first = client.get_records(ShardIterator=iterator, Limit=3)
        assert first.get("NextShardIterator")
        last = client.get_records(ShardIterator=first["NextShardIterator"], Limit=100)
        assert (last.get("NextShardIterator") is None) == closed


def test_the_environment_leads_here_and_nowhere_else(moto: Moto) -> None:
    environment = moto.environment()
    assert environment["AWS_ENDPOINT_URL"] == moto.endpoint
    assert environment["AWS_ACCESS_KEY_ID"] == "testing"
    child = child_environment(environment)
    assert Path(child["AWS_SHARED_CREDENTIALS_FILE"]).read_bytes() == b""
