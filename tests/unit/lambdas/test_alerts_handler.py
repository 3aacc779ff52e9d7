"""The alerts handler against SNS (read through an SQS subscription) and CloudWatch, both by moto."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from lambdas.alerts.alert import alert_of
from lambdas.alerts.handler import function, handler
from lambdas.common.dead_letters import payload_of
from lambdas.common.errors import EventError, SettingError
from lambdas.common.records import decode

if TYPE_CHECKING:
    from tests.unit.lambdas.conftest import CapturedLogs, Kinesis

DONE: dict[str, object] = {"batchItemFailures": []}


@dataclass(frozen=True)
class Aws:
    """The topic's subscribed queue, and CloudWatch."""

    sns: Any
    sqs: Any
    cloudwatch: Any
    topic_arn: str
    dead: str

    def subscribe(self, name: str, policy: dict[str, object]) -> str:
        url = str(self.sqs.create_queue(QueueName=name)["QueueUrl"])
        arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        attributes = {"FilterPolicy": json.dumps(policy)} if policy else {}
        self.sns.subscribe(TopicArn=self.topic_arn, Protocol="sqs", Endpoint=arn, Attributes=attributes)
        return url

    def received(self, url: str) -> list[dict[str, Any]]:
        """Envelopes that SNS delivered to the queue, oldest first."""
        envelopes: list[dict[str, Any]] = []
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            envelopes.extend(json.loads(message["Body"]) for message in messages)
        return envelopes

    def sums(self, kinesis: Kinesis, name: str, dimension: tuple[str, str] | None = None) -> dict[datetime, float]:
        """Sum by minute of a metric of the last three hours."""
        dimensions = [] if dimension is None else [{"Name": dimension[0], "Value": dimension[1]}]
        points = self.cloudwatch.get_metric_statistics(
            Namespace="RealTimeAnalytics",
            MetricName=name,
            Dimensions=dimensions,
            StartTime=kinesis.now - timedelta(hours=3),
            EndTime=kinesis.now + timedelta(hours=3),
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return {point["Timestamp"]: point["Sum"] for point in points}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    with mock_aws():
        sns = boto3.client("sns")
        arn = sns.create_topic(Name="alerts")["TopicArn"]
        monkeypatch.setenv("ALERT_TOPIC_ARN", arn)
        monkeypatch.setenv("PROCESSED_TABLE", "processed")
        boto3.client("dynamodb").create_table(
            TableName="processed",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        sqs = boto3.client("sqs")
        dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
        monkeypatch.setenv("DEAD_LETTER_QUEUE_URL", dead)
        monkeypatch.setenv("ALERT_DIGEST_ABOVE", "100")
        yield Aws(sns, sqs, boto3.client("cloudwatch"), arn, dead)


def test_an_anomaly_is_one_message_with_the_results_own_time(kinesis: Kinesis, aws: Aws) -> None:
    # Given a subscribed queue and an anomaly of an hour ago
    queue = aws.subscribe("all", {})
    anomaly = kinesis.result(
        "anomaly",
        event_type="click",
        current_value=1234.5,
        anomaly_score=12.25,
        expected_low=-3.0,
        expected_high=20.125,
    )
    # When its batch is handled
    answer = handler(kinesis.event(anomaly), None)
    # Then the queue has one message that says what the result says
    assert answer == DONE
    (envelope,) = aws.received(queue)
    at = kinesis.time(hours=1)
    assert json.loads(envelope["Message"]) == {
        "timestamp": at,
        "alert_type": "ANOMALY_DETECTED",
        "event_type": "click",
        "anomaly_score": 12.25,
        "current_value": 1234.5,
        "expected_low": -3.0,
        "expected_high": 20.125,
        "result_id": anomaly["result_id"],
        "severity": "HIGH",
        "message": (
            f"HIGH anomaly: a click event at {at} has the value 1,234.50, expected was -3 to 20.12 (score 12.25)."
        ),
    }
    assert envelope["Subject"] == "HIGH anomaly: click"
    assert {name: value["Value"] for name, value in envelope["MessageAttributes"].items()} == {
        "alert_type": "ANOMALY_DETECTED",
        "severity": "HIGH",
        "job": "anomaly",
        "event_type": "click",
    }


def test_a_fraud_escalation_is_one_message(kinesis: Kinesis, aws: Aws) -> None:
    queue = aws.subscribe("all", {})
    fraud = kinesis.result(
        "fraud",
        user_id=2**62 + 1,
        risk_score=21.0,
        alert_level="MEDIUM",
        suspicious_activity="High frequency transactions",
        window_start=kinesis.time(minutes=65),
    )
    assert handler(kinesis.event(fraud), None) == DONE
    (envelope,) = aws.received(queue)
    assert json.loads(envelope["Message"]) == {
        "timestamp": kinesis.time(hours=1),
        "alert_type": "FRAUD_DETECTED",
        "event_type": "purchase",
        "user_id": 2**62 + 1,
        "risk_score": 21.0,
        "alert_level": "MEDIUM",
        "suspicious_activity": "High frequency transactions",
        "result_id": fraud["result_id"],
        "severity": "MEDIUM",
        "message": (
            f"MEDIUM fraud alert: user {2**62 + 1} made 21 purchase events after {kinesis.time(minutes=65)} "
            f"and up to {kinesis.time(hours=1)} (High frequency transactions)."
        ),
    }
    assert envelope["Subject"] == "MEDIUM fraud alert: High frequency transactions"


@pytest.mark.parametrize(
    ("score", "severity"), [(3.1, "LOW"), (5.0, "LOW"), (5.1, "MEDIUM"), (10.0, "MEDIUM"), (10.1, "HIGH")]
)
def test_the_score_decides_the_severity(kinesis: Kinesis, score: float, severity: str) -> None:
    (result,) = decode(kinesis.event(kinesis.result("anomaly", anomaly_score=score))).results
    alert = alert_of(result)
    assert alert is not None
    assert json.loads(alert.body)["severity"] == alert.attributes["severity"] == severity


def test_the_scores_of_the_severities_are_settings(kinesis: Kinesis) -> None:
    (result,) = decode(kinesis.event(kinesis.result("anomaly", anomaly_score=7.0))).results
    for medium, high, severity in ((7.0, 10.0, "LOW"), (5.0, 6.9, "HIGH")):
        alert = alert_of(result, {"anomaly": {"medium_score": medium, "high_score": high}})
        assert alert is not None
        assert alert.attributes["severity"] == severity


def test_a_fraud_alert_names_the_event_types_that_are_counted(kinesis: Kinesis) -> None:
    (result,) = decode(kinesis.event(kinesis.result("fraud"))).results
    alert = alert_of(result, {"fraud": {"event_types": ("refund", "gift card")}})
    assert alert is not None
    body = json.loads(alert.body)
    assert body["event_type"] == alert.attributes["event_type"] == "refund, gift card"
    assert " refund, gift card events after " in body["message"]


def test_subscribers_can_filter(kinesis: Kinesis, aws: Aws) -> None:
    # Given one queue for high severities and one for an event type that is no ASCII
    high = aws.subscribe("high", {"severity": ["HIGH"]})
    clicks = aws.subscribe("clicks", {"event_type": ["click"], "alert_type": ["ANOMALY_DETECTED"]})
    # When alerts of several kinds come
    handler(
        kinesis.event(
            kinesis.result("anomaly", "1", event_type="click", anomaly_score=4.0),
            kinesis.result("anomaly", "2", event_type="구매\n", anomaly_score=11.0),
            kinesis.result("fraud", "3", alert_level="HIGH"),
        ),
        None,
    )
    # Then each queue has its own
    assert [json.loads(envelope["Message"])["alert_type"] for envelope in aws.received(high)] == [
        "ANOMALY_DETECTED",
        "FRAUD_DETECTED",
    ]
    assert [json.loads(envelope["Message"])["event_type"] for envelope in aws.received(clicks)] == ["click"]


def test_what_is_no_alert_is_silent(kinesis: Kinesis, aws: Aws) -> None:
    # Given results that do not alert: no anomaly, other types, a backfill's anomaly and fraud
    queue = aws.subscribe("all", {})
    quiet = [
        kinesis.result("anomaly", "1", is_anomaly=False, anomaly_score=None),
        kinesis.result("anomaly", "2", run="backfill"),
        kinesis.result("fraud", "3", run="backfill"),
        kinesis.result("aggregation"),
        kinesis.result("session"),
        kinesis.result("behavior"),
        kinesis.result("recommendation"),
        kinesis.result("rejected"),
    ]
    assert handler(kinesis.event(*quiet), None) == DONE
    assert aws.received(queue) == []
    assert aws.sums(kinesis, "Anomalies", ("EventType", "text")) == {}
    assert aws.sums(kinesis, "FraudAlerts", ("AlertLevel", "LOW")) == {}


def test_a_repeat_in_a_batch_alerts_and_counts_once(kinesis: Kinesis, aws: Aws) -> None:
    queue = aws.subscribe("all", {})
    live = kinesis.result("fraud")
    handler(kinesis.event(live, live, live | {"run": "backfill"}), None)
    assert len(aws.received(queue)) == 1
    assert list(aws.sums(kinesis, "FraudAlerts", ("AlertLevel", "LOW")).values()) == [1]


def test_twenty_five_alerts_need_three_calls(kinesis: Kinesis, aws: Aws) -> None:
    queue = aws.subscribe("all", {})
    anomalies = [kinesis.result("anomaly", str(number)) for number in range(25)]
    assert handler(kinesis.event(*anomalies), None) == DONE
    ids = [json.loads(envelope["Message"])["result_id"] for envelope in aws.received(queue)]
    assert ids == [anomaly["result_id"] for anomaly in anomalies]


def test_no_text_of_a_user_stops_an_alert(kinesis: Kinesis, aws: Aws) -> None:
    queue = aws.subscribe("all", {})
    for place, text in enumerate(("\U0001f600" * 256, "\ud800", "\x00\x0b", "\ufffe" * 300, "", "x" * 300_000)):
        # Given ten alerts, a call's worth, with the worst that a text can be
        batch = [kinesis.result("anomaly", f"{place} {number}", event_type=text) for number in range(10)]
        # When they are handled
        assert handler(kinesis.event(*batch), None) == DONE
        # Then all arrive, in ASCII, and far below what a call may hold together
        envelopes = aws.received(queue)
        assert len(envelopes) == 10
        assert all(envelope["Message"].isascii() for envelope in envelopes)
        assert sum(len(envelope["Message"]) for envelope in envelopes) < 128 * 1024


def test_best_categories_are_counted_by_name_where_they_are_set(
    kinesis: Kinesis, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given two categories of which one is to be counted, and a second choice
    monkeypatch.setenv("METRIC_CATEGORIES", '["books"]')
    time = kinesis.time(minutes=5)
    batch = [
        kinesis.result("recommendation", "1", category="books", rank=1, event_time=time),
        kinesis.result("recommendation", "2", category="books", rank=1, event_time=time),
        kinesis.result("recommendation", "3", category="본", rank=1, event_time=time),
        kinesis.result("recommendation", "4", category="toys", rank=1, event_time=time),
        kinesis.result("recommendation", "5", category="books", rank=2, event_time=time),
    ]
    # When they are handled
    assert handler(kinesis.event(*batch), None) == DONE
    # Then there are two series, however many categories producers make up
    minute = datetime.fromisoformat(time).replace(second=0, microsecond=0)
    assert aws.sums(kinesis, "TopCategory", ("Category", "books")) == {minute: 2}
    assert aws.sums(kinesis, "TopCategory", ("Category", "other")) == {minute: 2}
    assert len(aws.cloudwatch.list_metrics(MetricName="TopCategory")["Metrics"]) == 2


def test_counts_of_every_metric_at_their_own_times(kinesis: Kinesis, aws: Aws) -> None:
    # Given two windows of one event type, one of another, and results that count one each
    first, second = kinesis.time(minutes=70), kinesis.time(minutes=65)
    batch = [
        kinesis.result("aggregation", "1", event_type="view", event_count=40, total_value=10.5, window_start=first),
        kinesis.result("aggregation", "2", event_type="view", event_count=2, total_value=-0.25, window_start=first),
        kinesis.result("aggregation", "3", event_type="view", event_count=3, window_start=second),
        kinesis.result("aggregation", "4", event_type="구매", event_count=5, window_start=second),
        kinesis.result("anomaly", "5", event_type="view", event_time=first),
        kinesis.result("fraud", "6", alert_level="HIGH", event_time=first),
        kinesis.result("session", "7", event_time=first),
        kinesis.result("session", "8", event_time=second),
        kinesis.result("behavior", "9", conversion_flag=True, event_time=first),
        kinesis.result("behavior", "10", conversion_flag=False, event_time=first),
        kinesis.result("rejected", "11", reason="late", arrival_time=second),
        kinesis.result("rejected", "12", reason="malformed", arrival_time=second),
        kinesis.result("rejected", "13", reason="late", arrival_time=second, run="backfill"),
    ]
    # When they are handled
    assert handler(kinesis.event(*batch), None) == DONE
    # Then each metric has its sums at the minutes of its results
    one, two = (datetime.fromisoformat(time).replace(second=0, microsecond=0) for time in (first, second))
    assert aws.sums(kinesis, "EventCount", ("EventType", "view")) == {one: 42, two: 3}
    assert aws.sums(kinesis, "EventCount", ("EventType", "__~33500a78")) == {two: 5}
    assert aws.sums(kinesis, "TotalValue", ("EventType", "view")) == {one: 10.25, two: 12.34}
    assert aws.sums(kinesis, "Anomalies", ("EventType", "view")) == {one: 1}
    assert aws.sums(kinesis, "FraudAlerts", ("AlertLevel", "HIGH")) == {one: 1}
    assert aws.sums(kinesis, "Sessions") == {one: 1, two: 1}
    assert aws.sums(kinesis, "Conversions") == {one: 1}
    assert aws.sums(kinesis, "RejectedEvents", ("Reason", "late")) == {two: 1}
    assert aws.sums(kinesis, "RejectedEvents", ("Reason", "malformed")) == {two: 1}


def test_a_broken_record_is_a_dead_letter_alone_and_counts_nothing(
    kinesis: Kinesis, aws: Aws, captured_logs: CapturedLogs
) -> None:
    # Given records that cannot be alerted or counted, around one that can
    queue = aws.subscribe("all", {})
    batch: list[bytes | dict[str, object]] = [
        b"no result",
        kinesis.result("anomaly", "1", expected_low="low"),
        kinesis.result("fraud", "2", alert_level="EXTREME"),
        kinesis.result("anomaly", "3"),
        kinesis.result("aggregation", "4", window_start="yesterday"),
        kinesis.result("rejected", "5", reason="boredom"),
        kinesis.result("session", "6", run=None),
    ]
    # When they are handled
    answer = handler(kinesis.event(*batch), None)
    # Then none holds up the shard: all but that one are dead letters and logged, each with its reason and its bytes
    assert answer == DONE
    letters = {}
    while messages := aws.sqs.receive_message(QueueUrl=aws.dead, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            letter = json.loads(message["Body"])
            letters[letter["sequence"]] = letter
    assert set(letters) == {"998", "999", "1000", "1002", "1003", "1004"}
    assert {letter["function"] for letter in letters.values()} == {"alerts"}
    assert {letter["stream"] for letter in letters.values()} == {"results"}
    assert letters["998"]["first_seen"] == "1970-01-01T00:00:01.000Z"
    assert payload_of(letters["998"]) == b"no result"
    assert json.loads(payload_of(letters["1000"]) or b"")["alert_level"] == "EXTREME"
    assert {sequence: letter["reason"] for sequence, letter in letters.items()} == _reasons(captured_logs)
    reasons = {line["sequence"]: line["reason"] for line in captured_logs.lines("record failed")}
    assert reasons == {
        "998": "data is not JSON",
        "999": "`expected_low` is missing or not a number",
        "1000": "`alert_level` is none of LOW, MEDIUM, HIGH",
        "1002": "`window_start` is not a time like 2026-11-23T10:00:00.000Z",
        "1003": "`reason` is not one of the contract's closed list",
        "1004": "`run` is missing or not a string",
    }
    # And it is alerted, and counted once
    assert len(aws.received(queue)) == 1
    assert list(aws.sums(kinesis, "Anomalies", ("EventType", "text")).values()) == [1]


def _reasons(captured_logs: CapturedLogs) -> dict[object, object]:
    return {line["sequence"]: line["reason"] for line in captured_logs.lines("record failed")}


def test_a_result_is_alerted_once_however_often_it_comes(kinesis: Kinesis, aws: Aws) -> None:
    queue = aws.subscribe("all", {})
    fraud, window = kinesis.result("fraud"), kinesis.result("aggregation", event_count=5)
    for batch in ((fraud,), (window, fraud), (fraud, window), (window,)):
        assert handler(kinesis.event(*batch), None) == DONE
    assert len(aws.received(queue)) == 1
    assert list(aws.sums(kinesis, "EventCount", ("EventType", "text")).values()) == [5]


def test_a_bad_environment_or_event_raises(kinesis: Kinesis, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EventError):
        handler({"version": "0"}, None)
    monkeypatch.setenv("ALERT_TOPIC_ARN", "alerts")
    function.cache_clear()
    with pytest.raises(SettingError, match="ALERT_TOPIC_ARN is 'alerts'"):
        handler(kinesis.event(), None)
