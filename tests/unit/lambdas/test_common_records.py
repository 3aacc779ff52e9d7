"""Decoding a Kinesis event: what is a result, and what becomes a failure."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.common.errors import EventError, RecordError
from lambdas.common.records import RESULT_TYPES, decode, merge_repeats
from lambdas.common.response import batch_item_failures

if TYPE_CHECKING:
    from tests.unit.lambdas.conftest import CapturedLogs, Kinesis


def test_a_result_keeps_its_text_and_its_decimals(kinesis: Kinesis) -> None:
    # Given a result whose numbers are written in full
    text = '{"result_type":"session","result_id":"session-1", "total_value":12.340000,"big":9007199254740993}'
    # When its event is decoded
    batch = decode(kinesis.event(text))
    # Then text and numbers are as they were, and its place is known
    (result,) = batch.results
    assert batch.failures == ()
    assert result.json_text == text
    assert str(result.document["total_value"]) == "12.340000"
    assert result.document["total_value"] == Decimal("12.34")
    assert result.integer("big") == 9007199254740993
    assert (result.shard, result.sequences) == ("shardId-000000000003", ("998",))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xfe", "data is not UTF-8"),
        (b"", "data is not JSON"),
        (b"{", "data is not JSON"),
        (b"[" * 100_000, "data nests deeper than 100 levels"),
        (b'{"n":' + b"9" * 5000 + b"}", "data holds a number of more than 1000 characters"),
        (b'{"n":1e99999999999999999999}', "data holds a number with an exponent beyond"),
        (b'{"n":NaN}', "data holds NaN or Infinity, which is no JSON"),
        (b'{"a":1,"a":2}', "data is a JSON object with a repeated key"),
        (b"[]", "data is not a JSON object"),
        (b"null", "data is not a JSON object"),
        (b"{}", "`result_type` is missing or not a string"),
        (b'{"result_type":1,"result_id":"1"}', "`result_type` is missing or not a string"),
        (b'{"result_type":"other","result_id":"other-1"}', "`result_type` is not one of the contract"),
        (b'{"result_type":"fraud"}', "`result_id` is missing or not a string"),
        (b'{"result_type":"fraud","result_id":"session-1"}', "`result_id` is not `<result_type>-`"),
        (b'{"result_type":"fraud","result_id":"fraud-\\ud800"}', "`result_id` is not `<result_type>-`"),
    ],
)
def test_what_is_no_result_fails_alone(kinesis: Kinesis, captured_logs: CapturedLogs, data: bytes, reason: str) -> None:
    # Given a record that is no result between two that are
    good = [kinesis.result("session", key) for key in ("a", "b")]
    # When the event is decoded
    batch = decode(kinesis.event(good[0], data, good[1]))
    # Then only it fails, with its place and reason in the answer and in one log line
    assert [result.sequences for result in batch.results] == [("998",), ("1000",)]
    (failure,) = batch.failures
    assert (failure.shard, failure.sequence) == ("shardId-000000000003", "999")
    assert failure.reason.startswith(reason)
    (line,) = captured_logs.lines("record failed")
    assert (line["shard"], line["sequence"], line["reason"]) == (failure.shard, "999", failure.reason)
    assert line["level"] == "WARNING"


@pytest.mark.parametrize("data", ["%%%", "e30", "é", None, 5])
def test_data_that_is_not_base64_fails(kinesis: Kinesis, data: object) -> None:
    event = kinesis.event(b"x")
    event["Records"][0]["kinesis"]["data"] = data  # type: ignore[index]
    batch = decode(event)
    assert batch.results == ()
    assert batch.failures[0].reason in ("data is not base64", "data is not a string")


def test_a_failure_logs_no_content(kinesis: Kinesis, captured_logs: CapturedLogs) -> None:
    decode(kinesis.event(b'{"user_id":4711,"ip_address":"10.1.2.3"', b'{"result_type":"secret-4711"}'))
    assert len(captured_logs.text) == 2
    assert not any("4711" in line or "10.1.2.3" in line for line in captured_logs.text)


@settings(deadline=None)
@given(records=st.lists(st.binary(max_size=200) | st.text(max_size=100), max_size=5))
def test_any_bytes_become_a_result_or_a_failure(kinesis: Kinesis, records: list[bytes | str]) -> None:
    texts = [record if isinstance(record, bytes) else record.encode() for record in records]
    batch = decode(kinesis.event(*texts))
    assert len(batch.results) + len(batch.failures) == len(records)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda children: (st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3)),
    max_leaves=8,
)


@settings(deadline=None)
@given(
    document=st.dictionaries(
        st.sampled_from(["result_type", "result_id", "event_time", "x"]),
        st.sampled_from(["fraud", "fraud-1", "2026-11-23T10:00:00.000Z"]) | _JSON,
    )
)
def test_any_json_becomes_a_result_or_a_failure(kinesis: Kinesis, document: dict[str, object]) -> None:
    batch = decode(kinesis.event(json.dumps(document)))
    assert len(batch.results) + len(batch.failures) == 1
    for result in batch.results:
        assert result.result_type in RESULT_TYPES
        assert result.result_id == document["result_id"]


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"Records": "text"},
        {"Records": [None]},
        {"Records": [{"kinesis": {"data": ""}, "eventID": "s:1"}]},
        {"Records": [{"kinesis": {"data": "", "sequenceNumber": "1"}}]},
    ],
)
def test_what_is_no_kinesis_event_raises(event: dict[str, object]) -> None:
    with pytest.raises(EventError, match="not a Kinesis event"):
        decode(event)


def test_repeats_merge_to_the_last_content_and_all_sequence_numbers(kinesis: Kinesis) -> None:
    # Given a result twice, around another
    first, other = kinesis.result("session", "a", event_count=1), kinesis.result("session", "b")
    batch = decode(kinesis.event(first, other, first | {"event_count": 2}))
    # When repeats are merged
    merged = merge_repeats(batch.results)
    # Then the last content stands, and answers for both records
    assert [result.sequences for result in merged] == [("998", "1000"), ("999",)]
    assert merged[0].document["event_count"] == 2


def test_the_answer_names_each_failure_once_lowest_first() -> None:
    assert batch_item_failures(["1000", "999", "1000"]) == {
        "batchItemFailures": [{"itemIdentifier": "999"}, {"itemIdentifier": "1000"}]
    }
    assert batch_item_failures([]) == {"batchItemFailures": []}


class TestColumns:
    """Typed access to a result's columns."""

    @pytest.mark.parametrize(
        ("method", "good", "bad"),
        [
            ("text", ["", "x"], [None, 1, True, []]),
            ("integer", [0, -(2**63), 2**63 - 1], [None, "1", 1.5, True, 2**63]),
            ("number", [0, 1.5, -1e308, 2**1000], [None, "1", True, 10**400]),
            ("flag", [True, False], [None, 0, "true"]),
            (
                "time",
                ["2026-11-23T10:00:00.000Z", "2026-11-23T10:00:00Z", "2026-11-23T10:00:00.123456789Z"],
                [
                    None,
                    5,
                    "",
                    "2026-11-23",
                    "2026-11-23T10:00:00",
                    "2026-13-01T00:00:00Z",
                    "2026-W47-1T10:00:00Z",
                ],
            ),
        ],
    )
    def test_a_value_of_the_type_is_read_and_any_other_refused(
        self, kinesis: Kinesis, method: str, good: list[object], bad: list[object]
    ) -> None:
        for value in good:
            (result,) = decode(kinesis.event(kinesis.result("session", x=value))).results
            read = getattr(result, method)("x")
            if method != "time":
                assert read == value
        for value in bad:
            (result,) = decode(kinesis.event(kinesis.result("session", x=value))).results
            with pytest.raises(RecordError, match="`x`"):
                getattr(result, method)("x")

    def test_a_number_beyond_the_doubles_is_refused(self, kinesis: Kinesis) -> None:
        text = '{"result_type":"fraud","result_id":"fraud-1","x":1e400}'
        (result,) = decode(kinesis.event(text)).results
        with pytest.raises(RecordError, match="`x` is beyond the range of a double"):
            result.number("x")

    def test_a_time_is_in_utc(self, kinesis: Kinesis) -> None:
        (result,) = decode(kinesis.event(kinesis.result("session", x="2026-11-23T10:00:00.250Z"))).results
        assert result.time("x").isoformat() == "2026-11-23T10:00:00.250000+00:00"
