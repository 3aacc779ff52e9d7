"""The source against a stream: whatever shards, backlogs, delays and restarts there are, every event counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from contracts.results import ResultType
from flink_jobs.settings import Settings
from local.oracle import results
from tests.jobs.harness import HOUR, MINUTE, SECOND, Output, event
from tests.jobs.live import Live
from tests.jobs.oracle import assert_agrees, judge

NewLive = Callable[[int], Live]

#: All but the Python session: what they say of time is the same, and they start faster.
JOBS = tuple(job.value for job in ResultType if job is not ResultType.SESSION)
FEW, MANY = 500, 10_000
#: Beyond every window that an event of the first hours can be in.
CLOSING = 6 * HOUR
DELAY_SECONDS = 10.0


def _events(first: int, span: int, count: int) -> Iterator[bytes]:
    """``count`` events that are evenly spread over ``span`` milliseconds, of a few users and types."""
    for number in range(count):
        yield event(
            first + span * number // count,
            user_id=number % 7,
            event_type=("view", "click", "purchase", "view")[number % 4],
            value=number % 10 if number % 997 else 1e6,
            session_id=f"s{number % 7}",
            category=("shoes", "hats")[number % 2],
        )


def _heartbeat(offset: int) -> bytes:
    return event(offset, event_type="heartbeat")


def _wanted(live: Live, settings: Settings) -> set[str]:
    return set(results.expected(judge(live.stream.log, settings).events, settings))


def _finished(live: Live, settings: Settings) -> Output:
    """Everything that comes of the stream, when nothing more can come."""
    live.until_all(_wanted(live, settings), len(judge(live.stream.log, settings).rejected))
    live.stop()
    return live.output()


@pytest.mark.parametrize("parallelism", [1, 2, 4])
def test_uneven_backlogs_and_a_slow_first_read_lose_nothing_at_the_start_and_after_a_restore(
    live: NewLive, parallelism: int
) -> None:
    run = live(4)
    settings = run.settings(*JOBS, idle_timeout="10 s")
    slow, fast, *_ = run.stream.shards()  # the other two stay empty
    run.stream.put(slow, _events(0, HOUR, FEW))
    run.stream.put(fast, _events(0, HOUR, MANY))
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
        run.stream.put(shard, _events(HOUR, HOUR, count))
        run.stream.put(shard, [_heartbeat(CLOSING)])
    run.proxy.delays[slow] = DELAY_SECONDS
    run.start(settings, parallelism, savepoint)
    output = _finished(run, settings)
    assert run.proxy.held == [slow, slow]
    assert not output.rejected
    assert_agrees(output, run.stream.log, settings)
