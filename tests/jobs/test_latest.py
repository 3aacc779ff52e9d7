"""Topics and files from their end on: what was there is left out, what comes after it is read, whatever restarts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence

import pytest

from local.oracle import results
from local.oracle.records import LogRecord
from tests.events import HOUR, MINUTE
from tests.jobs.other_sources import PROBE, OtherLive, Partitions
from tests.jobs.traffic import CLOSING, JOBS, events, heartbeat
from tests.oracle import assert_gives, complete_from, judge, known_from

NewLive = Callable[[int], OtherLive]

#: The tests' interval (tests/jobs/live.py).
DISCOVERY_SECONDS = 0.2


def first_event(records: Sequence[LogRecord], shard: str) -> int:
    """Time of the partition's first event, epoch milliseconds."""
    found = (record.payload for record in records if record.partition == shard and record.payload != PROBE)
    time: int = json.loads(next(found))["event_time"]
    return time


@pytest.mark.parametrize("restored", [False, True])
def test_what_is_there_is_left_out_and_what_comes_is_read(other: NewLive, restored: bool) -> None:
    # Given two partitions with events, of which the application is to read what comes
    run = other(2)
    settings = run.settings(*JOBS, start="LATEST")
    one, silent = run.stream.shards()
    for shard, count in ((one, 200), (silent, 300)):
        run.stream.put(shard, events(0, 12 * MINUTE, count))
    before = len(run.stream.log)
    run.start(settings, 1)
    run.until_read(one)  # and the silent one with it, although nothing shows of that
    # When events come; after a restore: while nobody reads
    savepoint = run.stop() if restored else None
    run.stream.put_all(
        {
            shard: [*events(12 * MINUTE, 2 * HOUR, count), heartbeat(CLOSING)]
            for shard, count in ((one, 2_000), (silent, 3_000))
        }
    )
    if restored:
        run.start(settings, 1, savepoint)
    # Then all of these are read, and give what is complete without the earlier ones
    after = run.stream.log[before:]
    horizon = known_from(settings, *(first_event(after, shard) for shard in (one, silent)))
    whole = results.expected(judge(run.stream.log, settings).events, settings)
    wanted = complete_from(whole, settings, horizon)
    partial = results.expected(judge(after, settings).events, settings).keys() - wanted.keys()
    assert partial & whole.keys(), "some windows would have taken a complete one's id"
    output = run.finish(wanted)
    read = run.read(output)
    assert_gives(output, judge(read, settings), wanted, read)


@pytest.mark.parametrize("other", ["msk", "s3"], indirect=True)
def test_what_is_complete_is_known_from_every_partition_that_was_there(other: NewLive) -> None:
    # Given two partitions, of which the second has had events until long after those that come of the first
    run = other(2)
    settings = run.settings("aggregation", start="LATEST", start_grace="1 h")
    one, second = run.stream.shards()
    run.stream.put(one, events(0, 10 * MINUTE, 200))
    run.stream.put(second, events(0, 30 * MINUTE, 600))
    before = len(run.stream.log)
    run.start(settings, 1)
    run.until_read(one, second)
    # When the first goes on, and the second only after it has been looked for several times
    run.stream.put(one, events(10 * MINUTE, HOUR, 1_000))
    went_on = time.monotonic()
    run.until(lambda _: time.monotonic() > went_on + 10 * DISCOVERY_SECONDS, "time passes")
    run.stream.put(second, events(30 * MINUTE, HOUR, 1_000))
    for shard in (one, second):
        run.stream.put(shard, [heartbeat(CLOSING)])
    # Then nothing comes of the time of which the second's events are missing
    horizon = known_from(settings, first_event(run.stream.log[before:], second))
    wanted = complete_from(results.expected(judge(run.stream.log, settings).events, settings), settings, horizon)
    output = run.finish(wanted)
    read = run.read(output)
    assert_gives(output, judge(read, settings), wanted, read)


@pytest.mark.parametrize("restored", [False, True])
def test_a_partition_that_is_added_is_read_from_its_beginning(other: NewLive, restored: bool) -> None:
    # Given an application that reads what comes of one partition
    run = other(1)
    settings = run.settings(*JOBS, start="LATEST")
    (old,) = run.stream.shards()
    run.stream.put(old, events(0, 12 * MINUTE, 200))
    before = len(run.stream.log)
    run.start(settings, 1)
    run.until_read(old)
    run.stream.put(old, events(12 * MINUTE, HOUR, 1_000))
    run.until(lambda output: bool(output.results), "what is complete is known")
    # When another is added, with events before anybody can have found it; after a restore: while nobody reads
    savepoint = run.stop() if restored else None
    assert isinstance(run.stream, Partitions)
    new = run.stream.add()
    run.stream.put(new, [PROBE, *events(12 * MINUTE + HOUR, HOUR, 1_000)])
    if restored:
        run.start(settings, 1, savepoint)
    run.until(lambda output: run.reads(new, output), "its beginning is read")
    run.stream.put(old, [*events(12 * MINUTE + HOUR, HOUR, 1_000), heartbeat(CLOSING)])
    run.stream.put(new, [heartbeat(CLOSING)])
    # Then all of its events count
    after = run.stream.log[before:]
    horizon = known_from(settings, first_event(after, old))
    wanted = complete_from(results.expected(judge(run.stream.log, settings).events, settings), settings, horizon)
    output = run.finish(wanted)
    read = run.read(output)
    assert_gives(output, judge(read, settings), wanted, read)
