"""Whatever a record holds, a handler answers: it raises nothing, and handles, buries or asks again for every record."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contracts.rejections import REJECTED
from contracts.results import ResultType
from lambdas.alerts import work
from lambdas.alerts.event_types import EventTypes
from lambdas.alerts.function import AlertsFunction, Rules
from lambdas.alerts.notifier import PublishAnswer
from lambdas.archive_transform.function import OK, transform
from lambdas.common import records as records_module
from lambdas.common.dead_letters import payload_of
from lambdas.common.errors import EventError, RecordError
from lambdas.common.opensearch import Answer, OpenSearchClient
from lambdas.common.person import user_of
from lambdas.common.records import decode
from lambdas.search_indexer import function as indexer_module
from lambdas.search_indexer.function import SearchIndexer
from tests.foreign import VALUES, changed, nearly
from tests.results import sample_result
from tests.unit.lambdas.conftest import PATIENT, DeadLetters, Kinesis, Marks, Types
from tests.unit.lambdas.test_archive_transform import event as firehose_event
from tests.unit.lambdas.test_archive_transform import record as firehose_record

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MOMENT = "2026-11-23T11:00:00.000Z"
TYPES = [*(member.value for member in ResultType), REJECTED]

RESULTS = [
    *(sample_result(kind, "a", MOMENT) for kind in TYPES),
    sample_result(REJECTED, "b", MOMENT, payload='{"user_id":42}', payload_encoding="utf-8"),
]
RECORDS = nearly(RESULTS)


@dataclass
class Services:
    """SNS, CloudWatch and OpenSearch, all well."""

    documents: dict[str, dict[str, Any]] = field(default_factory=dict)

    def publish_batch(self, *, TopicArn: str, PublishBatchRequestEntries: Sequence[dict[str, object]]) -> PublishAnswer:
        for entry in PublishBatchRequestEntries:
            subject, message = str(entry["Subject"]), str(entry["Message"])
            assert 1 <= len(subject) <= 100
            assert subject.isascii()
            assert subject.isprintable()
            assert message.isascii()
            json.loads(json.loads(message)["default"])
        return {"Failed": []}

    def put_metric_data(self, *, Namespace: str, MetricData: Sequence[dict[str, Any]]) -> object:
        assert 1 <= len(MetricData) <= 1000
        for datum in MetricData:
            assert datum["Timestamp"].tzinfo is not None
            assert datum["Value"] == 0 or 2.0**-360 <= abs(datum["Value"]) <= 2.0**360
            assert all(1 <= len(d["Value"]) <= 255 and d["Value"].isascii() for d in datum["Dimensions"])
        return None

    def request(self, method: str, path: str, body: bytes, content_type: str) -> Answer:
        lines = body.split(b"\n")[:-1]
        items = []
        for action, document in zip(lines[::2], lines[1::2], strict=True):
            named = json.loads(action)["index"]
            self.documents[named["_id"]] = json.loads(document)
            items.append({"index": {**named, "status": 201}})
        return Answer(200, json.dumps({"items": items}).encode())


def event_of(payloads: Sequence[bytes]) -> dict[str, object]:
    return Kinesis(NOW).event(*payloads)


def buried(dead: DeadLetters) -> dict[str, bytes | None]:
    """Payloads by sequence; none of them for a mistake of ours."""
    assert not [letter["reason"] for letter in dead.letters if letter["reason"].startswith("unexpected")]
    return {letter["sequence"]: payload_of(letter) for letter in dead.letters}


def alerts(services: Services, dead: DeadLetters) -> AlertsFunction:
    rules = Rules(max_age=timedelta(days=20_000))
    types = EventTypes(Types(), 20)
    return AlertsFunction("topic", services, services, lambda: NOW, Marks(), types, dead.queue, rules=rules)


def indexer(services: Services, dead: DeadLetters) -> SearchIndexer:
    return SearchIndexer(cast(OpenSearchClient, services), "p", dead.queue, lambda: NOW)


@pytest.mark.fuzz
@given(st.lists(RECORDS, max_size=6))
@example([b'{"result_type":"fraud","result_id":"fraud-\xc3\xa4"}'])
@example([b"[" * 100_000])
@example([b'{"result_type":"session","result_id":"session-1","n":1e999999999}'])
@example([json.dumps(sample_result("anomaly", "a", MOMENT, event_type="\ud800" * 500)).encode()])
def test_alerts_answers_and_buries_what_it_cannot_read(payloads: list[bytes]) -> None:
    dead = DeadLetters()
    answer = alerts(Services(), dead).handle(event_of(payloads), PATIENT)
    assert answer == {"batchItemFailures": []}
    by_sequence = {str(998 + number): payload for number, payload in enumerate(payloads)}
    assert buried(dead).items() <= by_sequence.items()


@pytest.mark.fuzz
@given(st.lists(RECORDS, max_size=6))
@example([b"\xff"])
@example([json.dumps(sample_result("session", "a", "9999-12-31T23:59:59.999Z")).encode()])
def test_the_indexer_indexes_or_buries_every_record(payloads: list[bytes]) -> None:
    services, dead = Services(), DeadLetters()
    answer = indexer(services, dead).handle(event_of(payloads), PATIENT)
    assert answer == {"batchItemFailures": []}
    graves = buried(dead)
    for number, payload in enumerate(payloads):
        sequence = str(998 + number)
        if sequence in graves:
            assert graves[sequence] == payload
        else:
            assert json.loads(payload)["result_id"] in services.documents


@given(st.text(st.characters(codec="utf-8")) | st.none() | st.integers())
def test_data_that_is_no_base64_is_buried_as_it_came(data: object) -> None:
    event = event_of([b""])
    event["Records"][0]["kinesis"]["data"] = data  # type: ignore[index]
    for make in (alerts, indexer):
        dead = DeadLetters()
        assert make(Services(), dead).handle(event, PATIENT) == {"batchItemFailures": []}
        (payload,) = buried(dead).values()
        assert payload in (str(data).encode(), _decoded(data))


def _decoded(data: object) -> bytes | None:
    try:
        return base64.b64decode(str(data), validate=True)
    except ValueError:
        return None


@pytest.mark.fuzz
@given(RECORDS)
def test_a_record_is_a_result_or_has_a_reason(payload: bytes) -> None:
    batch = decode(event_of([payload]))
    assert len(batch.results) + len(batch.failures) == 1
    assert not [failure for failure in batch.failures if failure.reason.startswith("unexpected")]
    for result in batch.results:
        assert json.loads(result.json_text)["result_id"] == result.result_id


@pytest.mark.fuzz
@given(nearly([{"user_id": 42, "event_type": "view"}, {"user_id": "42"}, {"user_id": 42.0}, *RESULTS]))
def test_a_records_user_is_a_64_bit_number_or_nobody(payload: bytes) -> None:
    try:
        user = user_of(payload)
    except RecordError:
        return
    assert user is None or -(2**63) <= user < 2**63


#: A buffer of Firehose with one record, from a stream and from a topic.
FIREHOSE: list[dict[str, Any]] = [
    firehose_event(firehose_record(data=b"{}")),
    {
        "sourceMSKArn": "arn:aws:kafka:us-east-1:123456789012:cluster/c/1",
        "records": [
            {
                "recordId": "1",
                "kafkaRecordValue": "e30=",
                "mskRecordMetadata": {"partitionId": "1", "offset": "7", "approximateArrivalTimestamp": 1764000000000},
            }
        ],
    },
]


@st.composite
def firehose_events(draw: st.DrawFn) -> dict[str, Any]:
    event: dict[str, Any] = dict(draw(st.sampled_from(FIREHOSE)))
    event["records"] = draw(st.lists(changed([record for one in FIREHOSE for record in one["records"]]), max_size=3))
    if draw(st.integers(0, 9)) == 0:
        event[draw(st.sampled_from(sorted(event)))] = draw(VALUES)
    return event


@pytest.mark.fuzz
@given(firehose_events())
def test_the_archive_has_a_line_of_each_record_or_it_goes_to_the_error_prefix(event: dict[str, Any]) -> None:
    try:
        answer = transform(event, "events")
    except EventError:
        return
    assert [record["recordId"] for record in answer["records"]] == [record["recordId"] for record in event["records"]]
    for record in answer["records"]:
        if record["result"] == OK:
            line = base64.b64decode(record.get("data") or record["kafkaRecordValue"])
            assert line.endswith(b"\n")
            assert {"partition", "position", "payload"} <= json.loads(line).keys()


def _mistake(*_: object) -> None:
    raise ZeroDivisionError("4711 is in the record")  # the text must not get into a log or a letter


@pytest.mark.parametrize(
    ("make", "module", "name"),
    [
        (alerts, records_module, "_result"),
        (alerts, work, "samples_of"),
        (alerts, work, "alert_of"),
        (indexer, indexer_module, "action_of"),
    ],
)
def test_a_mistake_of_ours_buries_the_record_with_its_place_and_without_its_content(
    make: Callable[[Services, DeadLetters], AlertsFunction | SearchIndexer],
    module: object,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, name, _mistake)
    dead = DeadLetters()
    event = event_of([json.dumps(sample_result("fraud", "a", MOMENT)).encode()])
    assert make(Services(), dead).handle(event, PATIENT) == {"batchItemFailures": []}
    ((sequence, reason),) = dead.by_sequence().items()
    assert sequence == "998"
    assert reason.startswith("unexpected ZeroDivisionError at test_any_bytes.py:")
    assert "4711" not in caplog.text + reason
