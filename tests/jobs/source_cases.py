"""What holds for every source alike: the tests of Kinesis, topics and files run it with their own."""

from __future__ import annotations

from contracts.rejections import Reason
from contracts.results import ResultType
from local.oracle import results
from tests.events import HOUR, MINUTE, event
from tests.jobs.live import IDLE_MILLIS, Live
from tests.jobs.traffic import CLOSING, FEW, events, heartbeat
from tests.oracle import assert_gives, judge


def back_from_idleness(run: Live, restored: bool) -> None:
    """A partition that comes back behind the watermark reopens nothing; ``restored``: also after a savepoint."""
    settings = run.settings("aggregation", "behavior", idle_millis=IDLE_MILLIS)
    quiet, busy = run.stream.shards()  # a subtask each
    run.stream.put(quiet, events(0, MINUTE, 10))
    run.stream.put(busy, [*events(0, HOUR, 100), heartbeat(HOUR + MINUTE)])
    run.start(settings, 2)
    # The busy shard's windows close although the quiet one has stood still since the first minute.
    run.until_all(
        identity
        for identity, result in results.expected(judge(run.stream.log, settings).events, settings).items()
        if result["result_type"] == ResultType.AGGREGATION
    )
    if restored:
        run.start(settings, 2, run.stop())
    passed = len(run.stream.log)
    run.stream.put(quiet, [event(30 * MINUTE, value=1.0, session_id="s1", user_id=1)])
    run.stream.put(quiet, [*events(2 * HOUR, MINUTE, 10), heartbeat(CLOSING)])
    run.stream.put(busy, [heartbeat(CLOSING)])
    late = run.stream.log[passed]
    judged = judge(run.stream.log, settings, after_idle=frozenset([(late.partition, late.position)]))
    wanted = results.expected(judged.events, settings)
    output = run.finish(wanted, 1)
    assert list(output.reasons().values()) == [Reason.LATE_AFTER_IDLE]
    assert_gives(output, judged, wanted, run.stream.log)


def silent_from_the_beginning(run: Live) -> None:
    """Partitions without any record hold nobody beyond the start grace, at the start and after a restore."""
    settings = run.settings("aggregation", start_grace="2 s")
    one, *silent = run.stream.shards()
    assert silent
    run.stream.put(one, events(0, HOUR, FEW))
    run.start(settings, 4)  # subtasks with nothing but silence
    before = judge(run.stream.log, settings).events
    closed = {
        identity
        for identity, result in results.expected(before, settings).items()
        if result["event_time"] <= before[0].time + HOUR - 5 * MINUTE
    }
    run.until_all(closed)
    savepoint = run.stop()
    run.stream.put(one, [*events(HOUR, HOUR, FEW), heartbeat(CLOSING)])
    run.start(settings, 4, savepoint)
    judged = judge(run.stream.log, settings)
    wanted = results.expected(judged.events, settings)
    assert_gives(run.finish(wanted), judged, wanted, run.stream.log)
