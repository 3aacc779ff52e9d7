"""A backfill from the archive gives what the live run gave, in its range, and nothing in part."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.events import HEARTBEAT
from contracts.rejections import Reason
from flink_jobs import endpoints
from flink_jobs.settings import Settings
from local.oracle import results
from local.oracle.records import LogRecord
from local.traffic.plan import Planned
from tests.events import HOUR, MINUTE, SECOND, SOURCE, START, Output, at, configured, event, log
from tests.jobs.archive_log import ArchiveLog, lines
from tests.jobs.conftest import Flink
from tests.jobs.harness import environment, outcome
from tests.jobs.live import IDLE_MILLIS, Live
from tests.oracle import complete_from, judge


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
    settings = run.settings(idle_millis=IDLE_MILLIS)
    quiet, busy = run.stream.shards()
    run.stream.put(quiet, _events(1, 10 * MINUTE))
    run.stream.put(busy, [*_events(2, 2 * HOUR), event(2 * HOUR, event_type=HEARTBEAT)])
    run.start(settings, 2)
    run.until(lambda output: len(output.rows("aggregation")) >= 3 * 20, "windows that the quiet shard does not hold")
    # Late by timing alone, late by the log, a duplicate in another shard, poison.
    run.stream.put(quiet, [event(HOUR, value=1), event(3 * HOUR, value=2, event_id="twice"), event(HOUR), b"{"])
    run.stream.put(busy, [event(3 * HOUR, value=2, event_id="twice")])
    for shard in (quiet, busy):
        run.stream.put(shard, [event(6 * HOUR, event_type=HEARTBEAT)])
    run.until(lambda output: len(output.rejected) == 4, "4 rejections")
    # The window of the last event; all that the closing heartbeats end comes with the same watermark.
    run.until(lambda output: output.rows("aggregation")[-1]["window_start"] == at(3 * HOUR), "the last window")
    reasons = run.output().reasons()
    assert sorted(reasons.values()) == sorted(
        [Reason.LATE_AFTER_IDLE, Reason.LATE, Reason.DUPLICATE, Reason.MALFORMED], key=str
    )
    archive = sorted(run.stream.log, key=lambda record: record.partition)
    replayed = flink(archive, configured(backfill=_backfill_group(), time={"idle_timeout": "10 s"}), verdicts=reasons)
    lived = run.finish(replayed.results, len(reasons))
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


def test_an_archive_that_ends_within_the_range_gives_what_it_is_whole_for(flink: Flink) -> None:
    everything = log(_events(3, 8 * HOUR))
    start, end = 4 * HOUR, 6 * HOUR
    ends = 5 * HOUR + 2 * MINUTE + 34_000  # within windows, slots and sessions
    kept = [record for record in everything if start - 3 * HOUR <= _offset(record) < ends]
    output = _content(flink(kept, _backfill(start, end, "3 h")))
    # Nothing is there that the whole log does not give, word by word, and all that is due well before the end is
    found = _content(flink(everything, configured()))
    assert output == {identity: found[identity] for identity in output}
    judged = judge(everything, configured())
    whole = results.expected(judged.events, configured())
    inside = {
        identity: result
        for identity, result in whole.items()
        if START + start < result["event_time"] <= START + ends - 2 * MINUTE
    }
    assert complete_from(inside, configured(), START + start - 3 * HOUR).keys() <= output.keys()
    assert len(output) > 50


@pytest.mark.parametrize("ends", [5 * HOUR + 2 * MINUTE + 34_000, 6 * HOUR + 10 * MINUTE], ids=["before", "after"])
def test_so_does_the_archive_as_firehose_writes_it(flink: Flink, jar: Path, tmp_path: Path, ends: int) -> None:
    everything = _events(3, 8 * HOUR)
    archive = ArchiveLog(tmp_path)
    start, end = 4 * HOUR, 6 * HOUR
    kept = [payload for payload in everything if start - 3 * HOUR <= _time(payload) < ends]
    # Of two shards, one batch and another
    for number, payloads in enumerate((kept[::2], kept[1::2])):
        archive.append([Planned(number, payload, None) for payload in payloads])
    group = {"archive": archive.prefix, "start": _text(start), "end": _text(end), "margin": "3 h", "delay": "1 d"}
    settings = configured(backfill=group)
    assert settings.backfill is not None
    # The files' hour is that of the test: the plan must not leave them out
    backfill = dataclasses.replace(settings.backfill, delay=10 * 365 * 24 * HOUR)
    env = environment(jar, 2)
    output = _content(outcome(env, endpoints.backfill_records(env, settings, backfill), settings))
    found = _content(flink(log(everything), configured()))
    assert output == {identity: found[identity] for identity in output}
    whole = results.expected(judge(log(everything), configured()).events, configured())
    due = min(end, ends - 2 * MINUTE)
    inside = {key: one for key, one in whole.items() if START + start < one["event_time"] <= START + due}
    assert complete_from(inside, configured(), START + start - 3 * HOUR).keys() <= output.keys()


def test_each_event_of_a_packed_record_comes_through_the_archive_into_a_backfill(jar: Path, tmp_path: Path) -> None:
    # Given ten payloads in one record, of which one is no event
    archive = ArchiveLog(tmp_path)
    payloads = [event(second * SECOND, user_id=second, value=1) for second in range(10)]
    payloads[3] = b"{"
    packed = archive.taken_packed(payloads)
    closing = archive.taken([Planned(0, event(3 * HOUR, event_type=HEARTBEAT))])
    # When Firehose writes them twice, and a backfill reads them
    archive.write(lines(packed))
    archive.write(lines([*packed, *closing]))
    group = {"archive": archive.prefix, "start": _text(0), "end": _text(HOUR), "margin": "0 s", "delay": "1 d"}
    settings = configured("aggregation", backfill=group)
    assert settings.backfill is not None
    backfill = dataclasses.replace(settings.backfill, delay=10 * 365 * 24 * HOUR)
    env = environment(jar, 1)
    output = outcome(env, endpoints.backfill_records(env, settings, backfill), settings)
    # Then each counts once, and each has a place of its own
    [row] = output.rows("aggregation")
    assert (row["event_count"], row["unique_users"]) == (9, 9)
    assert output.reasons() == {(packed[3].partition, packed[3].position): Reason.MALFORMED}
    assert len({record.position for record in packed}) == 10


def _time(payload: bytes) -> int:
    time: int = json.loads(payload)["event_time"]
    return time - START
