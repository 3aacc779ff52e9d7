"""A backfill from the archive gives what the live run gave, in its range, and nothing in part."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from contracts.rejections import Reason
from flink_jobs.settings import Settings
from local.oracle import results
from local.oracle.records import LogRecord
from tests.jobs.conftest import Flink
from tests.jobs.harness import HOUR, MINUTE, SOURCE, START, Output, at, configured, event, log
from tests.jobs.live import Live
from tests.jobs.oracle import complete_from, judge


def _text(offset: int) -> str:
    return (datetime.fromtimestamp(START / 1000, UTC) + timedelta(milliseconds=offset)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _backfill(start: int, end: int, margin: str) -> Settings:
    archive = {"archive": "/in/the/test", "start": _text(start), "end": _text(end), "margin": margin}
    return configured(backfill=archive)


def _events(seed: int, until: int) -> list[bytes]:
    chance = random.Random(seed)
    return [
        event(
            offset,
            user_id=(offset // (20 * MINUTE) + chance.randrange(3)) % 7,
            event_type=chance.choice(["view", "click", "purchase"]),
            value=round(chance.gauss(10, 3), 2) if offset % 700_000 else 1e6,
            session_id=f"s{chance.randrange(3)}",
            category=chance.choice(["shoes", "hats", "books"]),
        )
        for offset in range(0, until, 10_000)
    ]


def _content(output: Output) -> dict[str, dict[str, object]]:
    parsed = {identity: json.loads(text) for identity, text in output.results.items()}
    return {identity: {name: row[name] for name in row if name != "run"} for identity, row in parsed.items()}


def test_the_archive_with_its_verdicts_gives_the_live_results(live: Callable[[int], Live], flink: Flink) -> None:
    run = live(2)
    settings = run.settings(idle_timeout="10 s")
    quiet, busy = run.stream.shards()
    run.stream.put(quiet, _events(1, 10 * MINUTE))
    run.stream.put(busy, [*_events(2, 2 * HOUR), event(2 * HOUR, event_type="heartbeat")])
    run.start(settings, 2)
    run.until(lambda output: len(output.rows("aggregation")) >= 3 * 20, "windows that the quiet shard does not hold")
    # Late by timing alone, late by the log, a duplicate in another shard, poison.
    run.stream.put(quiet, [event(HOUR, value=1), event(3 * HOUR, value=2, event_id="twice"), event(HOUR), b"{"])
    run.stream.put(busy, [event(3 * HOUR, value=2, event_id="twice")])
    for shard in (quiet, busy):
        run.stream.put(shard, [event(6 * HOUR, event_type="heartbeat")])
    run.until(lambda output: len(output.rejected) == 4, "4 rejections")
    # The window of the last event; all that the closing heartbeats end comes with the same watermark.
    run.until(lambda output: output.rows("aggregation")[-1]["window_start"] == at(3 * HOUR), "the last window")
    run.stop()
    lived = run.output()
    reasons = lived.reasons()
    assert sorted(reasons.values()) == sorted(
        [Reason.LATE_AFTER_IDLE, Reason.LATE, Reason.DUPLICATE, Reason.MALFORMED], key=str
    )
    archive = sorted(run.stream.log, key=lambda record: record.partition)
    replayed = flink(archive, configured(backfill=_backfill_group(), time={"idle_timeout": "10 s"}), verdicts=reasons)
    assert _content(replayed) == _content(lived)
    assert replayed.rejected.keys() == lived.rejected.keys()
    assert {json.loads(text)["run"] for text in replayed.results.values()} == {"backfill"}


def _backfill_group() -> dict[str, str]:
    return {"archive": "/in/the/test", "start": _text(-24 * HOUR), "end": _text(24 * HOUR), "margin": "0 s"}


def test_a_range_of_the_archive_gives_what_became_true_in_it_and_is_whole(flink: Flink) -> None:
    everything = log(_events(3, 8 * HOUR))
    start, end, margin = 4 * HOUR, 5 * HOUR + 2 * MINUTE, "3 h"
    settings = _backfill(start, end, margin)
    # The archive begins within windows and sessions, and ends within others.
    kept = [record for record in everything if start - 3 * HOUR <= _offset(record) < end + 10 * MINUTE]
    judged = judge(everything, configured())
    whole = results.expected(judged.events, configured())
    inside = {
        identity: result for identity, result in whole.items() if START + start < result["event_time"] <= START + end
    }
    wanted = complete_from(inside, settings, START + start - 3 * HOUR)
    assert {result["result_type"] for result in wanted.values()} >= {
        "aggregation",
        "anomaly",
        "recommendation",
        "session",
    }
    output = flink(kept, settings)
    assert output.results.keys() == wanted.keys()
    alone = flink(everything, configured())
    found = _content(alone)
    assert _content(output) == {identity: found[identity] for identity in wanted}


def _offset(record: LogRecord) -> int:
    assert record.source == SOURCE
    time: int = json.loads(record.payload)["event_time"]
    return time - START
