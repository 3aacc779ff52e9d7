"""What the alerts function answers when a service refuses: doubles of the two clients, and a clock."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from lambdas.alerts import handler
from lambdas.alerts.event_types import EventTypes
from lambdas.alerts.function import AlertsFunction, Rules
from lambdas.alerts.notifier import PublishAnswer, PublishError
from lambdas.common.patience import Patience
from tests.unit.lambdas.conftest import PATIENT, DeadLetters, Lost, Marks, Types

if TYPE_CHECKING:
    from tests.unit.lambdas.conftest import CapturedLogs, Kinesis

THROTTLED = ClientError({"Error": {"Code": "Throttling", "Message": "slow down"}}, "PutMetricData")
UNREACHABLE = ConnectTimeoutError(endpoint_url="http://127.0.0.1:1")


@dataclass
class Sns:
    """Keeps what is published. ``failures`` holds, per call, an error to raise, or ids or whole entries to refuse."""

    failures: list[Exception | Sequence[str | PublishError]] = field(default_factory=list)
    calls: list[Sequence[dict[str, Any]]] = field(default_factory=list)

    def publish_batch(self, *, TopicArn: str, PublishBatchRequestEntries: Sequence[dict[str, Any]]) -> PublishAnswer:
        self.calls.append(PublishBatchRequestEntries)
        failure = self.failures.pop(0) if self.failures else []
        if isinstance(failure, Exception):
            raise failure
        return {"Failed": [{"Id": one, "Code": "InternalError"} if isinstance(one, str) else one for one in failure]}


@dataclass
class CloudWatch:
    """Keeps what is put. ``errors`` holds, per call, an error to raise or None."""

    errors: list[Exception | None] = field(default_factory=list)
    calls: list[Sequence[dict[str, Any]]] = field(default_factory=list)
    accepted: list[Sequence[dict[str, Any]]] = field(default_factory=list)

    def put_metric_data(self, *, Namespace: str, MetricData: Sequence[dict[str, Any]]) -> None:
        assert Namespace == "RealTimeAnalytics"
        self.calls.append(MetricData)
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        self.accepted.append(MetricData)


@dataclass
class Services:
    """Both doubles, and the function over them."""

    function: AlertsFunction
    sns: Sns
    cloudwatch: CloudWatch
    marks: Marks
    types: Types
    dead_letters: DeadLetters

    def failed(self, event: dict[str, object]) -> list[str]:
        answer = self.function.handle(event, PATIENT)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


@pytest.fixture
def services(kinesis: Kinesis) -> Services:
    sns, cloudwatch, marks, types, dead = Sns(), CloudWatch(), Marks(), Types(), DeadLetters()
    # A storm is for its own test: here every alert is a message.
    rules = Rules(max_age=timedelta(days=20_000), digest_above=10_000)
    function = AlertsFunction(
        "topic",
        sns,
        cloudwatch,
        lambda: kinesis.now,
        store=marks,
        event_types=EventTypes(types, 10_000),
        dead_letters=dead.queue,
        rules=rules,
    )
    return Services(function, sns, cloudwatch, marks, types, dead)


@pytest.mark.parametrize("error", [THROTTLED, UNREACHABLE])
def test_a_refused_metric_call_fails_its_records_and_holds_up_no_alert(
    kinesis: Kinesis, services: Services, captured_logs: CapturedLogs, error: Exception
) -> None:
    # Given a CloudWatch that refuses, and a batch in which one record counts nowhere
    services.cloudwatch.errors = [error]
    batch = [kinesis.result("anomaly"), kinesis.result("recommendation"), kinesis.result("fraud")]
    # When it is handled
    failed = services.failed(kinesis.event(*batch))
    # Then the records that counted come again, and their alerts are sent all the same
    assert failed == ["998", "1000"]
    assert [len(call) for call in services.sns.calls] == [2]
    (line,) = captured_logs.lines("CloudWatch took no metric of a call")
    assert line["metrics"] == 2
    assert type(error).__name__ in str(line["exception"])
    # And the next delivery counts, and alerts nobody twice
    assert services.failed(kinesis.event(*batch)) == []
    assert [len(call) for call in services.cloudwatch.calls] == [2, 2]
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
    assert services.failed(kinesis.event(b"poison", kinesis.result("fraud"))) == []
    assert [len(call) for call in services.sns.calls] == [1]
    assert services.dead_letters.by_sequence() == {"998": "data is not JSON"}


def test_a_dead_letter_that_sqs_does_not_take_comes_again(kinesis: Kinesis, services: Services) -> None:
    services.dead_letters.failures = [None, UNREACHABLE]
    batch = kinesis.event(b"poison 1", b"poison 2", kinesis.result("fraud"))
    assert services.failed(batch) == ["999"]
    assert services.failed(batch) == []
    assert [letter["sequence"] for letter in services.dead_letters.letters] == ["998", "999"]
    assert [len(call) for call in services.sns.calls] == [1]


def test_a_repeat_in_another_batch_pages_and_counts_its_window_once(kinesis: Kinesis, services: Services) -> None:
    # Given a batch with an alert and a window's count
    fraud, window = kinesis.result("fraud"), kinesis.result("aggregation", event_count=7)
    assert services.failed(kinesis.event(fraud, window)) == []
    # When both come again, in batches of other records
    assert services.failed(kinesis.event(kinesis.result("session"), window)) == []
    assert services.failed(kinesis.event(fraud)) == []
    # Then neither is sent or counted again
    assert [len(call) for call in services.sns.calls] == [1]
    values = [
        datum["Value"] for call in services.cloudwatch.calls for datum in call if datum["MetricName"] == "EventCount"
    ]
    assert values == [7]


def test_a_claim_of_an_invocation_that_died_is_waited_for_and_then_made(kinesis: Kinesis, services: Services) -> None:
    # Given a result that an invocation has claimed which then died
    fraud = kinesis.result("fraud")
    services.marks.save_inprogress({"effect": "alert", "id": str(fraud["result_id"])}, 60_000)
    # Then it comes again while that one could still be at it, and is sent when it could not
    assert services.failed(kinesis.event(fraud)) == ["998"]
    assert services.sns.calls == []
    services.marks.time = 60_001
    assert services.failed(kinesis.event(fraud)) == []
    assert [len(call) for call in services.sns.calls] == [1]


def test_a_table_that_does_not_answer_fails_what_must_be_done_once_and_nothing_else(
    kinesis: Kinesis, services: Services
) -> None:
    services.marks.errors = [UNREACHABLE, UNREACHABLE]
    assert services.failed(kinesis.event(kinesis.result("session"), kinesis.result("fraud"))) == ["999"]
    assert [len(call) for call in services.cloudwatch.calls] == [1]
    assert services.sns.calls == []


def test_what_a_service_refused_is_given_back_at_once(kinesis: Kinesis, services: Services) -> None:
    services.sns.failures = [["0"]]
    services.cloudwatch.errors = [THROTTLED, THROTTLED]
    fraud, window = kinesis.result("fraud"), kinesis.result("aggregation")
    assert services.failed(kinesis.event(fraud)) == ["998"]
    assert services.failed(kinesis.event(window)) == ["998"]
    assert services.marks.claimed == {}
    assert services.failed(kinesis.event(fraud, window)) == []
    assert services.marks.marked == {
        f"alert {fraud['result_id']}",
        f"count {fraud['result_id']}",
        f"count {window['result_id']}",
    }


def test_a_refused_alert_comes_again_and_is_counted_once(kinesis: Kinesis, services: Services) -> None:
    services.sns.failures = [["0"]]
    fraud = kinesis.result("fraud")
    assert services.failed(kinesis.event(fraud)) == ["998"]
    assert services.failed(kinesis.event(fraud)) == []
    assert [len(call) for call in services.cloudwatch.calls] == [1]
    assert [len(call) for call in services.sns.calls] == [1, 1]


def test_a_mark_is_tried_again_while_there_is_time(kinesis: Kinesis, services: Services) -> None:
    services.marks.errors = [None, *[UNREACHABLE] * 5]
    fraud = kinesis.result("fraud")
    assert services.failed(kinesis.event(fraud)) == []
    assert f"alert {fraud['result_id']}" in services.marks.marked


def test_without_time_for_a_call_nothing_is_called_and_all_comes_again(kinesis: Kinesis, services: Services) -> None:
    late = Patience(lambda: 24_000, reserve=25)
    batch = kinesis.event(kinesis.result("fraud"), kinesis.result("session"), kinesis.result("recommendation"))
    answer = services.function.handle(batch, late)
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["998", "999"]
    assert (services.sns.calls, services.cloudwatch.calls, services.marks.claimed) == ([], [], {})


def test_a_mark_that_cannot_be_made_is_logged_and_fails_nothing(
    kinesis: Kinesis, services: Services, captured_logs: CapturedLogs
) -> None:
    fraud = kinesis.result("fraud")
    services.marks.errors = [None, UNREACHABLE]
    left = iter((*[60_000] * 3, 25_100, *[60_000] * 10))  # the fourth question is whether to try the mark again
    patience = Patience(lambda: next(left), reserve=25, wait=lambda _: None, share=lambda: 1.0)
    assert services.function.handle(kinesis.event(fraud), patience) == {"batchItemFailures": []}
    (line,) = captured_logs.lines("a processed result could not be marked")
    assert line["result_id"] == fraud["result_id"]


def test_an_old_alert_is_counted_and_not_sent(kinesis: Kinesis, services: Services) -> None:
    function = replace(services.function, rules=Rules(max_age=timedelta(hours=6)))
    old = kinesis.result("fraud", "old", event_time=kinesis.time(hours=6, seconds=1))
    young = kinesis.result("fraud", "young", event_time=kinesis.time(hours=5, minutes=59))
    assert function.handle(kinesis.event(old, young), PATIENT) == {"batchItemFailures": []}
    (call,) = services.sns.calls
    assert [young["result_id"] in entry["Message"] for entry in call] == [True]
    assert [datum["Value"] for datum in services.cloudwatch.calls[0]] == [1, 1]
    assert services.marks.marked == {
        f"{effect} {result['result_id']}" for effect in ("alert", "count") for result in (old, young)
    }


def test_a_storm_is_one_message_a_type_and_every_result_of_it_is_done(kinesis: Kinesis, services: Services) -> None:
    # Given three alerts of one type and two of another, and a limit of two
    function = replace(services.function, rules=Rules(digest_above=2))
    storm = [kinesis.result("fraud", str(n), alert_level=level) for n, level in enumerate(("LOW", "HIGH", "LOW"))]
    others = [kinesis.result("anomaly", str(n)) for n in range(2)]
    assert function.handle(kinesis.event(*storm, *others), PATIENT) == {"batchItemFailures": []}
    # Then the storm is one message that says how many, the others are themselves
    (call,) = services.sns.calls
    digest, *single = [json.loads(entry["Message"]) for entry in call]
    content = json.loads(digest["default"])
    assert content["count"] == 3
    assert content["severities"] == {"LOW": 2, "HIGH": 1}
    assert content["result_ids"] == [result["result_id"] for result in storm]
    assert call[0]["Subject"] == "HIGH: 3 alerts of type FRAUD_DETECTED at once: 1 HIGH, 2 LOW."
    assert "user 7 made" in digest["email"]
    assert len(single) == 2
    # And none of it is sent again
    assert function.handle(kinesis.event(*storm, *others), PATIENT) == {"batchItemFailures": []}
    assert len(services.sns.calls) == 1


def test_a_storm_of_the_longest_texts_fits_into_a_message(kinesis: Kinesis, services: Services) -> None:
    # Given more alerts than a digest's limit, with event types as long and as costly to write as the contract allows
    function = replace(services.function, rules=Rules(max_age=timedelta(days=20_000), digest_above=20))
    storm = [kinesis.result("anomaly", str(n), event_type="\U0001f600" * 256) for n in range(60)]
    assert function.handle(kinesis.event(*storm), PATIENT) == {"batchItemFailures": []}
    (entry,) = services.sns.calls[0]
    size = len(entry["Message"]) + len(entry["Subject"])
    assert size < 200_000
    content = json.loads(entry["Message"])
    assert json.loads(content["default"])["count"] == 60
    assert content["email"].splitlines()[-1].endswith(" more")
    assert content["email"].count("anomaly_score") > 3


def test_an_alert_that_sns_will_never_take_is_buried(kinesis: Kinesis, services: Services) -> None:
    services.sns.failures = [[{"Id": "0", "Code": "InvalidParameterException", "SenderFault": True}]]
    assert services.failed(kinesis.event(kinesis.result("fraud"))) == []
    assert services.dead_letters.by_sequence() == {"998": "SNS refused the alert: InvalidParameterException"}
    assert services.marks.marked == {
        f"count {kinesis.result('fraud')['result_id']}",
        "bury results shardId-000000000003 998",
    }


def test_a_key_that_is_switched_off_is_an_outage_and_no_poison(kinesis: Kinesis, services: Services) -> None:
    services.sns.failures = [[{"Id": "0", "Code": "KMSDisabledException", "SenderFault": True}]]
    assert services.failed(kinesis.event(kinesis.result("fraud"))) == ["998"]
    assert services.dead_letters.letters == []


def test_a_value_that_cloudwatch_refuses_is_buried_and_holds_up_nobody(kinesis: Kinesis, services: Services) -> None:
    windows = [kinesis.result("aggregation", str(n), total_value=value) for n, value in enumerate((1.5, 1e200, 1e-200))]
    assert services.failed(kinesis.event(*windows)) == []
    assert services.dead_letters.by_sequence() == {"999": "`total_value` is beyond what CloudWatch takes"}
    values = [datum["Value"] for datum in services.cloudwatch.calls[0] if datum["MetricName"] == "TotalValue"]
    assert values == [1.5]  # both windows are of one type and minute; the tiny value is none


REFUSED = ClientError({"Error": {"Code": "InternalFailure", "Message": "refused"}}, "SendMessage")


def deliver(services: Services, event: dict[str, Any], patience: Callable[[], Patience] = lambda: PATIENT) -> int:
    """Deliver as Lambda does, from the lowest failed record on, until nothing fails; how many times."""
    records, deliveries = event["Records"], 0
    while records:
        deliveries += 1
        assert deliveries <= 100
        answer = services.function.handle({"Records": records}, patience())
        failed = {int(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]}
        records = [one for one in records if failed and int(one["kinesis"]["sequenceNumber"]) >= min(failed)]
    return deliveries


def sums(services: Services) -> dict[str, float]:
    """Sum by metric of what CloudWatch accepted."""
    found: Counter[str] = Counter()
    for call in services.cloudwatch.accepted:
        for datum in call:
            found[datum["MetricName"]] += datum["Value"]
    return dict(found)


def others(kinesis: Kinesis) -> list[dict[str, object]]:
    """Three sessions, two conversions, two rejections: all that is counted without a claim."""
    return [
        *(kinesis.result("session", key) for key in "abc"),
        *(kinesis.result("behavior", key, conversion_flag=True) for key in "ab"),
        *(kinesis.result("rejected", key) for key in "ab"),
    ]


OTHERS = {"Sessions": 3, "Conversions": 2, "RejectedEvents": 2}


@pytest.mark.parametrize("refused", [["0"], UNREACHABLE], ids=["entry", "call"])
def test_an_outage_of_sns_counts_and_buries_once(
    kinesis: Kinesis, services: Services, refused: Exception | list[str]
) -> None:
    # Given an alert that SNS refuses twenty times, two poison records and other results around it
    services.sns.failures = [refused] * 20
    batch = kinesis.event(kinesis.result("session", "z"), kinesis.result("fraud"), b"x", b"y", *others(kinesis))
    assert deliver(services, batch) == 21
    assert services.dead_letters.by_sequence() == {"1000": "data is not JSON", "1001": "data is not JSON"}
    assert len(services.dead_letters.letters) == 2
    assert sums(services) == OTHERS | {"Sessions": 4, "FraudAlerts": 1}


@pytest.mark.parametrize("failures", [[REFUSED] * 20, [UNREACHABLE] * 20], ids=["refuses", "hangs"])
def test_an_outage_of_sqs_counts_and_buries_once(
    kinesis: Kinesis, services: Services, failures: list[Exception | Lost | None]
) -> None:
    services.dead_letters.failures = failures
    assert deliver(services, kinesis.event(b"poison", *others(kinesis))) == 21
    assert sums(services) == OTHERS
    assert len(services.dead_letters.letters) == 1


def test_a_letter_whose_answer_was_lost_is_there_once_more_and_nothing_else_is(
    kinesis: Kinesis, services: Services
) -> None:
    services.dead_letters.failures = [None, Lost(UNREACHABLE)]
    assert deliver(services, kinesis.event(b"1", b"2", b"3", *others(kinesis))) == 2
    assert [letter["sequence"] for letter in services.dead_letters.letters] == ["998", "999", "999", "1000"]
    assert sums(services) == OTHERS


@pytest.mark.parametrize(
    "errors",
    [[Lost(UNREACHABLE)], [THROTTLED] * 20, [UNREACHABLE] * 20],
    ids=["answer lost", "throttled", "cannot be reached"],
)
def test_a_claim_that_is_not_answered_counts_nothing_twice(
    kinesis: Kinesis, services: Services, errors: list[Exception | Lost | None]
) -> None:
    # Given a window's count whose claim is not answered, or answered too late
    services.marks.errors = errors

    def later() -> Patience:
        services.marks.time += 5_000  # Lambda waits between two deliveries, and a lost claim runs out
        return PATIENT

    deliveries = deliver(services, kinesis.event(kinesis.result("aggregation"), *others(kinesis)), later)
    assert deliveries > 10
    assert sums(services) == OTHERS | {"EventCount": 7, "TotalValue": 12.34}


def test_event_types_beyond_the_places_are_counted_together(kinesis: Kinesis, services: Services) -> None:
    # Given two places, and windows of four types, the last of which brings an anomaly
    function = replace(services.function, event_types=EventTypes(services.types, 2))
    windows = [
        kinesis.result("aggregation", kind, event_type=kind, event_count=count, total_value=1)
        for kind, count in (("small", 1), ("view", 900), ("click", 500), ("other", 3))
    ]
    anomaly = kinesis.result("anomaly", "a", event_type="small")
    assert function.handle(kinesis.event(*windows, anomaly), PATIENT) == {"batchItemFailures": []}
    # Then the largest two have their names, and a type that is called as the others are is one of them
    found = {
        (datum["MetricName"], datum["Dimensions"][0]["Value"]): datum["Value"]
        for call in services.cloudwatch.accepted
        for datum in call
    }
    assert found == {
        ("EventCount", "view"): 900,
        ("EventCount", "click"): 500,
        ("EventCount", "other"): 4,
        ("TotalValue", "view"): 1,
        ("TotalValue", "click"): 1,
        ("TotalValue", "other"): 2,
        ("Anomalies", "other"): 1,
    }


def test_a_registry_that_does_not_answer_counts_once(kinesis: Kinesis, services: Services) -> None:
    services.types.errors = 20
    assert deliver(services, kinesis.event(kinesis.result("aggregation"), *others(kinesis))) == 21
    assert sums(services) == OTHERS | {"EventCount": 7, "TotalValue": 12.34}


def test_a_refused_count_counts_and_buries_once(kinesis: Kinesis, services: Services) -> None:
    services.cloudwatch.errors = [THROTTLED] * 20
    batch = kinesis.event(*others(kinesis), b"1", kinesis.result("aggregation"), b"2")
    assert deliver(services, batch) > 10
    assert sums(services) == OTHERS | {"EventCount": 7, "TotalValue": 12.34}
    assert [letter["sequence"] for letter in services.dead_letters.letters] == ["1005", "1007"]


def test_a_repeat_on_both_sides_of_a_failure_is_counted_once(kinesis: Kinesis, services: Services) -> None:
    services.sns.failures = [["0"]] * 3
    session = kinesis.result("session")
    assert deliver(services, kinesis.event(session, kinesis.result("fraud"), session)) == 4
    assert sums(services)["Sessions"] == 1


def test_more_samples_than_a_call_takes_are_counted_once_in_the_order_of_the_shard(
    kinesis: Kinesis, services: Services
) -> None:
    # Given more than two calls' samples, of which the second call is refused
    services.cloudwatch.errors = [None, THROTTLED]
    batch = kinesis.event(*(kinesis.result("session", str(n)) for n in range(1100)))
    first = services.failed(batch)
    assert first == [str(sequence) for sequence in range(1498, 2098)]
    rest = {"Records": batch["Records"][500:]}  # type: ignore[index]
    assert services.failed(rest) == []
    assert sums(services) == {"Sessions": 1100}


def test_a_hanging_queue_is_answered_in_time_and_the_rest_comes_again(kinesis: Kinesis, services: Services) -> None:
    # Given 500 poison records, and a queue of which each call hangs for as long as the client waits
    left = [60_000]

    def hang() -> None:
        left[0] -= 8_000

    services.dead_letters.call = hang
    services.dead_letters.failures = [UNREACHABLE] * 500
    patience = Patience(lambda: left[0], reserve=25)
    answer = services.function.handle(kinesis.event(*[b"poison"] * 500), patience)
    assert len(answer["batchItemFailures"]) == 500
    assert left[0] == 52_000


def test_a_slow_queue_is_used_for_as_long_as_there_is_time(kinesis: Kinesis, services: Services) -> None:
    left = [60_000]

    def slow() -> None:
        left[0] -= 3_000

    services.dead_letters.call = slow
    patience = Patience(lambda: left[0], reserve=25)
    answer = services.function.handle(kinesis.event(*[b"poison"] * 500), patience)
    buried = len(services.dead_letters.letters)
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == [
        str(sequence) for sequence in range(998 + buried, 1498)
    ]
    assert buried > 5
    assert left[0] >= 10_000


def test_replayed_records_are_counted_each_for_itself(kinesis: Kinesis, services: Services) -> None:
    # Given dead letters sent again, of which the first is poison still
    event = kinesis.event(b"poison", *others(kinesis)) | {"replayed": True}
    # Then the others are done: `make redrive` sends only the first one again
    assert services.failed(event) == ["998"]
    assert sums(services) == OTHERS
    assert services.dead_letters.letters == []


def test_a_window_too_old_for_cloudwatch_is_done_all_the_same(kinesis: Kinesis, services: Services) -> None:
    old = kinesis.result("aggregation", window_start=kinesis.time(days=20))
    assert services.failed(kinesis.event(old)) == []
    assert services.marks.marked == {f"count {old['result_id']}"}


def test_the_age_is_that_of_the_oldest_live_result(
    kinesis: Kinesis, services: Services, captured_logs: CapturedLogs
) -> None:
    services.failed(
        kinesis.event(
            kinesis.result("session", "1", event_time=kinesis.time(minutes=1)),
            kinesis.result("session", "2", event_time=kinesis.time(minutes=9)),
            kinesis.result("session", "3", event_time=kinesis.time(days=9), run="backfill"),
        )
    )
    (line,) = captured_logs.lines("batch processed")
    assert line["OldestResultAge"] == [540_000.0]


def test_what_is_not_idempotent_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERT_TOPIC_ARN", "arn:aws:sns:us-east-1:123456789012:alerts")
    monkeypatch.setenv("PROCESSED_TABLE", "processed")
    monkeypatch.setenv("DEAD_LETTER_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/dead")
    clients: Any = handler.function()
    for client in (clients.sns, clients.cloudwatch, clients.dead_letters.sqs):
        assert client.meta.config.retries["total_max_attempts"] == 1


def test_a_mail_says_in_plain_text_what_the_json_says(kinesis: Kinesis, services: Services) -> None:
    services.failed(kinesis.event(kinesis.result("anomaly", event_type="구매\x00")))
    (entry,) = services.sns.calls[0]
    assert entry["MessageStructure"] == "json"
    mail = json.loads(entry["Message"])["email"]
    assert mail.isascii()
    assert mail.startswith("LOW anomaly: a \\uad6c\\ub9e4")
    assert "\nanomaly_score: 1.5\n" in mail


def test_the_log_line_is_what_cloudwatch_makes_metrics_of(
    kinesis: Kinesis, services: Services, captured_logs: CapturedLogs
) -> None:
    # Given a duplicate, a poisonous record, one that comes again and one that is processed
    known = kinesis.result("fraud", "known")
    services.failed(kinesis.event(known))
    services.sns.failures = [["0"]]
    services.failed(kinesis.event(known, b"poison", kinesis.result("session"), kinesis.result("fraud", "refused")))
    # Then the line counts each
    line = captured_logs.lines("batch processed")[-1]
    (metrics,) = line["_aws"]["CloudWatchMetrics"]  # type: ignore[index]
    assert (metrics["Namespace"], metrics["Dimensions"]) == ("RealTimeAnalytics", [["Function"]])
    names = {metric["Name"]: metric["Unit"] for metric in metrics["Metrics"]}
    assert {name: line[name] for name in names} == {
        "RecordsProcessed": [3.0],
        "RecordsDuplicate": [1.0],
        "RecordsRetried": [1.0],
        "RecordsDeadLettered": [1.0],
        "OldestResultAge": [3_600_000.0],
    }
    assert names["OldestResultAge"] == "Milliseconds"
    assert line["Function"] == "alerts"


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
    assert sum(len(call) for call in services.cloudwatch.calls) == (2 if taken else 1)
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
    assert [len(call) for call in services.cloudwatch.calls] == [1000, 1000, 1000]
    assert failed == [str(sequence) for sequence in range(1498, 1998)]


def test_what_one_result_adds_is_taken_or_refused_together(kinesis: Kinesis, services: Services) -> None:
    batch = [kinesis.result("aggregation", str(n), event_type=f"{n:0>255}") for n in range(1000)]
    batch.insert(0, kinesis.result("session"))
    assert services.failed(kinesis.event(*batch)) == []
    for call in services.cloudwatch.calls:
        names = [datum["MetricName"] for datum in call]
        assert names.count("EventCount") == names.count("TotalValue")


def test_metrics_with_long_names_are_split_by_bytes(kinesis: Kinesis, services: Services) -> None:
    batch = [kinesis.result("aggregation", str(n), event_type=f"{n:0>255}") for n in range(1000)]
    assert services.failed(kinesis.event(*batch)) == []
    assert [len(call) for call in services.cloudwatch.calls] == [742, 742, 516]


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
