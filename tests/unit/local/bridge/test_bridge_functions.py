"""What functions, streams and queues tell, as samples under AWS's names."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from lambdas.common.logs import fields
from lambdas.common.telemetry import Counts
from local.batch_policy import StreamRecord
from local.bridge.function_metrics import EmbeddedMetrics, FunctionMetrics
from local.bridge.samples import Sample, put
from local.bridge.stream_metrics import QueueMetrics, StreamMetrics
from local.kinesis_event import ShardName, kinesis_event
from local.lambda_function import LambdaFunction


def told(samples: Any) -> dict[tuple[str, str], float]:
    """By metric and the values of its dimensions."""
    return {(each.series.name, " ".join(each.series.dimensions.values())): each.value for each in samples}


def test_given_a_call_then_lambdas_own_metrics_of_it() -> None:
    metrics = FunctionMetrics()
    function = LambdaFunction("alerts", lambda event, context: None, observer=metrics.take)
    arrived = 1_000.0  # long ago
    event = kinesis_event(
        [StreamRecord("1", "key", b"{}", arrived)],
        ShardName("arn:aws:kinesis:us-east-1:1:stream/results", "s"),
        function,
    )
    function.invoke(event, "request")
    found = told(metrics.samples())
    assert found["Invocations", "alerts"] == 1
    assert found["Errors", "alerts"] == 0
    assert 0 <= found["Duration", "alerts"] < 10_000
    assert found["IteratorAge", "alerts"] > 1e9
    assert told(metrics.samples()) == {}  # each is told once


def test_given_a_call_that_raises_then_it_is_an_error_and_the_error_goes_on() -> None:
    def handler(event: dict[str, Any], context: object) -> None:
        raise ValueError("broken")

    metrics = FunctionMetrics()
    function = LambdaFunction("alerts", handler, observer=metrics.take)
    with pytest.raises(ValueError, match="broken"):
        function.invoke({}, "request")
    found = told(metrics.samples())
    assert (found["Invocations", "alerts"], found["Errors", "alerts"]) == (1, 1)
    assert ("IteratorAge", "alerts") not in found


def test_given_a_log_line_in_embedded_format_then_its_metrics_and_of_other_lines_none() -> None:
    handler = EmbeddedMetrics()
    logger = logging.Logger("lambdas.test")
    logger.addHandler(handler)
    counts = Counts(processed=7, duplicate=1, retried=0, dead_lettered=2, oldest_age=1234)
    logger.info("batch processed", extra=fields(**counts.members("RealTimeAnalytics", "alerts")))
    logger.warning("nothing of that kind")
    assert told(handler.samples()) == {
        ("RecordsProcessed", "alerts"): 7,
        ("RecordsDuplicate", "alerts"): 1,
        ("RecordsRetried", "alerts"): 0,
        ("RecordsDeadLettered", "alerts"): 2,
        ("OldestResultAge", "alerts"): 1234,
    }


def test_given_a_stream_then_what_came_since_and_nothing_when_nothing_came() -> None:
    taken = [(0, 0)]
    metrics = StreamMetrics({"events": lambda: taken[-1]})
    assert told(metrics.samples(())) == {}
    taken.append((10, 1_000))
    assert told(metrics.samples(())) == {("IncomingRecords", "events"): 10, ("IncomingBytes", "events"): 1_000}
    assert told(metrics.samples(())) == {}
    taken.append((11, 1_050))
    assert told(metrics.samples(())) == {("IncomingRecords", "events"): 1, ("IncomingBytes", "events"): 50}


class Queues:
    def __init__(self) -> None:
        self.waiting = 0

    def get_queue_url(self, *, QueueName: str) -> dict[str, str]:
        return {"QueueUrl": f"http://127.0.0.1/{QueueName}"}

    def get_queue_attributes(self, **_: Any) -> dict[str, dict[str, str]]:
        return {"Attributes": {"ApproximateNumberOfMessages": str(self.waiting)}}


def test_given_a_queue_then_its_messages_and_how_long_the_first_has_waited() -> None:
    queues = Queues()
    metrics = QueueMetrics(queues, {"alerts-failures": "failures"})
    assert told(metrics.samples())["ApproximateNumberOfMessagesVisible", "failures"] == 0
    queues.waiting = 2
    first = told(metrics.samples())
    assert first["ApproximateNumberOfMessagesVisible", "failures"] == 2
    later = told(metrics.samples())
    assert later["ApproximateAgeOfOldestMessage", "failures"] >= first["ApproximateAgeOfOldestMessage", "failures"] >= 0


class CloudWatch:
    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def put_metric_data(self, **call: Any) -> None:
        self.calls.append(call)


def test_given_samples_then_they_go_by_namespace_with_unit_dimensions_and_their_own_time() -> None:
    metrics = FunctionMetrics()
    LambdaFunction("alerts", lambda event, context: None, observer=metrics.take).invoke({}, "request")
    samples: list[Sample] = list(metrics.samples())
    cloudwatch = CloudWatch()
    assert put(cloudwatch, samples) == len(samples) == 3
    (call,) = cloudwatch.calls
    assert call["Namespace"] == "AWS/Lambda"
    duration = next(each for each in call["MetricData"] if each["MetricName"] == "Duration")
    assert duration["Unit"] == "Milliseconds"
    assert duration["Dimensions"] == [{"Name": "FunctionName", "Value": "alerts"}]
    assert duration["Timestamp"].timestamp() == pytest.approx(samples[0].time)
