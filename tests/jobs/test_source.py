"""The source against a stream: whatever shards, backlogs, delays and restarts there are, every event counts."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from contracts.rejections import Reason
from contracts.results import ResultType
from local.oracle import results
from tests.events import HOUR, MINUTE, SECOND, event
from tests.jobs.live import Live
from tests.jobs.source_cases import back_from_idleness, silent_from_the_beginning
from tests.jobs.traffic import CLOSING, FEW, JOBS, MANY, events, heartbeat
from tests.oracle import assert_gives, complete_from, judge, known_from

NewLive = Callable[[int], Live]

#: Longer than the other shard takes to be read.
DELAY_SECONDS = 2.0


@pytest.mark.parametrize("parallelism", [1, 2, 4])
def test_uneven_backlogs_and_a_slow_first_read_lose_nothing_at_the_start_and_after_a_restore(
    live: NewLive, parallelism: int
) -> None:
    run = live(2)
    settings = run.settings(*JOBS)
    slow, fast = run.stream.shards()
    run.stream.put(slow, events(0, HOUR, FEW))
    run.stream.put(fast, events(0, HOUR, MANY))
    run.proxy.delays[slow] = DELAY_SECONDS
    run.start(settings, parallelism)
    # What the slow shard alone says of its last whole window is there when both were read to their end.
    before = judge(run.stream.log, settings).events
    closed = {
        identity
        for identity, result in results.expected(before, settings).items()
        if result["event_time"] <= before[0].time + HOUR - 5 * MINUTE
    }
    run.until_all(closed)
    savepoint = run.stop()
    assert run.proxy.held == [slow]
    for shard, count in ((slow, FEW), (fast, MANY)):
        run.stream.put(shard, [*events(HOUR, HOUR, count), heartbeat(CLOSING)])
    run.proxy.delays[slow] = DELAY_SECONDS
    run.start(settings, parallelism, savepoint)
    judged = judge(run.stream.log, settings)
    wanted = results.expected(judged.events, settings)
    output = run.finish(wanted)
    assert run.proxy.held == [slow, slow]
    assert not judged.rejected
    assert_gives(output, judged, wanted, run.stream.log)


def test_shards_without_a_record_hold_nobody_beyond_the_start_grace(live: NewLive) -> None:
    silent_from_the_beginning(live(4))


@pytest.mark.parametrize("restored", [False, True])
def test_a_shard_back_from_idleness_reopens_nothing_whichever_subtask_reads_it(live: NewLive, restored: bool) -> None:
    back_from_idleness(live(2), restored)


@pytest.mark.parametrize("limit", [11, None])
def test_the_size_of_a_read_does_not_show(live: NewLive, limit: int | None) -> None:
    run = live(2)
    settings = run.settings(*JOBS)
    run.proxy.limit = limit
    one, other = run.stream.shards()
    run.stream.put(one, [*events(0, 2 * HOUR, 100), event(HOUR, value=1), b"{", heartbeat(CLOSING)])
    run.stream.put(other, [*events(0, 2 * HOUR, 300), event(2 * HOUR - MINUTE, value=1), heartbeat(CLOSING)])
    run.start(settings, 2)
    judged = judge(run.stream.log, settings)
    assert sorted(judged.rejected.values()) == [Reason.LATE, Reason.LATE, Reason.MALFORMED]
    wanted = results.expected(judged.events, settings)
    assert_gives(run.finish(wanted, 3), judged, wanted, run.stream.log)


def test_an_event_that_is_late_comes_first_after_a_restore_and_reopens_nothing(live: NewLive) -> None:
    run = live(1)
    settings = run.settings(*JOBS)
    (shard,) = run.stream.shards()
    run.stream.put(shard, [*events(0, HOUR, 300), heartbeat(HOUR + MINUTE)])
    run.start(settings, 2)
    closed = results.expected(judge(run.stream.log, settings).events, settings)
    run.until_all(identity for identity, result in closed.items() if result["result_type"] == ResultType.AGGREGATION)
    savepoint = run.stop()
    # In windows, a session and a count that are closed, and 1 ms behind what is still in time.
    late = [event(offset, user_id=1, event_type="purchase", value=5.0, session_id="s1") for offset in (0, HOUR // 2)]
    edge = event(HOUR + MINUTE - settings.time.watermark_delay, value=5.0)
    run.stream.put(shard, [*late, edge, *events(HOUR + 2 * MINUTE, HOUR, 300), heartbeat(CLOSING)])
    run.start(settings, 2, savepoint)
    judged = judge(run.stream.log, settings)
    assert list(judged.rejected.values()) == [Reason.LATE] * 3
    wanted = results.expected(judged.events, settings)
    assert_gives(run.finish(wanted, 3), judged, wanted, run.stream.log)


@pytest.mark.parametrize("when", ["before", "during"])
def test_split_and_merged_shards_are_read_after_those_that_they_continue(live: NewLive, when: str) -> None:
    run = live(2)
    settings = run.settings(*JOBS)
    first, second = run.stream.shards()
    if when == "during":
        run.start(settings, 2)
    # Backlogs of one and twenty, so that children are there long before the slow parent's end is read.
    run.stream.put(first, events(0, HOUR, FEW))
    run.stream.put(second, events(0, HOUR, MANY))
    low, high = run.stream.split(first)
    run.stream.put(low, events(HOUR, HOUR, FEW))
    run.stream.put(high, [event(HOUR // 2, value=1), *events(HOUR, HOUR, MANY)])  # late for its parent
    merged = run.stream.merge(high, second)
    run.stream.put(merged, [*events(2 * HOUR, HOUR, FEW), heartbeat(CLOSING)])
    run.stream.put(low, [heartbeat(CLOSING)])
    if when == "before":
        run.start(settings, 2)
    judged = judge(run.stream.log, settings, parents=run.stream.parents())
    wanted = results.expected(judged.events, settings)
    output = run.finish(wanted, 1)
    assert list(judged.rejected.values()) == [Reason.LATE]
    assert_gives(output, judged, wanted, run.stream.log)


def test_the_records_of_a_packed_one_are_each_counted_live_and_after_a_savepoint(live: NewLive) -> None:
    run = live(1)
    settings = run.settings("aggregation", "session")
    (shard,) = run.stream.shards()
    # Ten events in one record, of which the fourth is none; then what looks packed and is not.
    first = [event(second * SECOND, user_id=second, value=1) for second in range(10)]
    first[3] = b"{"
    run.stream.put_packed(shard, first)
    run.stream.put(shard, [b"\xf3\x89\x9a\xc2 not packed"])
    run.start(settings, 1)
    run.until(lambda output: len(output.rejected) == 2, "the first ten are read")
    assert run.output().reasons() == {
        (record.partition, record.position): Reason.MALFORMED for record in (run.stream.log[3], run.stream.log[10])
    }
    assert {row["payload"] for row in run.output().rejections()} == {"{", "84mawiBub3QgcGFja2Vk"}
    savepoint = run.stop()
    run.stream.put_packed(shard, [event(MINUTE + second * SECOND, user_id=second, value=1) for second in range(10)])
    run.stream.put(shard, [heartbeat(CLOSING)])
    run.start(settings, 1, savepoint)
    judged = judge(run.stream.log, settings)
    assert len(judged.events) == 19
    wanted = results.expected(judged.events, settings)
    assert_gives(run.finish(wanted, 2), judged, wanted, run.stream.log)


def test_a_start_at_the_end_of_the_stream_gives_whole_windows_only(live: NewLive) -> None:
    run = live(2)
    settings = run.settings(*JOBS, "anomaly", "fraud", start="LATEST")
    one, other = run.stream.shards()
    run.stream.put(one, events(0, 12 * MINUTE, 200))
    run.stream.put(other, events(0, 12 * MINUTE, 300))
    run.start(settings, 2)
    run.until_subscribed()
    missed = len(run.stream.log)
    for shard, count in ((one, 2_000), (other, 3_000)):
        run.stream.put(shard, [*events(12 * MINUTE, 2 * HOUR, count), heartbeat(CLOSING)])
    seen = judge(run.stream.log[missed:], settings).events
    firsts = (
        next(
            json.loads(record.payload)["event_time"] for record in run.stream.log[missed:] if record.partition == shard
        )
        for shard in (one, other)
    )
    horizon = known_from(settings, *firsts)
    # What an application says that has been there from the beginning.
    judged = judge(run.stream.log, settings)
    whole = results.expected(judged.events, settings)
    wanted = complete_from(whole, settings, horizon)
    partial = results.expected(seen, settings).keys() - wanted.keys()
    assert partial & whole.keys(), "some windows would have taken a complete one's id"
    # Their events never pause, so no session and no alert of theirs is known from its beginning.
    assert {whole[identity]["result_type"] for identity in wanted} == {"aggregation", "anomaly", "recommendation"}
    assert_gives(run.finish(wanted), judged, wanted, run.stream.log)
