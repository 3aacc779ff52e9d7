"""What the alerts function answers when a service refuses: doubles of the two clients, and a clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from lambdas.alerts.function import AlertsFunction
from lambdas.alerts.notifier import PublishAnswer

if TYPE_CHECKING:
    from tests.unit.lambdas.conftest import CapturedLogs, Kinesis

THROTTLED = ClientError({"Error": {"Code": "Throttling", "Message": "slow down"}}, "PutMetricData")
UNREACHABLE = ConnectTimeoutError(endpoint_url="http://127.0.0.1:1")


@dataclass
class Sns:
    """Keeps what is published. ``failures`` holds, per call, an error to raise or entries to refuse."""

    failures: list[Exception | list[str]] = field(default_factory=list)
    calls: list[Sequence[dict[str, Any]]] = field(default_factory=list)

    def publish_batch(self, *, TopicArn: str, PublishBatchRequestEntries: Sequence[dict[str, Any]]) -> PublishAnswer:
        self.calls.append(PublishBatchRequestEntries)
        failure = self.failures.pop(0) if self.failures else []
        if isinstance(failure, Exception):
            raise failure
        return {"Failed": [{"Id": entry, "Code": "InternalError"} for entry in failure]}


@dataclass
class CloudWatch:
    """Keeps what is put. ``errors`` holds, per call, an error to raise or None."""

    errors: list[Exception | None] = field(default_factory=list)
    calls: list[Sequence[dict[str, Any]]] = field(default_factory=list)

    def put_metric_data(self, *, Namespace: str, MetricData: Sequence[dict[str, Any]]) -> None:
        assert Namespace == "RealTimeAnalytics"
        self.calls.append(MetricData)
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error


@dataclass
class Services:
    """Both doubles, and the function over them."""

    function: AlertsFunction
    sns: Sns
    cloudwatch: CloudWatch

    def failed(self, event: dict[str, object]) -> list[str]:
        return [failure["itemIdentifier"] for failure in self.function.handle(event)["batchItemFailures"]]


@pytest.fixture
def services(kinesis: Kinesis) -> Services:
    sns, cloudwatch = Sns(), CloudWatch()
    return Services(AlertsFunction("topic", sns, cloudwatch, now=lambda: kinesis.now), sns, cloudwatch)


@pytest.mark.parametrize("error", [THROTTLED, UNREACHABLE])
def test_a_refused_metric_call_fails_its_records_and_pages_nobody_yet(
    kinesis: Kinesis, services: Services, captured_logs: CapturedLogs, error: Exception
) -> None:
    # Given a CloudWatch that refuses, and a batch in which one record counts nowhere
    services.cloudwatch.errors = [error]
    batch = [kinesis.result("anomaly"), kinesis.result("recommendation"), kinesis.result("fraud")]
    # When it is handled
    failed = services.failed(kinesis.event(*batch))
    # Then the records that counted come again, and their pages wait for that
    assert failed == ["998", "1000"]
    assert services.sns.calls == []
    (line,) = captured_logs.lines("CloudWatch took no metric of a call")
    assert line["metrics"] == 2
    assert type(error).__name__ in str(line["exception"])
    # And the next delivery pages
    assert services.failed(kinesis.event(*batch)) == []
    assert [len(call) for call in services.sns.calls] == [2]


def test_a_refused_sns_call_fails_its_records_and_no_others(kinesis: Kinesis, services: Services) -> None:
    # Given twelve alerts, so two calls, of which SNS refuses the first
    services.sns.failures = [UNREACHABLE]
    batch = [kinesis.result("fraud", str(number)) for number in range(12)]
    # Then its ten records come again
    assert services.failed(kinesis.event(*batch)) == [str(sequence) for sequence in range(998, 1008)]
    assert [len(call) for call in services.sns.calls] == [10, 2]


def test_a_refused_entry_fails_every_record_of_its_result(
    kinesis: Kinesis, services: Services, captured_logs: CapturedLogs
) -> None:
    # Given three alerts of which the second came twice, and an SNS that refuses the second
    services.sns.failures = [["1"]]
    batch = [kinesis.result("fraud", key) for key in ("a", "b", "c", "b")]
    # Then both records of it come again
    assert services.failed(kinesis.event(*batch)) == ["999", "1001"]
    reasons = [line["reason"] for line in captured_logs.lines("record failed")]
    assert reasons == ["SNS refused the alert: InternalError"] * 2


def test_a_broken_record_does_not_hold_the_others_back(kinesis: Kinesis, services: Services) -> None:
    assert services.failed(kinesis.event(b"poison", kinesis.result("fraud"))) == ["998"]
    assert [len(call) for call in services.sns.calls] == [1]


@pytest.mark.parametrize(
    ("age", "taken"),
    [
        (timedelta(days=13, hours=23), True),
        (timedelta(days=14), False),
        (timedelta(days=4000), False),
        (-timedelta(minutes=110), True),
        (-timedelta(hours=2), False),
    ],
)
def test_a_time_that_cloudwatch_refuses_is_said_and_not_failed(
    kinesis: Kinesis, services: Services, captured_logs: CapturedLogs, age: timedelta, taken: bool
) -> None:
    # Given a result of that age, whose metric CloudWatch would refuse, and one of now
    old = kinesis.result("fraud", "old", event_time=kinesis.time(seconds=age.total_seconds()))
    # When both are handled
    failed = services.failed(kinesis.event(old, kinesis.result("session")))
    # Then nothing fails, the other is counted, the old one is alerted, and the log says what was left out
    assert failed == []
    assert len(services.cloudwatch.calls[0]) == (2 if taken else 1)
    assert len(services.sns.calls[0]) == 1
    lines = captured_logs.lines("CloudWatch would refuse the time of samples")
    assert [(line["metric"], line["samples"]) for line in lines] == ([] if taken else [("FraudAlerts", 1)])
    (summary,) = captured_logs.lines("batch processed")
    assert summary["samples_outside"] == (0 if taken else 1)


def test_equal_series_and_minutes_are_one_metric(kinesis: Kinesis, services: Services) -> None:
    minute = kinesis.now.replace(second=0, microsecond=0) - timedelta(hours=1)
    times = [
        (minute + timedelta(seconds=second)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for second in (0, 20, 59, 60)
    ]
    batch = [kinesis.result("session", time, event_time=time) for time in times]
    assert services.failed(kinesis.event(*batch)) == []
    (data,) = services.cloudwatch.calls
    assert [(datum["Timestamp"], datum["Value"]) for datum in data] == [
        (minute, 3),
        (minute + timedelta(minutes=1), 1),
    ]
    assert data[0] == {
        "MetricName": "Sessions",
        "Dimensions": [],
        "Timestamp": minute,
        "Value": 3,
        "Unit": "Count",
    }


def test_many_metrics_are_split_by_count_and_a_refused_call_fails_only_its_own(
    kinesis: Kinesis, services: Services
) -> None:
    services.cloudwatch.errors = [None, THROTTLED]
    batch = [kinesis.result("aggregation", str(n), event_type=f"type {n}") for n in range(1500)]
    failed = services.failed(kinesis.event(*batch))
    assert [len(call) for call in services.cloudwatch.calls] == [1000, 500]
    assert failed == [str(sequence) for sequence in range(1998, 2498)]


def test_metrics_with_long_names_are_split_by_bytes(kinesis: Kinesis, services: Services) -> None:
    batch = [kinesis.result("aggregation", str(n), event_type=f"{n:0>255}") for n in range(1000)]
    assert services.failed(kinesis.event(*batch)) == []
    assert [len(call) for call in services.cloudwatch.calls] == [743, 257]


def test_a_batch_without_samples_calls_nobody(kinesis: Kinesis, services: Services) -> None:
    assert services.failed(kinesis.event(kinesis.result("recommendation"))) == []
    assert services.cloudwatch.calls == []
    assert services.sns.calls == []


def test_no_users_data_is_logged(kinesis: Kinesis, services: Services, captured_logs: CapturedLogs) -> None:
    services.cloudwatch.errors = [None, THROTTLED]
    services.sns.failures = [["0"]]
    batch = kinesis.event(kinesis.result("fraud", user_id=47114711), kinesis.result("anomaly", user_id=47114711))
    services.failed(batch)
    services.failed(batch)
    assert captured_logs.text
    assert not any("47114711" in line for line in captured_logs.text)
