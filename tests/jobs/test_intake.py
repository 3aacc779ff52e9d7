"""Accepted and rejected: what the jobs see, and what comes out of the rejected stream."""

from __future__ import annotations

import base64
import json

import pytest

from contracts.events import HEARTBEAT
from contracts.identity import rejection_id
from contracts.rejections import REJECTION_COLUMNS, Reason
from contracts.results import ENVELOPE, ResultType
from local.oracle import results
from local.oracle.records import LogRecord
from tests.events import ARRIVAL, HOUR, MINUTE, SECOND, SOURCE, START, Output, at, configured, event, log
from tests.jobs.conftest import Flink
from tests.oracle import assert_gives, judge

#: What stands in the log, and how it is rejected; None: accepted.
LOG: list[tuple[bytes, Reason | None]] = [
    (event(0, value=1), None),
    (b"{bad", Reason.MALFORMED),
    (b"\xff\xfe\x00", Reason.MALFORMED),
    (b"", Reason.MALFORMED),
    (b'{"user_id": 1, "event_type": "view"}', Reason.MISSING_FIELD),
    (event(0, event_time="soon"), Reason.INVALID_TIME),
    (event(0, user_id="1"), Reason.INVALID_TYPE),
    (event(0, value=1.1e18), Reason.OUT_OF_RANGE),
    # 2099 does not move the clock: the event after it is not late.
    (event(0, event_time="2099-01-01T00:00:00Z"), Reason.FUTURE),
    (event(10 * SECOND, value=2), None),
    (event(5 * SECOND + 1, value=3), None),
    (event(5 * SECOND, value=4), Reason.LATE),
    (event(11 * SECOND, value=5, event_id="a"), None),
    (event(12 * SECOND, value=6, event_id="a"), Reason.DUPLICATE),
    (event(13 * SECOND, value=7), None),
    (event(13 * SECOND, value=7), None),
    (event(11 * SECOND + 10 * MINUTE, value=8, event_id="a"), None),
    (event(11 * SECOND + 10 * MINUTE, value=9, event_type=HEARTBEAT), None),
]


@pytest.fixture(scope="module")
def output(flink: Flink) -> Output:
    return flink(log(payload for payload, _ in LOG), configured("aggregation"))


def test_each_record_is_accepted_or_rejected_once(output: Output) -> None:
    expected = {
        ("shard-0", str(position)): reason.value for position, (_, reason) in enumerate(LOG) if reason is not None
    }
    assert output.reasons() == expected


def test_the_jobs_see_what_was_accepted_and_no_heartbeat(output: Output) -> None:
    assert [(row["event_type"], row["event_count"], row["total_value"]) for row in output.rows("aggregation")] == [
        ("view", 6, 1 + 2 + 3 + 5 + 7 + 7),
        ("view", 1, 8),
    ]


def test_a_rejection_holds_the_record_and_its_place(output: Output) -> None:
    rows = {row["position"]: row for row in output.rejections()}
    names = {column.name for column in (*ENVELOPE, *REJECTION_COLUMNS)}
    assert all(row.keys() == names for row in rows.values())
    assert rows["1"] == rows["1"] | {
        "result_type": "rejected",
        "result_id": rejection_id(SOURCE, "shard-0", "1"),
        "event_time": at(ARRIVAL - START),
        "arrival_time": at(ARRIVAL - START),
        "run": "live",
        "reason": "malformed",
        "payload": "{bad",
        "payload_encoding": "utf-8",
        "payload_truncated": False,
        "source": SOURCE,
        "partition": "shard-0",
    }
    assert base64.b64decode(rows["2"]["payload"]) == b"\xff\xfe\x00"
    assert rows["2"]["payload_encoding"] == "base64"
    assert rows["11"]["detail"] == "event_time is 5000 ms behind its partition's clock; time.watermark_delay is 5000 ms"


def test_lateness_is_the_partitions_own(flink: Flink) -> None:
    """A partition whose whole log comes after another's, an hour ahead, loses nothing."""
    ahead = log([event(HOUR + i * SECOND, value=1) for i in range(600)], "ahead")
    behind = log([event(i * SECOND, value=1) for i in range(600)], "behind")
    output = flink([*ahead, *behind], configured("aggregation"), parallelism=4)
    assert not output.rejected
    assert sum(row["event_count"] for row in output.rows("aggregation")) == 1_200


def test_of_two_events_of_one_id_the_first_is_accepted_at_any_parallelism(flink: Flink) -> None:
    records = log(event(i, event_id=str(i // 2), value=i % 2) for i in range(4_000))
    for parallelism in (1, 4):
        output = flink(records, configured("aggregation"), parallelism)
        assert {int(position) % 2 for _, position in output.reasons()} == {1}
        assert set(output.reasons().values()) == {"duplicate"}
        [row] = output.rows("aggregation")
        assert (row["event_count"], row["total_value"]) == (2_000, 0)


def test_without_the_check_every_record_counts(flink: Flink) -> None:
    records = log(event(i, event_id="same", value=1) for i in range(10))
    output = flink(records, configured("aggregation", time={"duplicate_window": "0 s"}))
    assert not output.rejected
    assert [row["event_count"] for row in output.rows("aggregation")] == [10]


def test_delay_and_tolerance_are_settings(flink: Flink) -> None:
    records = [
        *log([event(MINUTE), event(1), event(0)]),
        LogRecord(SOURCE, "shard-0", "3", START + MINUTE, event(2 * MINUTE)),
        LogRecord(SOURCE, "shard-0", "4", START + MINUTE, event(2 * MINUTE + 1)),
    ]
    settings = configured("aggregation", time={"watermark_delay": "1 min", "future_tolerance": "1 min"})
    assert flink(records, settings).reasons() == {("shard-0", "2"): "late", ("shard-0", "4"): "future"}


def honest_and_ahead(seconds: int) -> tuple[list[LogRecord], list[LogRecord]]:
    """Half an hour of an honest event a second in one shard, and one a minute of a device ``seconds`` ahead."""
    timed = [
        (offset + 200, event(offset, user_id=offset // SECOND % 500, value=1))
        for offset in range(0, 30 * MINUTE, SECOND)
    ]
    wrong = [
        (offset + 200, event(offset + seconds * SECOND, user_id=777, value=1))
        for offset in range(0, 30 * MINUTE, MINUTE)
    ]
    ordered = sorted([*timed, *wrong], key=lambda each: each[0])
    records = [
        LogRecord(SOURCE, "shard-0", str(position), START + arrival, payload)
        for position, (arrival, payload) in enumerate(ordered)
    ]
    return records, [record for record in records if b'"user_id": 777,' not in record.payload]


def place(record: LogRecord) -> tuple[str, str]:
    return record.partition, record.position


@pytest.mark.parametrize("seconds", [0, 1, 60, 290, 301])
def test_one_device_whose_clock_is_ahead_makes_nobody_late(flink: Flink, seconds: int) -> None:
    records, honest = honest_and_ahead(seconds)
    assert len(honest) == 1_800
    with_it = flink(records, configured("aggregation"))
    # Its own events are accepted up to the tolerance, and none of anybody else's is rejected.
    assert with_it.reasons() == (
        dict.fromkeys({place(record) for record in records} - {place(record) for record in honest}, "future")
        if seconds > 300
        else {}
    )
    judged = judge(records, configured())
    assert judged.rejected == with_it.reasons()
    wanted = {
        identity: result
        for identity, result in results.expected(judged.events, configured()).items()
        if result["result_type"] == ResultType.AGGREGATION
    }
    assert_gives(with_it, judged, wanted, records)


def test_epoch_seconds_of_one_producer_are_rejected_and_hold_nobody(flink: Flink) -> None:
    records = [
        LogRecord(SOURCE, shard, str(second), START + second * SECOND + 200, payload)
        for second in range(3_600)
        for shard, payload in (
            ("shard-0", event(second * SECOND, value=1)),
            ("shard-1", event(0, event_time=START // SECOND + second, value=1)),
        )
    ]
    output = flink(records, configured("aggregation", time={"past_tolerance": "7 d"}))
    assert output.reasons() == {("shard-1", str(second)): "past" for second in range(3_600)}
    detail = output.rejections()[0]["detail"]
    assert "time.past_tolerance" in detail
    assert detail.endswith("send milliseconds, the number looks like epoch seconds")
    assert [row["event_count"] for row in output.rows("aggregation")] == [300] * 12


def test_all_jobs_skip_an_event_without_their_key(flink: Flink) -> None:
    """No value, no session_id, no category, no purchase: only the session job has something to say."""
    output = flink(log([event(0)]), configured())
    assert [json.loads(text)["result_type"] for text in output.results.values()] == [ResultType.SESSION.value]
    assert not output.rejected
