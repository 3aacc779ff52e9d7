"""Dead letters and rejected events, replayed: once each, whatever happens, and never lost."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from contracts.names import StreamRole, processed_table, queue_name, stream_name
from contracts.rejections import Reason
from lambdas.alerts.event_types import EventTypes
from lambdas.alerts.function import AlertsFunction
from lambdas.common.claim import Claim
from lambdas.common.dead_letters import DeadLetter, DeadLetterQueue
from lambdas.common.once import Effect, Once, store
from lambdas.common.patience import Patience
from local.batch_policy import StreamRecord
from local.kinesis_event import ShardName, failure_message
from local.lambda_function import LambdaFunction
from operations import forget, letters, redrive
from operations.environment import OperationError, Target
from tests.results import sample_result
from tests.unit.operations.conftest import ACCOUNT, target

PREFIX = "realtime-analytics-test"
RESULTS = stream_name(PREFIX, StreamRole.RESULTS)
SHARD = "shardId-000000000000"
NOW = "2026-11-23T10:00:00.000Z"
PATIENT = Patience(lambda: 60_000, reserve=0)


@dataclass
class Functions:
    """Lambda: notes the records that it was invoked with, and fails those that ``broken`` says."""

    broken: Callable[[str], bool] = lambda _: False
    raises: bool = False
    run: Callable[[dict[str, Any]], Any] | None = None
    invoked: list[tuple[str, str]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    def invoke(self, *, FunctionName: str, Payload: str) -> dict[str, Any]:
        event = json.loads(Payload)
        self.events.append(event)
        assert len(Payload) < 6 * 1024 * 1024
        if self.raises:
            return _answer({"errorType": "SettingError", "errorMessage": "ALERT_TOPIC_ARN"}, FunctionError="Unhandled")
        if self.run is not None:
            return _answer(self.run(event))
        sequences = [entry["kinesis"]["sequenceNumber"] for entry in event["Records"]]
        failed = [sequence for sequence in sequences if self.broken(sequence)]
        self.invoked += [(FunctionName, sequence) for sequence in sequences if sequence not in failed]
        return _answer({"batchItemFailures": [{"itemIdentifier": sequence} for sequence in failed]})


def _answer(body: object, **more: str) -> dict[str, Any]:
    return {"Payload": io.BytesIO(json.dumps(body).encode()), **more}


@dataclass(frozen=True)
class Deployed:
    """An environment on moto, with its functions doubled."""

    target: Target
    functions: Functions
    sqs: Any
    kinesis: Any
    dynamodb: Any

    def queue(self, function: str) -> str:
        return str(self.sqs.get_queue_url(QueueName=queue_name(PREFIX, function))["QueueUrl"])

    def bury(self, sequence: str, payload: bytes = b"{}", function: str = "alerts") -> None:
        queue = DeadLetterQueue(self.sqs, self.queue(function))
        letter = DeadLetter(function, f"reason of {function}", NOW, RESULTS, SHARD, sequence, payload)
        assert queue.send(letter)

    def give_up(self, records: list[StreamRecord], function: str = "alerts") -> None:
        """What Lambda's on-failure destination sends."""
        message = failure_message(
            records,
            ShardName(f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/{RESULTS}", SHARD),
            LambdaFunction(function, lambda *_: None),
            condition="RetryAttemptsExhausted",
            request_id="r",
            invocations=3,
            function_error=True,
            now=0.0,
        )
        self.sqs.send_message(QueueUrl=self.queue(function), MessageBody=json.dumps(message))

    def put(self, count: int, stream: str = RESULTS) -> list[StreamRecord]:
        records = []
        for number in range(count):
            data = b'{"n": %d}' % number
            answer = self.kinesis.put_record(StreamName=stream, Data=data, PartitionKey="k")
            records.append(StreamRecord(answer["SequenceNumber"], "k", data, 0.0))
        return records

    def left(self, function: str = "alerts") -> int:
        """Letters that anybody can see."""
        return letters.Inbox(function, self.sqs, self.queue(function)).size()

    def run(self, action: str, **arguments: object) -> int:
        given = {"dry_run": False, "function": None, "id": None, "reason": None, "since": None, "until": None}
        return redrive.redrive(self.target, argparse.Namespace(action=action, **given | arguments))

    @property
    def once(self) -> Once:
        return Once(store(processed_table(PREFIX), 3600, self.dynamodb), Effect.REPLAY, PATIENT)


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Deployed:
    monkeypatch.setattr(letters, "_WAIT_SECONDS", 0)  # moto asks all of its one server
    account = target(search={"enabled": True}, network={"zones": ["us-east-1a"]})
    functions = Functions()

    class WithFunctions(Target):
        def client(self, service: str, *arguments: Any) -> Any:
            return functions if service == "lambda" else super().client(service, *arguments)

    here = WithFunctions(account.environment, account.session)
    sqs, kinesis, dynamodb = (here.client(service) for service in ("sqs", "kinesis", "dynamodb"))
    for function in ("alerts", "search_indexer"):
        sqs.create_queue(QueueName=queue_name(PREFIX, function))
    for role in StreamRole:
        kinesis.create_stream(StreamName=stream_name(PREFIX, role), ShardCount=1 if role is not StreamRole.INPUT else 2)
    dynamodb.create_table(
        TableName=processed_table(PREFIX),
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return Deployed(here, functions, sqs, kinesis, dynamodb)


def test_a_letter_goes_to_its_function_with_its_record_and_is_gone(deployed: Deployed) -> None:
    deployed.bury("1", b"\xff of alerts")
    deployed.bury("2", b"of the indexer", "search_indexer")
    assert deployed.run("replay") == 0
    assert deployed.functions.invoked == [(f"{PREFIX}-alerts", "1"), (f"{PREFIX}-search-indexer", "2")]
    (entry,) = deployed.functions.events[0]["Records"]
    assert entry == {
        "eventSource": "aws:kinesis",
        "eventID": f"{SHARD}:1",
        "eventSourceARN": f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/{RESULTS}",
        "kinesis": {
            "sequenceNumber": "1",
            "partitionKey": "replayed",
            "data": "/yBvZiBhbGVydHM=",
            "approximateArrivalTimestamp": datetime(2026, 11, 23, 10, tzinfo=UTC).timestamp(),
        },
    }
    assert deployed.functions.events[0]["replayed"] is True
    assert (deployed.left(), deployed.left("search_indexer")) == (0, 0)


def test_a_record_that_was_buried_twice_is_replayed_once(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    for sequence in ("1", "1", "2"):
        deployed.bury(sequence)
    assert deployed.run("replay", function="alerts") == 0
    deployed.bury("2")
    assert deployed.run("replay", function="alerts") == 0
    assert Counter(sequence for _, sequence in deployed.functions.invoked) == {"1": 1, "2": 1}
    assert "alerts: 0 records replayed, 1 had been before" in capsys.readouterr().out
    assert deployed.left() == 0


def test_the_letters_of_two_functions_for_one_record_are_two_replays(deployed: Deployed) -> None:
    deployed.bury("1")
    deployed.bury("1", function="search_indexer")
    assert deployed.run("replay") == 0
    assert len(deployed.functions.invoked) == 2


def test_what_fails_again_stays_and_is_replayed_after_the_next_fix(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.functions.broken = lambda sequence: sequence == "2"
    for sequence in ("1", "2", "3"):
        deployed.bury(sequence)
    assert deployed.run("replay", function="alerts") == 1
    assert "2 records replayed, 0 had been before, 1 failed again and stay" in capsys.readouterr().out
    assert deployed.left() == 1
    deployed.functions.broken = lambda _: False
    assert deployed.run("replay", function="alerts") == 0
    assert Counter(sequence for _, sequence in deployed.functions.invoked) == {"1": 1, "2": 1, "3": 1}


def test_a_function_that_raises_loses_nothing(deployed: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    deployed.functions.raises = True
    deployed.bury("1")
    assert deployed.run("replay", function="alerts") == 1
    assert "failed: SettingError: ALERT_TOPIC_ARN" in capsys.readouterr().out
    assert deployed.left() == 1
    assert deployed.once.claim(f"{PREFIX}-alerts {RESULTS} {SHARD} 1") is Claim.OURS  # given back


def test_what_lambda_gave_up_is_read_from_the_stream_and_no_more_than_that(deployed: Deployed) -> None:
    records = deployed.put(30)
    deployed.give_up(records[5:17])
    assert deployed.run("replay", function="alerts") == 0
    assert [sequence for _, sequence in deployed.functions.invoked] == [
        record.sequence_number for record in records[5:17]
    ]
    assert deployed.left() == 0


def test_records_of_a_range_that_were_replayed_are_not_again(deployed: Deployed) -> None:
    records = deployed.put(4)
    deployed.functions.broken = lambda sequence: sequence == records[1].sequence_number
    deployed.give_up(records)
    assert deployed.run("replay", function="alerts") == 1
    deployed.functions.broken = lambda _: False
    assert deployed.run("replay", function="alerts") == 0
    assert Counter(sequence for _, sequence in deployed.functions.invoked) == {
        record.sequence_number: 1 for record in records
    }


def test_a_range_with_gaps_is_done_when_all_of_it_is(deployed: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    # Given a batch of every second record of a range: the filter, or another batch of the shard, had the others
    records = deployed.put(10)
    deployed.give_up(records[::2])
    assert deployed.run("replay", function="alerts") == 0
    assert "9 records replayed, 0 had been before, 0 failed again and stay, 0 wait, 0 are in no stream now" in (
        capsys.readouterr().out.replace("\n", " ")
    )
    assert deployed.left() == 0


def test_a_throttled_function_is_asked_again_and_an_outage_gives_all_back(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lambdas.common.patience.time.sleep", lambda _: None)
    monkeypatch.setattr(Patience, "wait", staticmethod(lambda _: None), raising=False)
    deployed.bury("1")
    invoke, errors = deployed.functions.invoke, ["TooManyRequestsException"] * 3

    def throttled(**call: Any) -> dict[str, Any]:
        if errors:
            raise ClientError({"Error": {"Code": errors.pop(0), "Message": "later"}}, "Invoke")
        return invoke(**call)

    monkeypatch.setattr(deployed.functions, "invoke", throttled)
    assert deployed.run("replay", function="alerts") == 0
    assert len(deployed.functions.invoked) == 1
    # And what does not pass leaves the letter and no claim
    deployed.bury("2")
    errors.append("ServiceException")
    assert deployed.run("replay", function="alerts") == 1
    assert "could not be asked, or did not answer" in capsys.readouterr().out
    assert deployed.left() == 1
    assert deployed.run("replay", function="alerts") == 0


def test_a_run_that_is_broken_off_hides_nothing_and_holds_nothing(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.bury("1")

    def broken_off(**_: Any) -> dict[str, Any]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(deployed.functions, "invoke", broken_off)
        with pytest.raises(KeyboardInterrupt):
            deployed.run("replay", function="alerts")
    assert deployed.left() == 1
    assert deployed.run("replay", function="alerts") == 0


def test_a_table_that_cannot_be_written_ends_and_is_told(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Patience, "next", lambda self, tries: tries < self.most and self.most < 100)
    client = Target.client

    class NoWrites:
        def __init__(self, dynamodb: Any) -> None:
            self._dynamodb = dynamodb

        def __getattr__(self, name: str) -> Any:
            if name in ("put_item", "update_item"):
                return self._denied
            return getattr(self._dynamodb, name)

        def _denied(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "PutItem")

    monkeypatch.setattr(
        Target,
        "client",
        lambda self, name, *more: NoWrites(client(self, name)) if name == "dynamodb" else client(self, name),
    )
    deployed.bury("1")
    assert deployed.run("replay", function="alerts") == 1
    assert "the table that remembers replays did not answer" in capsys.readouterr().out.replace("\n", " ")
    assert (deployed.functions.events, deployed.left()) == ([], 1)


def test_a_reason_is_shown_as_it_is(deployed: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    queue = DeadLetterQueue(deployed.sqs, deployed.queue("alerts"))
    reason = "failed to parse field [user_id] of type [long][/red]\x1b"
    assert queue.send(DeadLetter("alerts", reason, NOW, RESULTS, SHARD, "1", b"{}"))
    assert deployed.run("list", function="alerts") == 0
    told = capsys.readouterr().out
    assert "[user_id]" in told
    assert "[/red]\\x1b" in told.replace("\n", "").replace(" ", "") or "[/red]" in told
    assert "\x1b" not in told
    assert deployed.left() == 1


@pytest.mark.parametrize("error", ["ResourceNotFoundException", "InvalidArgumentException"])
def test_a_range_that_the_stream_has_lost_stays_and_says_so(
    deployed: Deployed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    records = deployed.put(2)
    deployed.give_up(records)

    class Lost:
        def get_shard_iterator(self, **_: object) -> None:
            raise ClientError({"Error": {"Code": error, "Message": "gone"}}, "GetShardIterator")

    client = Target.client
    monkeypatch.setattr(Target, "client", lambda self, name, *more: Lost() if name == "kinesis" else client(self, name))
    assert deployed.run("replay", function="alerts") == 1
    assert "2 of 2 records are in the stream no more" in capsys.readouterr().out
    assert deployed.left() == 1


def test_a_dry_run_counts_and_changes_nothing(deployed: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    deployed.bury("1")
    deployed.give_up(deployed.put(3))
    assert deployed.run("replay", dry_run=True, function="alerts") == 0
    assert "alerts: would replay 4 records; 0 are in no stream any more" in capsys.readouterr().out
    assert deployed.functions.events == []
    assert deployed.left() == 2


def test_what_somebody_else_replays_just_now_is_left_to_them(deployed: Deployed) -> None:
    deployed.bury("1")
    assert deployed.once.claim(f"{PREFIX}-alerts {RESULTS} {SHARD} 1") is Claim.OURS
    assert deployed.run("replay", function="alerts") == 1
    assert deployed.functions.events == []
    assert deployed.left() == 1


def test_a_message_of_somebody_else_is_told_and_stays(deployed: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    deployed.sqs.send_message(QueueUrl=deployed.queue("alerts"), MessageBody='{"hello": 1}')
    deployed.bury("1")
    assert deployed.run("replay", function="alerts") == 1
    assert "is not a dead letter: `KinesisBatchInfo` is missing or not an object" in capsys.readouterr().out
    assert (len(deployed.functions.invoked), deployed.left()) == (1, 1)


def test_a_record_that_is_still_poison_is_not_buried_again(deployed: Deployed) -> None:
    # Given the real function, and a letter that no fix has helped
    class Refused:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"nothing of a poisonous record is {name}")

    dead = DeadLetterQueue(deployed.sqs, deployed.queue("alerts"))
    function = AlertsFunction(
        "topic", Refused(), Refused(), lambda: datetime.now(UTC), Refused(), EventTypes(Refused(), 1), dead
    )
    deployed.functions.run = lambda event: function.handle(event, PATIENT)
    deployed.bury("1", json.dumps(sample_result("fraud", "a", NOW, alert_level="?")).encode())
    # When it is replayed, it is there once, as before
    assert deployed.run("replay", function="alerts") == 1
    assert deployed.left() == 1


def test_letters_are_listed_without_their_records_and_shown_with_them(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deployed.run("list") == 0
    assert capsys.readouterr().out == "no dead letters\n"
    deployed.bury("1", b'{"user_id": 4711}\x1b[2J')
    deployed.give_up(deployed.put(2))
    assert deployed.run("list") == 0
    listed = capsys.readouterr().out
    assert "1 alerts: reason of alerts" in listed
    assert "2 alerts: given up by Lambda: RetryAttemptsExhausted" in listed
    assert "4711" not in listed
    inbox = letters.Inbox("alerts", deployed.sqs, deployed.queue("alerts"))
    taken = [letter for letter in inbox.take() if isinstance(letter, letters.Letter)]
    (id_,) = [letter.message_id for letter in taken if letter.payload is not None]
    for letter in taken:
        inbox.give_back(letter.receipt)
    assert deployed.run("show", id=id_[:8]) == 0
    shown = capsys.readouterr().out
    assert '{"user_id": 4711}\\x1b[2J' in shown
    assert "\x1b" not in shown
    assert deployed.left() == 2
    assert deployed.run("remove", id=id_, dry_run=True) == 0
    assert deployed.left() == 2
    assert deployed.run("remove", id=id_) == 0
    assert deployed.left() == 1
    with pytest.raises(OperationError, match=f"no dead letter's id begins with '{id_}'"):
        deployed.run("show", id=id_)


def test_an_environment_without_search_has_no_letters_of_it() -> None:
    assert letters.functions(target().environment) == ["alerts"]


def rejection(payload: str, encoding: str = "utf-8") -> bytes:
    return json.dumps(sample_result("rejected", "a", NOW, payload=payload, payload_encoding=encoding)).encode()


def test_a_person_is_forgotten_in_dead_letters_and_nobody_else_is(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = (
        b'{"user_id": 42}',
        b'{"user_id": "42"}',
        rejection('{"user_id":42,"event_time":"never"}'),
        rejection("eyJ1c2VyX2lkIjo0Mn0=", "base64"),
    )
    others = (b'{"user_id": 43}', b'{"user_id": 4242, "session_id": "42"}', rejection('{"user_id":420}'), b"{}")
    nobodys = (b"\xff", b"[42]", rejection('{"user_id":42,"na'))
    for number, payload in enumerate((*theirs, *others, *nobodys)):
        deployed.bury(str(number), payload)
        deployed.bury(str(number), payload, "search_indexer")
    deployed.give_up(deployed.put(1))
    deployed.functions.run = lambda _: {"deleted": 7, "unnamed": 3}
    assert forget.forget(deployed.target, argparse.Namespace(user=42)) == 0
    out = capsys.readouterr().out
    assert "index: 7 documents of user 42 deleted" in out
    assert "index: KEEPS 3 rejections" in out
    assert "they end within 90 days and a week" in out
    assert "dead letters: 8 records of user 42 removed" in out
    assert "dead letters: KEEPS 7 of which nobody can tell whose they are" in out
    assert (deployed.left(), deployed.left("search_indexer")) == (8, 7)


# Rejected events


def reject(deployed: Deployed, position: str, reason: str = "future", **columns: object) -> None:
    document = sample_result(
        "rejected",
        position,
        NOW,
        reason=reason,
        payload=f'{{"n": {position}}}',
        payload_encoding="utf-8",
        payload_truncated=False,
        source="events",
        partition="shardId-000000000001",
        position=position,
        **columns,
    )
    deployed.kinesis.put_record(
        StreamName=stream_name(PREFIX, StreamRole.REJECTED), Data=json.dumps(document), PartitionKey="k"
    )


def events(deployed: Deployed) -> dict[str, list[bytes]]:
    """Data by shard of the stream of events."""
    stream = stream_name(PREFIX, StreamRole.INPUT)
    found = {}
    for shard in deployed.kinesis.list_shards(StreamName=stream)["Shards"]:
        iterator = deployed.kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        found[shard["ShardId"]] = [
            record["Data"] for record in deployed.kinesis.get_records(ShardIterator=iterator)["Records"]
        ]
    return found


def test_rejected_events_go_back_into_their_shard_once(deployed: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    for position, reason in (("1", "future"), ("2", "malformed"), ("3", "late"), ("1", "future")):
        reject(deployed, position, reason)
    assert deployed.run("events", dry_run=True) == 0
    assert "would replay 3 events" in capsys.readouterr().out
    assert events(deployed) == {SHARD: [], "shardId-000000000001": []}
    assert deployed.run("events") == 0
    assert events(deployed) == {SHARD: [], "shardId-000000000001": [b'{"n": 1}', b'{"n": 2}']}
    assert deployed.run("events") == 0
    assert "0 events replayed, 2 had been before" in capsys.readouterr().out
    assert len(events(deployed)["shardId-000000000001"]) == 2


def test_rejected_events_are_chosen_by_reason_and_time(deployed: Deployed) -> None:
    reject(deployed, "1")
    reject(deployed, "2", "malformed")
    reject(deployed, "3", "malformed", arrival_time="2026-11-23T10:00:01.000Z")
    until = datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert deployed.run("events", reason=[Reason.MALFORMED], until=until) == 0
    assert events(deployed)["shardId-000000000001"] == [b'{"n": 2}']


def test_bytes_come_back_as_bytes_and_what_was_cut_does_not(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    document = sample_result("rejected", "1", NOW, reason="malformed", payload="/w==", payload_encoding="base64")
    for position, cut in (("1", False), ("2", True)):
        whole = document | {"position": position, "payload_truncated": cut}
        deployed.kinesis.put_record(
            StreamName=stream_name(PREFIX, StreamRole.REJECTED), Data=json.dumps(whole), PartitionKey="k"
        )
    assert deployed.run("events") == 0
    assert [*chain.from_iterable(events(deployed).values())] == [b"\xff"]
    assert "1 events were cut when they were rejected" in capsys.readouterr().out


def test_a_record_that_is_no_rejection_is_told_and_passed_over(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.kinesis.put_record(
        StreamName=stream_name(PREFIX, StreamRole.REJECTED), Data=b"what is this", PartitionKey="k"
    )
    reject(deployed, "1")
    assert deployed.run("events") == 0
    assert "is not a rejection: data is not JSON" in capsys.readouterr().out
    assert events(deployed)["shardId-000000000001"] == [b'{"n": 1}']


def test_a_reason_that_a_second_try_cannot_help_is_refused(deployed: Deployed) -> None:
    with pytest.raises(OperationError, match="--reason: duplicate, late is not allowed"):
        deployed.run("events", reason=[Reason.LATE, Reason.DUPLICATE, Reason.FUTURE])


def test_events_that_kinesis_refuses_are_replayed_by_the_next_run(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    for position in "123":
        reject(deployed, position)
    client = Target.client

    class Throttled:
        def __init__(self, kinesis: Any) -> None:
            self._kinesis = kinesis

        def __getattr__(self, name: str) -> Any:
            return getattr(self._kinesis, name)

        def put_records(self, *, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:
            answer = self._kinesis.put_records(StreamName=StreamName, Records=Records[1:])
            refused = {"ErrorCode": "ProvisionedThroughputExceededException"}
            return {"Records": [refused, *answer["Records"]]}

    with monkeypatch.context() as patch:
        patch.setattr(
            Target,
            "client",
            lambda self, name, *more: Throttled(client(self, name)) if name == "kinesis" else client(self, name),
        )
        assert deployed.run("events") == 1
    assert deployed.run("events") == 0
    assert sorted(events(deployed)["shardId-000000000001"]) == [b'{"n": 1}', b'{"n": 2}', b'{"n": 3}']


def test_events_of_another_source_are_not_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    of_files = target(source={"kind": "s3", "s3": {"bucket": "clicks-of-the-shop"}})
    arguments = argparse.Namespace(reason=None, since=None, until=None, dry_run=False)
    with pytest.raises(OperationError, match=r"source.kind is s3: have their producers write them again"):
        redrive._events(of_files, arguments, Console())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["events", "test", "--since", "soon"], "'soon' is not allowed; allowed is a time like 2026-11-23T10:00:00Z"),
        (["events", "test", "--reason", "bad"], "invalid Reason value: 'bad'"),
        (["burn", "test"], "invalid choice: 'burn'"),
    ],
)
def test_a_wrong_argument_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["redrive", *arguments])
    with pytest.raises(SystemExit):
        redrive.main()
    assert told in capsys.readouterr().err
