"""The archive's lines: what the backfill's reader reads, for any bytes, within what Lambda may answer."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.archive import ACCEPTED, ARCHIVE_COLUMNS, VERDICT_COLUMN
from contracts.columns import ColumnType
from contracts.rejections import REJECTION_COLUMNS, Reason
from lambdas.archive_transform.function import MAX_ANSWER
from lambdas.archive_transform.handler import handler
from lambdas.common.errors import EventError

if TYPE_CHECKING:
    from tests.unit.lambdas.conftest import CapturedLogs

ROOT = Path(__file__).resolve().parents[3]
STREAM = "pipeline-dev-events"
LAMBDA_LIMIT = 6 * 1024 * 1024
#: As long as Kinesis and Firehose make them.
SEQUENCE = "49657338271349017361235876123587612358761235876123587612"
RECORD_ID = SEQUENCE + "000000000000"


def record(data: bytes | str, number: int = 0, **metadata: object) -> dict[str, Any]:
    """A record as Firehose hands it on; a metadata of None is left out."""
    place: dict[str, object] = {
        "shardId": "shardId-000000000003",
        "partitionKey": "4711",
        "approximateArrivalTimestamp": 1_795_514_400_123,
        "sequenceNumber": SEQUENCE,
        "subsequenceNumber": 0,
    }
    place = {name: value for name, value in (place | metadata).items() if value is not None}
    text = data if isinstance(data, str) else base64.b64encode(data).decode()
    return {
        "recordId": f"{RECORD_ID}{number:06}",
        "approximateArrivalTimestamp": 1_795_514_400_123,
        "data": text,
        "kinesisRecordMetadata": place,
    }


def event(*records: object) -> dict[str, object]:
    return {
        "invocationId": "i",
        "deliveryStreamArn": "arn:aws:firehose:us-east-1:111122223333:deliverystream/archive",
        "sourceKinesisStreamArn": f"arn:aws:kinesis:us-east-1:111122223333:stream/{STREAM}",
        "region": "us-east-1",
        "records": list(records),
    }


def line(answer: Any) -> dict[str, Any]:
    """The line of one answered record, parsed; checks that it is one line."""
    assert answer["result"] == "Ok"
    text = base64.b64decode(answer["data"], validate=True)
    assert text.endswith(b"\n")
    assert text.count(b"\n") == 1
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def test_a_record_becomes_a_line_with_its_place() -> None:
    (answer,) = handler(event(record(b'{"a":1}')), None)["records"]
    assert answer["recordId"] == f"{RECORD_ID}000000"
    assert line(answer) == {
        "source": STREAM,
        "partition": "shardId-000000000003",
        "position": SEQUENCE,
        "arrival_time": 1_795_514_400_123,
        "payload": base64.b64encode(b'{"a":1}').decode(),
    }


def test_a_line_has_the_contracts_columns_in_its_order_and_types() -> None:
    written = line(handler(event(record(b"x")), None)["records"][0])
    assert list(written) == [column.name for column in ARCHIVE_COLUMNS]
    types = {ColumnType.STRING: str, ColumnType.LONG: int}
    assert [type(value) for value in written.values()] == [types[column.type] for column in ARCHIVE_COLUMNS]


def test_the_contract_is_what_the_java_reader_reads() -> None:
    sources = ROOT / "flink_jobs/java/src/main/java/realtime/analytics/source"
    archived = (sources / "ArchivedRecord.java").read_text(encoding="utf-8")
    assert re.findall(r'case "(\w+)":', archived) == [column.name for column in ARCHIVE_COLUMNS]
    code = (sources / "ArchiveSource.java").read_text(encoding="utf-8")
    # in the order of the constructor, with the type that it asks for
    asks = re.findall(r'node\.required\("(\w+)"\)\.(\w+)\(\)', code)
    types = {"asText": ColumnType.STRING, "asLong": ColumnType.LONG, "binaryValue": ColumnType.STRING}
    assert [(name, types[method]) for name, method in asks] == [
        (column.name, column.type) for column in ARCHIVE_COLUMNS
    ]
    assert re.findall(r'node\.get\("(\w+)"\)', code) == [VERDICT_COLUMN.name]
    assert re.findall(r'String ACCEPTED = "(\w+)"', code) == [ACCEPTED]
    assert ACCEPTED not in set(Reason)
    assert VERDICT_COLUMN.nullable


@pytest.mark.parametrize(
    ("sub", "wanted"), [(0, SEQUENCE), ("", SEQUENCE), (None, SEQUENCE), (7, f"{SEQUENCE}.7"), ("12", f"{SEQUENCE}.12")]
)
def test_the_place_of_a_packed_record_has_its_number(sub: object, wanted: str) -> None:
    (answer,) = handler(event(record(b"{}", subsequenceNumber=sub)), None)["records"]
    assert line(answer)["position"] == wanted


@pytest.mark.parametrize("sub", [True, -1, 1.5, "x", "1" * 10, [1]])
def test_a_number_of_a_packed_record_that_is_none_goes_to_the_error_prefix(sub: object) -> None:
    (answer,) = handler(event(record(b"{}", subsequenceNumber=sub)), None)["records"]
    assert answer["result"] == "ProcessingFailed"


def test_the_place_is_that_of_a_rejection() -> None:
    names = [column.name for column in REJECTION_COLUMNS]
    assert [column.name for column in ARCHIVE_COLUMNS if column.name in names] == [
        "source",
        "partition",
        "position",
        "arrival_time",
        "payload",
    ]


@given(st.lists(st.binary(max_size=2000), max_size=20))
def test_any_bytes_come_back_as_they_were_in_order(payloads: list[bytes]) -> None:
    answer = handler(event(*(record(payload, number) for number, payload in enumerate(payloads))), None)
    assert [base64.b64decode(line(each)["payload"]) for each in answer["records"]] == payloads
    assert [each["recordId"] for each in answer["records"]] == [
        f"{RECORD_ID}{number:06}" for number in range(len(payloads))
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
METADATA = ("shardId", "sequenceNumber", "approximateArrivalTimestamp")


@given(st.text(), st.dictionaries(st.sampled_from(METADATA), JSON), st.booleans(), JSON)
def test_any_data_and_metadata_are_answered(
    data: str, metadata: dict[str, object], replace: bool, other: object
) -> None:
    # Given data that may be no base64, and metadata of any type
    sent = record(data)
    sent["kinesisRecordMetadata"] = other if replace else sent["kinesisRecordMetadata"] | metadata
    # Then the record is answered under its id: as a line, or unchanged and failed
    (answer,) = handler(event(sent), None)["records"]
    assert answer["recordId"] == sent["recordId"]
    if answer["result"] == "Ok":
        assert list(line(answer)) == [column.name for column in ARCHIVE_COLUMNS]
    else:
        assert answer == {"recordId": sent["recordId"], "result": "ProcessingFailed", "data": data}


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (record(b"x") | {"kinesisRecordMetadata": None}, "`kinesisRecordMetadata` is missing"),
        (record(b"x", shardId=None), "`kinesisRecordMetadata.shardId` is missing or not a string"),
        (record(b"x", sequenceNumber=5), "`kinesisRecordMetadata.sequenceNumber` is missing or not a string"),
        (record(b"x", approximateArrivalTimestamp=True), "Timestamp` is missing or not a number of milliseconds"),
        (record(b"x", approximateArrivalTimestamp=-1), "Timestamp` is missing or not a number of milliseconds"),
        (record("%%%"), "data is not base64"),
        (record("eA=="[:-1]), "data is not base64"),
    ],
)
def test_what_has_no_place_goes_to_the_error_prefix_unchanged_and_alone(
    captured_logs: CapturedLogs, broken: dict[str, Any], reason: str
) -> None:
    answers = handler(event(record(b"a", 1), broken, record(b"b", 2)), None)["records"]
    assert [answer["result"] for answer in answers] == ["Ok", "ProcessingFailed", "Ok"]
    assert answers[1]["data"] == broken["data"]
    (logged,) = captured_logs.lines("records go to the error prefix")
    assert reason in str(logged["reason"])
    assert logged["records"] == 1


def test_data_that_is_no_text_is_answered_too() -> None:
    (answer,) = handler(event(record(b"x") | {"data": 5}), None)["records"]
    assert answer == {"recordId": f"{RECORD_ID}000000", "result": "ProcessingFailed", "data": ""}


def test_records_of_no_stream_go_to_the_error_prefix(captured_logs: CapturedLogs) -> None:
    sent = event(record(b"x", 0), record(b"y", 1))
    del sent["sourceKinesisStreamArn"]
    assert [answer["result"] for answer in handler(sent, None)["records"]] == ["ProcessingFailed"] * 2
    (logged,) = captured_logs.lines("records go to the error prefix")
    assert (logged["records"], "`sourceKinesisStreamArn` is missing" in str(logged["reason"])) == (2, True)


@pytest.mark.parametrize("broken", [{}, {"records": {}}, {"records": [5]}, {"records": [{}]}])
def test_what_is_no_event_of_firehose_raises(broken: dict[str, object]) -> None:
    with pytest.raises(EventError, match="not a Firehose event"):
        handler(broken, None)


def test_no_payload_is_logged(captured_logs: CapturedLogs) -> None:
    secret = base64.b64encode(b"secret").decode()
    handler(event(record(b"secret"), record(secret + "%")), None)
    assert not any("secret" in text or secret in text for text in captured_logs.text)


# --- a topic of MSK ---------------------------------------------------------------------------------------------------


def of_topic(*records: dict[str, Any]) -> dict[str, object]:
    return {
        "invocationId": "i",
        "sourceMSKArn": "arn:aws:kafka:us-east-1:111122223333:cluster/clicks/0a1b2c3d-0000-1111-2222-333344445555-s1",
        "deliveryStreamArn": "arn:aws:firehose:us-east-1:111122223333:deliverystream/archive",
        "region": "us-east-1",
        "records": list(records),
    }


def kafka_record(value: object, **metadata: object) -> dict[str, Any]:
    return {
        "recordId": f"{RECORD_ID}000000",
        "approximateArrivalTimestamp": 1_795_514_400_123,
        "mskRecordMetadata": {"offset": "17", "partitionId": "3", "approximateArrivalTimestamp": 1_795_514_400_123}
        | metadata,
        "kafkaRecordValue": value,
    }


def lines_of_topic(monkeypatch: pytest.MonkeyPatch, *records: dict[str, Any]) -> list[dict[str, Any]]:
    monkeypatch.setenv("TOPIC", "events")
    answers: Any = handler(of_topic(*records), None)["records"]
    return [line(answer | {"data": answer["kafkaRecordValue"]}) for answer in answers]


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"offset": 17, "partitionId": 3},
        {"approximateArrivalTimestamp": "1795514400123"},
    ],
)
def test_a_topics_record_is_archived_under_partition_and_offset(
    monkeypatch: pytest.MonkeyPatch, metadata: dict[str, object]
) -> None:
    payload = base64.b64encode(b'{"a":1}').decode()
    (written,) = lines_of_topic(monkeypatch, kafka_record(payload, **metadata))
    assert written == {
        "source": "events",
        "partition": "3",
        "position": "17",
        "arrival_time": 1_795_514_400_123,
        "payload": payload,
    }


def test_a_tombstone_is_an_empty_record_as_the_live_run_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    (written,) = lines_of_topic(monkeypatch, kafka_record(None))
    assert written["payload"] == ""


def test_a_topics_record_without_its_place_goes_to_the_error_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOPIC", "events")
    (answer,) = handler(of_topic(kafka_record("eA==", offset=None)), None)["records"]
    assert answer == {"recordId": f"{RECORD_ID}000000", "result": "ProcessingFailed", "kafkaRecordValue": "eA=="}


# --- size ---------------------------------------------------------------------------------------------------------


def answered(size: int, buffer: int) -> tuple[list[Any], int]:
    """Answer for a buffer full of payloads of ``size`` bytes, and its bytes as the runtime writes it.

    The stream's name is as long as Kinesis takes one.
    """
    sent = event(*(record(b"x" * size, number) for number in range(buffer // size)))
    sent["sourceKinesisStreamArn"] = "arn:aws:kinesis:us-east-1:111122223333:stream/" + "s" * 128
    answer = handler(sent, None)
    return list(answer["records"]), len(json.dumps(answer))


@pytest.mark.parametrize(
    ("size", "buffer"),
    [(165, 1024 * 1024), (127, 1024 * 1024), (53, 512 * 1024), (1000 * 1024, 1024 * 1024), (1000 * 1024, 3072 * 1024)],
)
def test_what_the_buffer_holds_fits_down_to_the_size_that_the_docstring_says(size: int, buffer: int) -> None:
    records, length = answered(size, buffer)
    assert {each["result"] for each in records} == {"Ok"}
    assert length <= LAMBDA_LIMIT


@pytest.mark.parametrize(("size", "buffer"), [(126, 1024 * 1024), (52, 512 * 1024), (20, 300 * 1024)])
def test_what_does_not_fit_is_reported_and_the_answer_is_within_the_limit(
    captured_logs: CapturedLogs, size: int, buffer: int
) -> None:
    records, length = answered(size, buffer)
    assert MAX_ANSWER * 0.95 < length <= LAMBDA_LIMIT
    assert len(records) == buffer // size
    results = [each["result"] for each in records]
    kept = results.index("ProcessingFailed")
    assert set(results[:kept]) == {"Ok"}
    assert records[kept] == {"recordId": f"{RECORD_ID}{kept:06}", "result": "ProcessingFailed"}
    (logged,) = captured_logs.lines("records go to the error prefix")
    assert (logged["reason"], logged["records"]) == ("it does not fit into the answer", len(results) - kept)


def test_one_record_that_does_not_fit_leaves_room_for_the_others() -> None:
    answers = handler(event(record(b"x" * 4_000_000, 0), record(b"y", 1)), None)["records"]
    assert [answer["result"] for answer in answers] == ["ProcessingFailed", "Ok"]
    assert "data" not in answers[0]


def test_a_failed_answer_is_smaller_than_its_record_was_in_the_request() -> None:
    # which has the same limit: so an answer of nothing but failures fits
    sent = record(b"")
    failed = {"recordId": sent["recordId"], "result": "ProcessingFailed"}
    assert len(json.dumps(failed)) < len(json.dumps(sent, separators=(",", ":")))
