"""Channels of alerts in the templates: off by default, else with a queue that tries again and dead letters."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from config.functions import FUNCTIONS
from config.model import Environment
from lambdas.alert_webhook.settings import Settings
from tests.iam.resolver import Resolver
from tests.synth.templates import Assembly, Found

Assemblies = Callable[[str], Assembly]
_CHANNELS = ("alert-webhook", "alert-event-bus")


@pytest.fixture
def full(assemblies: Assemblies) -> Resolver:
    return Resolver(assemblies("full"))


def _named(resolver: Resolver, resource_type: str, key: str, name: str) -> Found:
    return next(
        one
        for one in resolver.assembly.resources(resource_type)
        if resolver.value(one.part, one.properties.get(key)) == f"{resolver.assembly.environment.prefix}-{name}"
    )


def _queue(resolver: Resolver, name: str) -> Found:
    return _named(resolver, "AWS::SQS::Queue", "QueueName", name)


def _subscription(resolver: Resolver, queue: Found) -> dict[str, Any]:
    (found,) = (
        values
        for one in resolver.assembly.resources("AWS::SNS::Subscription")
        if (values := resolver.value(one.part, one.properties))["Endpoint"] == resolver.arn(queue)
    )
    return dict(found)


@pytest.mark.parametrize("name", ["dev", "prod", "least"])
def test_there_is_no_channel_that_nobody_has_switched_on(assemblies: Assemblies, name: str) -> None:
    assembly = assemblies(name)
    assert not list(assembly.resources("AWS::Pipes::Pipe"))
    assert not any(channel in json.dumps(assembly.templates["sinks"]) for channel in _CHANNELS)


@pytest.mark.parametrize("channel", _CHANNELS)
def test_what_a_channel_does_not_take_comes_again_until_it_is_too_old_and_is_kept_then(
    full: Resolver, channel: str
) -> None:
    queue, failures = _queue(full, channel), _queue(full, f"{channel}-failures")
    properties = full.value(queue.part, queue.properties)
    redrive = properties["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == full.arn(failures)
    seconds = full.assembly.environment.alerts.max_age_hours * 3600
    again = properties["VisibilityTimeout"]
    assert seconds <= redrive["maxReceiveCount"] * again < seconds + again
    assert failures.properties["MessageRetentionPeriod"] == 14 * 86_400
    assert all("KmsMasterKeyId" in one.properties for one in (queue, failures))
    subscription = _subscription(full, queue)
    assert subscription["RawMessageDelivery"] is True
    assert subscription["RedrivePolicy"] == {"deadLetterTargetArn": full.arn(failures)}


def test_a_channel_gets_the_alerts_of_its_settings(full: Resolver) -> None:
    policies = [_subscription(full, _queue(full, channel))["FilterPolicy"] for channel in _CHANNELS]
    assert policies == [{"severity": ["HIGH"]}, {"alert_type": ["FRAUD_DETECTED"]}]


def test_a_function_answers_for_each_alert_within_the_time_that_the_queue_hides_it(full: Resolver) -> None:
    for declared in FUNCTIONS:
        name = declared.package.replace("_", "-")
        function, queue = _named(full, "AWS::Lambda::Function", "FunctionName", name), _queue(full, name)
        (mapping,) = (
            values
            for one in full.assembly.resources("AWS::Lambda::EventSourceMapping")
            if (values := full.value(one.part, one.properties))["EventSourceArn"] == full.arn(queue)
        )
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert queue.properties["VisibilityTimeout"] >= 6 * function.properties["Timeout"]


def test_the_webhook_takes_its_environment_and_no_template_holds_an_address(full: Resolver) -> None:
    function = _named(full, "AWS::Lambda::Function", "FunctionName", "alert-webhook")
    variables = full.value(function.part, function.properties["Environment"]["Variables"])
    settings = Settings.from_env(variables)
    webhook = full.assembly.environment.alerts.webhook
    assert webhook is not None
    assert (settings.secret_arn, settings.form) == (webhook.secret_arn, "slack")
    assert settings.queue_url.endswith("-alert-webhook-failures")


def test_the_pipe_puts_an_alerts_object_on_the_bus_as_the_events_detail(full: Resolver) -> None:
    (pipe,) = full.assembly.resources("AWS::Pipes::Pipe")
    properties = full.value(pipe.part, pipe.properties)
    environment: Environment = full.assembly.environment
    assert properties["Source"] == full.arn(_queue(full, "alert-event-bus"))
    assert properties["SourceParameters"] == {"SqsQueueParameters": {"BatchSize": 1}}
    assert properties["Target"] == f"arn:aws:events:{environment.region}:{full.account}:event-bus/analytics"
    assert properties["TargetParameters"] == {
        "EventBridgeEventBusParameters": {"DetailType": "Alert", "Source": environment.prefix},
        "InputTemplate": "<$.body>",
    }
