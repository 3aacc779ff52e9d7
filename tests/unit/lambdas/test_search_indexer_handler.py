"""The search indexer against a stub of OpenSearch on the loopback device."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from contracts.rejections import REJECTED
from contracts.results import ResultType
from lambdas.common.dead_letters import payload_of
from lambdas.common.errors import EventError, SettingError
from lambdas.common.opensearch import OpenSearchClient, error_text
from lambdas.common.patience import Patience
from lambdas.search_indexer import bulk
from lambdas.search_indexer.function import SearchIndexer
from lambdas.search_indexer.handler import handler
from tests.unit.lambdas.conftest import DeadLetters

if TYPE_CHECKING:
    from tests.unit.lambdas.conftest import CapturedLogs, Kinesis, OpenSearchStub

DONE: dict[str, object] = {"batchItemFailures": []}
ENDPOINT_ERROR = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


class NoTimeLeft:
    """Lambda's context towards the end of an invocation: time for dead letters, none to ask OpenSearch again."""

    def get_remaining_time_in_millis(self) -> int:
        return 15_000


@pytest.fixture(autouse=True)
def dead() -> Iterator[Dead]:
    with mock_aws(config={"core": {"mock_credentials": False}}):  # the fake ones of conftest are those that sign
        sqs = boto3.client("sqs")
        yield Dead(sqs, sqs.create_queue(QueueName="dead")["QueueUrl"])


@pytest.fixture(autouse=True)
def _settings(opensearch: OpenSearchStub, dead: Dead, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSEARCH_ENDPOINT", opensearch.endpoint)
    monkeypatch.setenv("DEAD_LETTER_QUEUE_URL", dead.url)


@dataclass(frozen=True)
class Dead:
    """The dead letters' queue, by moto."""

    sqs: Any
    url: str

    def letters(self) -> dict[str, dict[str, str]]:
        """By sequence number; taken out."""
        found: dict[str, dict[str, str]] = {}
        while messages := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                letter = json.loads(message["Body"])
                found[letter["sequence"]] = letter
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return found


def failed(event: dict[str, object]) -> list[str]:
    return [failure["itemIdentifier"] for failure in handler(event, NoTimeLeft())["batchItemFailures"]]


def test_each_result_is_a_document_under_its_id_at_its_own_time(kinesis: Kinesis, opensearch: OpenSearchStub) -> None:
    # Given a result of every type and a rejection, live and backfill
    types = [*(member.value for member in ResultType), REJECTED]
    results = [kinesis.result(result_type) for result_type in types]
    results[0]["run"] = "backfill"
    results[-1]["arrival_time"] = kinesis.time(minutes=5)
    # When they are handled
    assert handler(kinesis.event(*results), None) == DONE
    times = [kinesis.time(hours=1)] * len(ResultType) + [kinesis.time(minutes=5)]
    # Then one request indexes each in the index of its week: the result, its own time, and who processed it
    (request,) = opensearch.requests
    assert (request.method, request.path) == ("POST", "/_bulk")
    assert request.headers["Content-Type"] == "application/x-ndjson"
    lines = request.bulk_lines()
    assert lines[::2] == [
        {"index": {"_index": f"realtime-analytics-{result_type}-{_week(time)}", "_id": result["result_id"]}}
        for result_type, result, time in zip(types, results, times, strict=True)
    ]
    assert lines[1::2] == [
        result | {"@timestamp": time, "processed_by": "kinesis_analytics"}
        for result, time in zip(results, times, strict=True)
    ]


def _week(time: str) -> str:
    return datetime.fromisoformat(time).strftime("%G.w%V")


@pytest.mark.parametrize(
    ("time", "index"),
    [
        ("2026-11-23T00:00:00.000Z", "realtime-analytics-session-2026.w48"),
        ("2026-11-29T23:59:59.999Z", "realtime-analytics-session-2026.w48"),
        ("2026-11-30T00:00:00.000Z", "realtime-analytics-session-2026.w49"),
        ("2027-01-01T00:00:00.000Z", "realtime-analytics-session-2026.w53"),
        ("2029-12-31T12:00:00.000Z", "realtime-analytics-session-2030.w01"),
    ],
)
def test_a_results_index_is_that_of_its_iso_week(
    kinesis: Kinesis, opensearch: OpenSearchStub, time: str, index: str
) -> None:
    handler(kinesis.event(kinesis.result("session", event_time=time)), None)
    action: Any = opensearch.requests[0].bulk_lines()[0]
    assert action["index"]["_index"] == index


def test_requests_are_signed_for_the_service_and_region(
    kinesis: Kinesis, opensearch: OpenSearchStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    handler(kinesis.event(kinesis.result("session")), None)
    headers = opensearch.requests[0].headers
    assert re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=testing/\d{8}/eu-central-1/es/aws4_request, "
        r"SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=[0-9a-f]{64}",
        headers["Authorization"],
    )
    assert headers["X-Amz-Security-Token"] == "testing"


def test_the_index_prefix_is_a_setting(
    kinesis: Kinesis, opensearch: OpenSearchStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INDEX_PREFIX", "other")
    handler(kinesis.event(kinesis.result("session")), None)
    action: Any = opensearch.requests[0].bulk_lines()[0]
    assert action["index"]["_index"] == f"other-session-{_week(kinesis.time(hours=1))}"


def test_no_number_and_no_text_changes_on_the_way(kinesis: Kinesis, opensearch: OpenSearchStub) -> None:
    # Given a document over several lines, with numbers and texts that a reader could change
    text = (
        ' {"result_type":"session","result_id":"session-1",\r\n"event_time":"2026-11-23T10:00:00.000Z",\n'
        '"total_value":12.340000,"big":123456789012345678.123456,"e":1E-7,"s":"구\\u0041\\n\\ud800\u2028}"}\n'
    )
    # When it is handled
    assert handler(kinesis.event(text), None) == DONE
    # Then it is sent to the letter, on one line
    document = opensearch.requests[0].body.decode().split("\n")[1]
    assert document == (
        '{"result_type":"session","result_id":"session-1",  "event_time":"2026-11-23T10:00:00.000Z", '
        '"total_value":12.340000,"big":123456789012345678.123456,"e":1E-7,"s":"구\\u0041\\n\\ud800\u2028}",'
        '"@timestamp": "2026-11-23T10:00:00.000Z", "processed_by": "kinesis_analytics"}'
    )


@pytest.mark.parametrize(
    ("payload", "encoding", "user"),
    [
        ('{"user_id":42,"event_time":"never"}', "utf-8", 42),
        ("eyJ1c2VyX2lkIjo0Mn0=", "base64", 42),
        ('{"user_id":"42"}', "utf-8", 42),
        ('{"user_id":4242,"session_id":"42"}', "utf-8", 4242),
        ('{"user_id":42,"na', "utf-8", None),
        ("[42]", "utf-8", None),
        ("/w==", "base64", None),
        ("{}", "utf-8", None),
    ],
)
def test_a_rejected_event_is_found_by_the_user_in_its_payload(
    kinesis: Kinesis, opensearch: OpenSearchStub, payload: str, encoding: str, user: int | None
) -> None:
    assert handler(kinesis.event(kinesis.result(REJECTED, payload=payload, payload_encoding=encoding)), None) == DONE
    _, document = opensearch.requests[0].bulk_lines()
    assert document["payload"] == payload
    assert document.get("user_id") == user


def test_each_items_fate_is_its_own(
    kinesis: Kinesis, opensearch: OpenSearchStub, captured_logs: CapturedLogs, dead: Dead
) -> None:
    # Given items that OpenSearch creates, replaces, knows already, cannot map, or has no room for
    results = [kinesis.result("session", key) for key in "abcdef"]
    ids = [str(result["result_id"]) for result in results]
    opensearch.statuses = dict(zip(ids, (201, 200, 409, 400, 429, 503), strict=True))
    opensearch.errors = {
        ids[2]: {"type": "version_conflict_engine_exception", "reason": "there already"},
        ids[3]: {
            "type": "mapper_parsing_exception",
            "reason": "failed to parse field [user_id] of type [long]. Preview of field's value: '4711'",
            "caused_by": {"type": "illegal_argument_exception", "reason": 'For input string: "4711"'},
        },
        ids[4]: {"type": "rejected_execution_exception", "reason": "queue is full"},
    }
    # When the batch is handled (the stub answers in another order)
    # Then those it had no room for come again, with OpenSearch's reason in the log but not the document's value
    assert failed(kinesis.event(*results)) == ["1002", "1003"]
    lines = captured_logs.lines("record failed")
    reason = "OpenSearch answered 400: mapper_parsing_exception: failed to parse field [user_id] of type [long]."
    assert {(line["sequence"], line["reason"]) for line in lines} == {
        ("1001", reason),
        ("1002", "OpenSearch answered 429: rejected_execution_exception: queue is full"),
        ("1003", "OpenSearch answered 503: no reason given"),
    }
    # And the one it will never take is a dead letter, with the reason and the document
    (letter,) = dead.letters().values()
    assert (letter["function"], letter["sequence"], letter["reason"]) == ("search_indexer", "1001", reason)
    assert json.loads(payload_of(letter) or b"") == results[3]
    assert not any("4711" in line for line in captured_logs.text)


def test_a_repeat_is_sent_once_and_its_fate_is_of_all_its_records(kinesis: Kinesis, opensearch: OpenSearchStub) -> None:
    first, other = kinesis.result("session", "a", event_count=1), kinesis.result("session", "b")
    opensearch.statuses = {str(first["result_id"]): 429}
    assert failed(kinesis.event(first, other, first | {"event_count": 2})) == ["998", "1000"]
    documents = opensearch.requests[0].bulk_lines()[1::2]
    assert [document["event_count"] for document in documents] == [2, 7]


def test_an_item_that_the_answer_leaves_out_is_not_taken_for_indexed(
    kinesis: Kinesis, opensearch: OpenSearchStub
) -> None:
    results = [kinesis.result("session", key) for key in "ab"]
    opensearch.drop = [str(results[1]["result_id"])]
    assert failed(kinesis.event(*results)) == ["999"]


@pytest.mark.parametrize("status", [302, 401, 403, 413, 429, 500, 503])
def test_a_refused_request_fails_all_its_records(
    kinesis: Kinesis, opensearch: OpenSearchStub, captured_logs: CapturedLogs, status: int
) -> None:
    opensearch.request_statuses = [status]
    assert failed(kinesis.event(*(kinesis.result("session", key) for key in "ab"))) == ["998", "999"]
    assert len(opensearch.requests) == 1
    (line,) = captured_logs.lines("OpenSearch took no document of a request")
    assert f"with status {status}" in str(line["exception"])


def test_a_request_that_there_was_no_room_for_is_tried_again_while_there_is_time(
    kinesis: Kinesis, opensearch: OpenSearchStub, dead: Dead
) -> None:
    opensearch.request_statuses = [429, 503]
    waits: list[float] = []
    patience = Patience(lambda: 60_000, reserve=20, wait=waits.append, share=lambda: 0.5)
    client = OpenSearchClient(opensearch.endpoint, "us-east-1", timeout=5)
    indexer = SearchIndexer(client, "p", DeadLetters().queue, lambda: kinesis.now)
    assert indexer.handle(kinesis.event(kinesis.result("session")), patience) == DONE
    assert (len(opensearch.requests), waits) == (3, [0.1, 0.2])


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"items":[5]}',
        b'{"items":[{"create":{}}]}',
        b'{"items":[{"index":{"_id":"x"}}]}',
        b'{"items":[{"index":{"status":200}}]}',
    ],
)
def test_an_answer_that_says_nothing_fails_all_records(
    kinesis: Kinesis, opensearch: OpenSearchStub, answer: bytes
) -> None:
    opensearch.raw_answer = answer
    assert failed(kinesis.event(kinesis.result("session"))) == ["998"]


def test_an_unreachable_opensearch_fails_all_records(
    kinesis: Kinesis, monkeypatch: pytest.MonkeyPatch, captured_logs: CapturedLogs
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("OPENSEARCH_ENDPOINT", f"http://127.0.0.1:{port}")
    assert failed(kinesis.event(kinesis.result("session"))) == ["998"]
    (line,) = captured_logs.lines("record failed")
    assert line["reason"] == "no answer from OpenSearch: NewConnectionError"


def test_a_silent_opensearch_fails_all_records_after_the_timeout(kinesis: Kinesis) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = OpenSearchClient(f"http://127.0.0.1:{silent.getsockname()[1]}", "us-east-1", timeout=0.2)
        indexer = SearchIndexer(client, "p", DeadLetters().queue, lambda: kinesis.now)
        answer = indexer.handle(kinesis.event(kinesis.result("session")), Patience(lambda: 0, reserve=1))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "998"}]}


def test_a_function_without_credentials_fails_all_records(
    kinesis: Kinesis, opensearch: OpenSearchStub, monkeypatch: pytest.MonkeyPatch, captured_logs: CapturedLogs
) -> None:
    monkeypatch.setattr("botocore.session.Session.get_credentials", lambda _: None)
    assert failed(kinesis.event(kinesis.result("session"))) == ["998"]
    assert opensearch.requests == []
    (line,) = captured_logs.lines("record failed")
    assert line["reason"] == "no AWS credentials to sign with: give the function a role"


def test_requests_are_split_by_count_and_one_that_fails_does_not_stop_the_next(
    kinesis: Kinesis, opensearch: OpenSearchStub
) -> None:
    opensearch.request_statuses = [503]
    event = kinesis.event(*(kinesis.result("session", str(number)) for number in range(1001)))
    client = OpenSearchClient(opensearch.endpoint, "us-east-1", timeout=5)
    indexer = SearchIndexer(client, "p", DeadLetters().queue, lambda: kinesis.now)
    answer = indexer.handle(event, Patience(lambda: 60_000, reserve=20, most=0))
    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == [str(n) for n in range(998, 1998)]
    assert [len(request.bulk_lines()) // 2 for request in opensearch.requests] == [1000, 1]


def test_a_second_request_is_not_begun_without_time(kinesis: Kinesis, opensearch: OpenSearchStub) -> None:
    event = kinesis.event(*(kinesis.result("session", str(number)) for number in range(1001)))
    assert failed(event) == ["1998"]
    assert len(opensearch.requests) == 1


def test_requests_are_split_by_bytes(kinesis: Kinesis, opensearch: OpenSearchStub) -> None:
    results = [kinesis.result("rejected", str(number), payload="x" * 900_000) for number in range(8)]
    assert handler(kinesis.event(*results), None) == DONE
    assert [len(request.bulk_lines()) // 2 for request in opensearch.requests] == [5, 3]
    assert all(len(request.body) <= bulk.MAX_BYTES for request in opensearch.requests)


#: Errors of items as OpenSearch 2.19 answered them: status, type, what its reason begins with.
OF_THE_DOCUMENT = [
    (400, "mapper_parsing_exception", "failed to parse field [user_id] of type [long] in document with id"),
    (400, "mapper_parsing_exception", "failed to parse"),
    (400, "strict_dynamic_mapping_exception", "mapping set to strict, dynamic introduction of [z] within [_doc]"),
    (400, "illegal_argument_exception", 'Document contains at least one immense term in field="k"'),
]
OF_THE_STORE = [
    (400, "index_closed_exception", "closed"),
    (403, "cluster_block_exception", "index [blocked] blocked by: [FORBIDDEN/8/index write (api)];"),
    (429, "cluster_block_exception", "index [ro] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage"),
    (400, "validation_exception", "this action would add [2] total shards, but this cluster currently has [12]/[1]"),
    (404, "index_not_found_exception", "no such index [none]"),
    (400, "invalid_index_name_exception", "Invalid index name [UPPER], must be lowercase"),
    (400, "illegal_argument_exception", "Limit of total fields [1000] has been exceeded"),
    (400, "illegal_argument_exception", "no write index is defined for alias [al]."),
    (503, "unavailable_shards_exception", "primary shard is not active"),
    (400, "some_later_exception", "a text that nobody has seen"),
]


@pytest.mark.parametrize(("status", "kind", "reason"), OF_THE_DOCUMENT)
def test_an_error_that_names_the_document_is_final(
    kinesis: Kinesis, opensearch: OpenSearchStub, dead: Dead, status: int, kind: str, reason: str
) -> None:
    result = kinesis.result("session")
    opensearch.statuses = {str(result["result_id"]): status}
    opensearch.errors = {str(result["result_id"]): {"type": kind, "reason": reason}}
    assert failed(kinesis.event(result)) == []
    assert set(dead.letters()) == {"998"}


@pytest.mark.parametrize(("status", "kind", "reason"), OF_THE_STORE)
def test_an_error_of_the_stores_state_comes_again(
    kinesis: Kinesis, opensearch: OpenSearchStub, dead: Dead, status: int, kind: str, reason: str
) -> None:
    result = kinesis.result("session")
    opensearch.statuses = {str(result["result_id"]): status}
    opensearch.errors = {str(result["result_id"]): {"type": kind, "reason": reason}}
    assert failed(kinesis.event(result)) == ["998"]
    assert dead.letters() == {}


def test_a_broken_record_is_a_dead_letter_alone(
    kinesis: Kinesis, opensearch: OpenSearchStub, captured_logs: CapturedLogs, dead: Dead
) -> None:
    # Given records that are no result, have no time, or bring a name that is ours, around one that is good
    batch: list[bytes | dict[str, object]] = [
        b"\xff",
        kinesis.result("session", "1", event_time="soon"),
        kinesis.result("session", "2"),
        kinesis.result("rejected", "3", arrival_time=None),
        kinesis.result("session", "4", processed_by="me"),
    ]
    # When they are handled, only the good one is sent, and the others hold up nothing
    assert failed(kinesis.event(*batch)) == []
    letters = dead.letters()
    assert set(letters) == {"998", "999", "1001", "1002"}
    assert payload_of(letters["998"]) == b"\xff"
    assert len(opensearch.requests[0].bulk_lines()) == 2
    assert [line["reason"] for line in captured_logs.lines("record failed")] == [
        "data is not UTF-8",
        "`event_time` is not a time like 2026-11-23T10:00:00.000Z",
        "`arrival_time` is missing or not a string",
        "`processed_by` is already there: OpenSearch refuses a repeated key",
    ]


@dataclass
class Clock:
    """A clock that moves when somebody waits."""

    left: float = 50.0
    waits: list[float] = field(default_factory=list)

    def patience(self, share: float = 1.0) -> Patience:
        return Patience(lambda: int(self.left * 1000), reserve=20.0, wait=self._wait, share=lambda: share)

    def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.left -= seconds


def _indexer(kinesis: Kinesis, opensearch: OpenSearchStub, letters: DeadLetters) -> SearchIndexer:
    client = OpenSearchClient(opensearch.endpoint, "us-east-1", 5.0)
    return SearchIndexer(client, "kit", letters.queue, lambda: kinesis.now)


def test_what_opensearch_has_no_room_for_is_tried_again_alone_and_indexed(
    kinesis: Kinesis, opensearch: OpenSearchStub
) -> None:
    # Given a document that is refused twice, beside one that is taken
    clock, results = Clock(), [kinesis.result("session", key) for key in "ab"]
    busy = str(results[0]["result_id"])
    opensearch.statuses = {busy: 429}
    patience = clock.patience()

    def wait(seconds: float) -> None:
        clock.waits.append(seconds)
        if len(clock.waits) == 2:
            opensearch.statuses = {}

    # When the batch is handled
    answer = _indexer(kinesis, opensearch, DeadLetters()).handle(kinesis.event(*results), replace(patience, wait=wait))
    # Then it is sent again alone, after waits that double, and nothing comes again
    assert answer == DONE
    ids = [[action["index"]["_id"] for action in request.bulk_lines()[::2]] for request in opensearch.requests]  # type: ignore[index]
    assert ids == [[str(result["result_id"]) for result in results], [busy], [busy]]
    assert clock.waits == [0.2, 0.4]


def test_tries_end_before_the_invocation_does_and_the_record_comes_again(
    kinesis: Kinesis, opensearch: OpenSearchStub
) -> None:
    clock, result = Clock(), kinesis.result("session")
    opensearch.statuses = {str(result["result_id"]): 503}
    answer = _indexer(kinesis, opensearch, DeadLetters()).handle(kinesis.event(result), clock.patience())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "998"}]}
    assert max(clock.waits) == 5.0
    assert 20.0 <= clock.left < 25.0


def test_waits_are_random_so_that_functions_do_not_come_back_together(
    kinesis: Kinesis, opensearch: OpenSearchStub
) -> None:
    clock, result = Clock(left=21.0), kinesis.result("session")
    opensearch.statuses = {str(result["result_id"]): 429}
    _indexer(kinesis, opensearch, DeadLetters()).handle(kinesis.event(result), clock.patience(share=0.25))
    assert clock.waits[:3] == [0.05, 0.1, 0.2]


def test_a_document_that_is_refused_for_ever_after_a_try_is_a_dead_letter(
    kinesis: Kinesis, opensearch: OpenSearchStub
) -> None:
    clock, letters, result = Clock(), DeadLetters(), kinesis.result("session")
    id_ = str(result["result_id"])
    opensearch.statuses = {id_: 429}

    def refuse(_: float) -> None:
        opensearch.statuses[id_] = 400
        opensearch.errors[id_] = {"type": "mapper_parsing_exception", "reason": "failed to parse"}

    patience = replace(clock.patience(), wait=refuse)
    assert _indexer(kinesis, opensearch, letters).handle(kinesis.event(result), patience) == DONE
    assert letters.by_sequence() == {"998": "OpenSearch answered 400: mapper_parsing_exception: failed to parse"}


def test_a_dead_letter_that_sqs_does_not_take_comes_again_with_all_behind_it(
    kinesis: Kinesis, opensearch: OpenSearchStub
) -> None:
    letters = DeadLetters(failures=[None, ENDPOINT_ERROR])
    indexer = _indexer(kinesis, opensearch, letters)
    event = kinesis.event(b"1", b"poison", kinesis.result("session"), b"last")
    answer = indexer.handle(event, Clock().patience())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "999"}, {"itemIdentifier": "1001"}]}
    rest = {"Records": event["Records"][1:]}  # type: ignore[index]
    assert indexer.handle(rest, Clock().patience()) == DONE
    assert [letter["sequence"] for letter in letters.letters] == ["998", "999", "1001"]


def test_an_outage_buries_once_what_lies_behind_it(kinesis: Kinesis, opensearch: OpenSearchStub) -> None:
    # Given a document that comes again twenty times, with poison before and behind it
    letters = DeadLetters()
    indexer = _indexer(kinesis, opensearch, letters)
    event, result = kinesis.event(b"first", kinesis.result("session"), b"last"), kinesis.result("session")
    opensearch.statuses = {str(result["result_id"]): 503}
    assert [one["itemIdentifier"] for one in indexer.handle(event, Clock().patience())["batchItemFailures"]] == [
        "999",
        "1000",
    ]
    rest = {"Records": event["Records"][1:]}  # type: ignore[index]
    for _ in range(19):
        assert indexer.handle(rest, Clock(left=20).patience()) != DONE
    # When OpenSearch takes it
    opensearch.statuses = {}
    assert indexer.handle(rest, Clock().patience()) == DONE
    # Then each letter is there once
    assert [letter["sequence"] for letter in letters.letters] == ["998", "1000"]


def test_a_hanging_queue_is_answered_in_time(kinesis: Kinesis, opensearch: OpenSearchStub) -> None:
    clock, letters = Clock(), DeadLetters(failures=[ENDPOINT_ERROR] * 500)
    letters.call = lambda: setattr(clock, "left", clock.left - 8)
    answer = _indexer(kinesis, opensearch, letters).handle(kinesis.event(*[b"x"] * 500), clock.patience())
    assert len(answer["batchItemFailures"]) == 500
    assert clock.left == 42


def test_the_log_line_is_what_cloudwatch_makes_metrics_of(
    kinesis: Kinesis, opensearch: OpenSearchStub, captured_logs: CapturedLogs
) -> None:
    result = kinesis.result("session")
    indexer = _indexer(kinesis, opensearch, DeadLetters())
    indexer.handle(kinesis.event(result, result, b"poison"), Clock().patience())
    (line,) = captured_logs.lines("batch processed")
    assert line["Function"] == "search_indexer"
    names = ("RecordsProcessed", "RecordsDuplicate", "RecordsRetried", "RecordsDeadLettered", "OldestResultAge")
    assert [line[name] for name in names] == [[3.0], [1.0], [0.0], [1.0], [3_600_000.0]]


def test_a_batch_without_documents_sends_nothing(kinesis: Kinesis, opensearch: OpenSearchStub) -> None:
    assert handler(kinesis.event(), None) == DONE
    assert opensearch.requests == []


def test_a_bad_environment_or_event_raises(kinesis: Kinesis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSEARCH_ENDPOINT", "http://search.example")
    with pytest.raises(SettingError, match=r"OPENSEARCH_ENDPOINT is 'http://search\.example'"):
        handler(kinesis.event(), None)
    monkeypatch.setenv("OPENSEARCH_ENDPOINT", "https://search.example")
    with pytest.raises(EventError):
        handler({}, None)


def test_a_reason_is_cut() -> None:
    assert error_text({"type": "t", "reason": "r" * 1000}) == "t: " + "r" * 300
    assert json.dumps(error_text(None)) == '"no reason given"'
