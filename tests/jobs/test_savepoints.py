"""Jobs come and go between savepoints: those that stay keep their windows, a new one begins with whole ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from contracts.events import HEARTBEAT
from contracts.results import ResultType
from flink_jobs.settings import Settings
from local.oracle import results
from local.oracle.results import Result
from tests.events import HOUR, KIT_JOBS, MINUTE, event
from tests.jobs.live import Live
from tests.oracle import assert_gives, complete_from, judge

#: A query, and two rules of one lane, which another joins later.
KIT = tuple(map(ResultType, KIT_JOBS))
FIRST = (ResultType.AGGREGATION, ResultType.BEHAVIOR, ResultType.SESSION)
#: Open windows and sessions everywhere at the moment of the savepoint: no multiple of any window.
SAVED_AT = HOUR + 2 * MINUTE + 34_000
SAVED_AGAIN_AT = 3 * HOUR + 3 * MINUTE + 21_000
CLOSING = 8 * HOUR


def _events(first: int, until: int, step: int) -> Iterator[bytes]:
    """Every user is busy for some minutes and away for more than the gap, and now and then buys a lot at once."""
    for number, offset in enumerate(range(first, until, step)):
        user = offset // (12 * MINUTE) % 5
        burst = offset // MINUTE % 24 == 3
        yield event(
            offset,
            user_id=user,
            event_type="purchase" if burst else ("view", "click", "view")[number % 3],
            value=number % 10 if number % 97 else 1e6,
            session_id=f"s{user}",
            category=("shoes", "hats")[number % 2],
        )


def _due(known: Mapping[str, Result], settings: Settings, watermark: int) -> dict[str, Result]:
    """What must have come out at the watermark, and nothing else."""

    def becomes_due(result: Result) -> int:
        time: int = result["event_time"]
        match result["result_type"]:
            case ResultType.ANOMALY:
                slot: int = settings.anomaly.slice
                return time - time % slot + slot - 1
            case ResultType.FRAUD:
                slot = settings.fraud.slot
                return time - time % slot + slot - 1
            case ResultType.BEHAVIOR | ResultType.SESSION:  # at the end of the longest slot
                return (time - 1) // MINUTE * MINUTE + MINUTE - 1
        return time - 1

    return {identity: result for identity, result in known.items() if becomes_due(result) <= watermark}


def _of(known: Mapping[str, Result], *jobs: ResultType) -> dict[str, Result]:
    return {identity: result for identity, result in known.items() if ResultType(result["result_type"]) in jobs}


def test_some_jobs_then_all_then_one_alone_at_any_parallelism(live: Callable[[int], Live]) -> None:
    run = live(1)
    (shard,) = run.stream.shards()
    every = run.settings(*KIT)

    def newest() -> int:
        """Largest event time in the stream so far."""
        return max(event.time for event in judge(run.stream.log, every).events)

    def due() -> dict[str, Result]:
        whole = results.expected(judge(run.stream.log, every).events, every)
        return _due(whole, every, newest() - every.time.watermark_delay)

    run.stream.put(shard, _events(0, SAVED_AT, 5_000))
    run.start(run.settings(*FIRST), 2)
    stayed = _of(due(), *FIRST)
    run.until_all(stayed)
    savepoint = run.stop()
    # A new job has missed all of this; how far events were ahead of the clock is not remembered.
    horizon = newest() + every.time.future_tolerance + 1

    run.stream.put(shard, _events(SAVED_AT, SAVED_AGAIN_AT, 5_000))
    run.start(every, 4, savepoint)
    stayed = _of(due(), *FIRST)
    missed = _of(due(), *set(KIT) - set(FIRST))
    joined = complete_from(missed, every, horizon)
    assert {result["result_type"] for result in joined.values()} == set(KIT) - set(FIRST)
    assert len(joined) < len(missed), "some windows began before their job did"
    run.until_all(stayed | joined)
    again = run.stop()

    run.stream.put(shard, [*_events(SAVED_AGAIN_AT, 4 * HOUR, 5_000), event(CLOSING, event_type=HEARTBEAT)])
    run.start(run.settings(ResultType.BEHAVIOR), 1, again)
    judged = judge(run.stream.log, every)
    alone = _of(results.expected(judged.events, every), ResultType.BEHAVIOR)
    assert len(alone) > len(_of(stayed, ResultType.BEHAVIOR))
    output = run.finish(alone)
    assert_gives(output, judged, stayed | joined | alone, run.stream.log)


def test_a_session_whose_last_event_came_just_before_the_savepoint_still_closes(live: Callable[[int], Live]) -> None:
    # Given users whose first events reach the rules with the savepoint's barrier, so that it is the savepoint that ends
    # the Python worker's bundle
    run = live(1)
    (shard,) = run.stream.shards()
    settings = run.settings(ResultType.SESSION)
    run.stream.put(shard, [event(0, user_id=1000), *(event(2 * HOUR + user, user_id=user) for user in range(200))])
    run.stream.put(shard, [b"not an event"])  # its rejection tells that all before it has been read
    run.start(settings, 1, checkpoint_millis=10 * MINUTE)
    run.until(lambda output: len(output.rejected) == len(output.results) == 1, "everything read and the first session")
    savepoint = run.stop()
    # When nothing follows for any of them but the watermark
    run.stream.put(shard, [event(4 * HOUR, event_type=HEARTBEAT)])
    run.start(settings, 1, savepoint)
    # Then each session comes
    judged = judge(run.stream.log, settings)
    whole = results.expected(judged.events, settings)
    assert len(whole) == 201
    assert_gives(run.finish(whole, 1), judged, whole, run.stream.log)
