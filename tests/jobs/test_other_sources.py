"""Topics and files keep the contract of the Kinesis source, whatever backlogs and restarts there are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contracts.rejections import Reason
from contracts.results import ResultType
from local.oracle import results
from tests.events import HOUR, MINUTE, event
from tests.jobs.other_sources import OtherLive
from tests.jobs.source_cases import back_from_idleness, silent_from_the_beginning
from tests.jobs.traffic import CLOSING, FEW, JOBS, MANY, events, heartbeat
from tests.oracle import assert_gives, judge

NewLive = Callable[[int], OtherLive]


@pytest.mark.parametrize("parallelism", [1, 4])
def test_uneven_backlogs_lose_nothing_at_the_start_and_after_a_restore(other: NewLive, parallelism: int) -> None:
    run = other(2)
    settings = run.settings(*JOBS)
    slow, fast = run.stream.shards()
    run.stream.put(fast, events(0, HOUR, MANY))
    run.stream.put(slow, events(0, HOUR, FEW))
    run.start(settings, parallelism)
    before = judge(run.stream.log, settings).events
    closed = {
        identity
        for identity, result in results.expected(before, settings).items()
        if result["event_time"] <= before[0].time + HOUR - 5 * MINUTE
    }
    run.until_all(closed)
    savepoint = run.stop()
    for shard, count in ((fast, MANY), (slow, FEW)):
        run.stream.put(shard, [*events(HOUR, HOUR, count), heartbeat(CLOSING)])
    run.start(settings, parallelism, savepoint)
    judged = judge(run.stream.log, settings)
    wanted = results.expected(judged.events, settings)
    output = run.finish(wanted)
    assert not judged.rejected
    assert_gives(output, judged, wanted, run.stream.log)


@pytest.mark.parametrize("other", ["msk"], indirect=True)  # a folder without a file is none
def test_partitions_without_a_record_hold_nobody_beyond_the_start_grace(other: NewLive) -> None:
    silent_from_the_beginning(other(4))


@pytest.mark.parametrize("restored", [False, True])
def test_a_partition_back_from_idleness_reopens_nothing(other: NewLive, restored: bool) -> None:
    back_from_idleness(other(2), restored)


def test_an_event_that_is_late_comes_first_after_a_restore_and_reopens_nothing(other: NewLive) -> None:
    run = other(1)
    settings = run.settings(*JOBS)
    (shard,) = run.stream.shards()
    run.stream.put(shard, [*events(0, HOUR, 300), b"{", heartbeat(HOUR + MINUTE)])
    run.start(settings, 2)
    closed = results.expected(judge(run.stream.log, settings).events, settings)
    run.until_all(identity for identity, result in closed.items() if result["result_type"] == ResultType.AGGREGATION)
    savepoint = run.stop()
    late = [event(offset, user_id=1, event_type="purchase", value=5.0, session_id="s1") for offset in (0, HOUR // 2)]
    edge = event(HOUR + MINUTE - settings.time.watermark_delay, value=5.0)
    run.stream.put(shard, [*late, edge, *events(HOUR + 2 * MINUTE, HOUR, 300), heartbeat(CLOSING)])
    run.start(settings, 2, savepoint)
    judged = judge(run.stream.log, settings)
    assert list(judged.rejected.values()) == [Reason.MALFORMED, *[Reason.LATE] * 3]
    wanted = results.expected(judged.events, settings)
    assert_gives(run.finish(wanted, 4), judged, wanted, run.stream.log)
