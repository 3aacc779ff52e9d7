"""What only a topic can hold: tombstones, keys, compressed batches, transactions, and producers' own clocks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import pytest
from kafka import TopicPartition

from contracts.rejections import Reason
from contracts.results import ResultType
from lambdas.topic_setup.topic import connected
from local.oracle import results
from local.oracle.records import LogRecord
from local.standins.kafka_broker import KafkaBroker, Message
from local.standins.moto import Moto
from tests.events import HOUR, MINUTE, START, event
from tests.jobs import other_sources
from tests.jobs.live import IDLE_MILLIS
from tests.jobs.other_sources import PROBE, OtherLive
from tests.jobs.traffic import CLOSING, FEW, JOBS, events, heartbeat
from tests.oracle import assert_gives, judge

NewTopic = Callable[..., OtherLive]


@pytest.fixture
def topic(moto: Moto, jar: Path, tmp_path: Path, broker: KafkaBroker) -> Iterator[NewTopic]:
    """A topic of the given number of partitions and settings, and the application over it."""
    made: list[OtherLive] = []

    def start(shards: int, **config: str) -> OtherLive:
        name = f"{tmp_path.name}-{len(made)}".replace("_", "-")
        made.append(other_sources.topic(moto, jar, tmp_path, name, shards, broker, **config))
        return made[-1]

    yield start
    for each in made:
        each.close()


def sent(
    run: OtherLive,
    broker: KafkaBroker,
    messages: Sequence[Message],
    compression: str = "",
    transaction: Literal["", "commit", "abort"] = "",
) -> None:
    """Sends the messages, and keeps those that a consumer may see: nobody believes that one arrived after now."""
    places = broker.send(run.stream.name, messages, compression=compression, transaction=transaction)
    now = time.time_ns() // 1_000_000
    if transaction != "abort":
        run.stream.log += [
            LogRecord(
                run.stream.name,
                str(message.partition),
                str(place.offset),
                min(place.arrival, now),
                message.payload or b"",
            )
            for message, place in zip(messages, places, strict=True)
        ]


def test_records_with_keys_and_headers_in_compressed_batches_are_events_and_tombstones_are_none(
    topic: NewTopic, broker: KafkaBroker
) -> None:
    run = topic(1)
    settings = run.settings(*JOBS)
    run.start(settings, 1)
    for part, codec in enumerate(["none", "gzip", "snappy", "lz4", "zstd"]):
        batch = [
            Message(0, payload, key=b"k", headers={"trace": b"\x00\xff"}) for payload in events(part * HOUR, HOUR, 300)
        ]
        sent(run, broker, [*batch, Message(0, None, key=b"k")], compression=codec)
    run.stream.put("0", [heartbeat(CLOSING)])
    judged = judge(run.stream.log, settings)
    assert list(judged.rejected.values()) == [Reason.MALFORMED] * 5
    wanted = results.expected(judged.events, settings)
    assert_gives(run.finish(wanted, 5), judged, wanted, run.stream.log)


def test_the_first_record_of_a_partition_is_waited_for(topic: NewTopic) -> None:
    # Given a partition that is read to its end, and another one without a record, within the start grace
    run = topic(2)
    settings = run.settings("aggregation")
    late, ahead = run.stream.shards()
    run.stream.put(ahead, events(0, HOUR, FEW))
    run.start(settings, 2)
    for number in (1, 2):  # twice, so that whoever does not wait has time to go on
        run.stream.put(ahead, [PROBE])
        run.until(lambda output, least=number: len(output.rejected) >= least, "all is read")  # type: ignore[misc]
    assert not run.output().results
    # When its first record comes
    run.stream.put(late, [*events(0, HOUR, FEW), heartbeat(CLOSING)])
    run.stream.put(ahead, [heartbeat(CLOSING)])
    # Then it is in time
    judged = judge(run.stream.log, settings)
    wanted = results.expected(judged.events, settings)
    assert set(judged.rejected.values()) == {Reason.MALFORMED}
    assert_gives(run.finish(wanted, 2), judged, wanted, run.stream.log)


def test_what_a_transaction_took_back_is_no_event_and_holds_nobody(topic: NewTopic, broker: KafkaBroker) -> None:
    # Given a partition that ends with what was taken back, in more than one transaction, and one that goes on
    run = topic(2)
    settings = run.settings("aggregation", idle_millis=IDLE_MILLIS)
    for first, end in ((0, "commit"), (10, "abort"), (20, "commit"), (30, "abort"), (40, "abort")):
        batch = [Message(0, payload) for payload in events(first * MINUTE, 10 * MINUTE, 100)]
        sent(run, broker, batch, transaction=end)  # type: ignore[arg-type]
    run.stream.put("1", [*events(0, 2 * HOUR, 500), heartbeat(2 * HOUR + MINUTE)])
    # When nothing more comes of the first
    run.start(settings, 2)
    seen = results.expected(judge(run.stream.log, settings).events, settings)
    # Then the windows of the other close without it
    run.until_all(i for i, result in seen.items() if result["result_type"] == ResultType.AGGREGATION)
    for partition in ("0", "1"):
        run.stream.put(partition, [heartbeat(CLOSING)])
    judged = judge(run.stream.log, settings)
    assert not judged.rejected
    wanted = results.expected(judged.events, settings)
    assert_gives(run.finish(wanted), judged, wanted, run.stream.log)


def test_a_producer_whose_clock_is_wrong_does_not_move_time(topic: NewTopic, broker: KafkaBroker) -> None:
    # Given a topic whose records bear their producers' time, and a producer that is years ahead
    run = topic(1, message_timestamp_type="CreateTime", message_timestamp_after_max_ms=str(2**63 - 1))
    settings = run.settings(*JOBS)
    ahead = START + 50 * 365 * 24 * HOUR
    run.stream.put("0", events(0, HOUR, 300))
    wrong = event(ahead - START, value=1.0)
    sent(run, broker, [Message(0, wrong, timestamp=ahead)])
    run.stream.put("0", [*events(HOUR, HOUR, 300), heartbeat(CLOSING)])
    # When it is read
    run.start(settings, 1)
    judged = judge(run.stream.log, settings)
    wanted = results.expected(judged.events, settings)
    output = run.finish(wanted, 1)
    # Then its event is in the future, and the others are in time
    assert list(judged.rejected.values()) == [Reason.FUTURE]
    assert_gives(output, judged, wanted, run.stream.log)


@pytest.mark.parametrize("start", ["LATEST", "TRIM_HORIZON"])
def test_what_is_left_is_read_where_the_next_record_has_expired(
    topic: NewTopic, broker: KafkaBroker, start: str
) -> None:
    # Given an application that has read a topic, and is stopped
    run = topic(1)
    settings = run.settings("aggregation", start=start)
    (shard,) = run.stream.shards()
    run.start(settings, 1)
    run.until_read(shard)
    savepoint = run.stop()
    # When the next records expire before it goes on, and others have come
    end = len(run.stream.log)
    run.stream.put(shard, [b"lost"] * 3)
    run.stream.put(shard, [b"left 1", b"left 2"])
    places = [(record.partition, record.position) for record in run.stream.log[end:]]
    lost, left = set(places[:3]), set(places[3:])
    first = min(int(position) for _, position in left)
    with connected(broker.address) as topics:
        topics.admin.delete_records({TopicPartition(run.stream.name, int(shard)): first})
    run.start(settings, 1, savepoint)
    # Then these are read, and nothing of the others
    output = run.until(lambda output: left <= output.reasons().keys(), "what is left")
    assert not lost & output.reasons().keys()
