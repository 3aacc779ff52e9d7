"""Channels of alerts: a queue that the topic fills, and a function or an event bus that empties it.

A queue stands in between because of the outages of who takes the alerts. SNS calls a function without waiting for what
becomes of the call, and Lambda repeats one that fails twice, within three minutes. A message in a queue comes again
until the alert is too old to be sent (``alerts.max_age_hours``), and SQS itself moves it back from the dead-letter
queue. EventBridge Pipes takes alerts from a queue to a bus, so that channel has no code.
"""

from __future__ import annotations

import math

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_pipes as pipes
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from config.functions import AlertFunction, Right
from config.model import Channel, EventBus
from contracts.names import EVENT_BUS, channel_failures_name, channel_queue_name
from stacks.code import lambda_code
from stacks.constructs.base import EnvironmentStack
from stacks.constructs.function import PythonFunction
from stacks.constructs.policies import KEY_READ, KEY_READ_WRITE, allow, document, service_role
from stacks.constructs.stream_reader import failures_queue

#: Seconds that a function may take for a batch. Its reserve for one more alert is in its handler.
_TIMEOUT = 60
#: Seconds until a message that was not taken comes again: six timeouts, as Lambda's developer guide advises for SQS.
_AGAIN_SECONDS = 6 * _TIMEOUT
#: What SQS takes as maxReceiveCount.
_MOST_RECEIVES = 1000
#: Small, so that a receiver that does not answer holds up few alerts; two calls at once are the least that Lambda takes
#: as a limit, and spare a receiver with a rate limit.
_BATCH, _AT_ONCE = 5, 2
_RECEIVES = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")


class _Queue(Construct):
    """The alerts that wait for ``channel``, subscribed to the topic, and ``failures``: those that it gave up."""

    def __init__(
        self, scope: EnvironmentStack, name: str, package: str, channel: Channel, topic: sns.Topic, key: kms.IKey
    ) -> None:
        super().__init__(scope, name)
        hours = scope.environment_settings.alerts.max_age_hours
        self.failures = failures_queue(
            scope, f"{name}-Failures", key, queue_name=channel_failures_name(scope.prefix, package)
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=channel_queue_name(scope.prefix, package),
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            visibility_timeout=cdk.Duration.seconds(_AGAIN_SECONDS),
            retention_period=cdk.Duration.days(14),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.failures,
                max_receive_count=min(_MOST_RECEIVES, math.ceil(hours * 3600 / _AGAIN_SECONDS)),
            ),
            removal_policy=scope.removal_policy,
        )
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="SnsDelivers",
                principals=[iam.ServicePrincipal("sns.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": topic.topic_arn}},
            )
        )
        # Not CDK's SqsSubscription: it would write this topic into the policy of the data key, whose stack comes first
        # and lets SNS use the key for topics of the account already.
        sns.Subscription(
            self,
            "Subscription",
            topic=topic,
            protocol=sns.SubscriptionProtocol.SQS,
            endpoint=self.queue.queue_arn,
            raw_message_delivery=True,
            # What SNS cannot put into the queue, for a policy or a key that somebody changed
            dead_letter_queue=self.failures,
            filter_policy={
                attribute: sns.SubscriptionFilter.string_filter(allowlist=values)
                for attribute, values in channel.filter_policy.items()
            }
            or None,
        )


class AlertFunctionChannel(Construct):
    """A function of :data:`config.functions.FUNCTIONS` and its queue."""

    def __init__(
        self, scope: EnvironmentStack, declared: AlertFunction, topic: sns.Topic, key: kms.IKey, logs_key: kms.IKey
    ) -> None:
        channel = declared.channel(scope.environment_settings)
        if channel is None:
            raise ValueError(f"{declared.package} is switched off")
        name = declared.construct
        super().__init__(scope, f"{name}Channel")
        waiting = _Queue(scope, f"{name}Queue", declared.package, channel, topic, key)
        made = PythonFunction(
            scope,
            name,
            package=declared.package,
            handler=declared.handler,
            code=lambda_code(declared.package),
            key=logs_key,
            description=declared.description,
            timeout=cdk.Duration.seconds(_TIMEOUT),
            environment={
                **declared.variables(scope.environment_settings),
                "DEAD_LETTER_QUEUE_URL": waiting.failures.queue_url,
                "LOG_LEVEL": "INFO",
            },
            statements=[
                allow("ReadTheQueue", _RECEIVES, [waiting.queue.queue_arn]),
                allow("SendGivenUpAlerts", ["sqs:SendMessage"], [waiting.failures.queue_arn]),
                allow("DecryptAndEncryptMessages", KEY_READ_WRITE, [key.key_arn]),
                *(_statement(scope, right) for right in declared.rights(scope.environment_settings)),
            ],
        )
        lambda_.EventSourceMapping(
            scope,
            f"{name}Reads",
            target=made.function,
            event_source_arn=waiting.queue.queue_arn,
            batch_size=_BATCH,
            max_concurrency=_AT_ONCE,
            report_batch_item_failures=True,
        )


def _statement(scope: EnvironmentStack, right: Right) -> iam.PolicyStatement:
    place = {"region": scope.region, "account": scope.account, "prefix": scope.prefix}
    return allow(
        right.sid,
        right.actions,
        [resource.format_map(place) for resource in right.resources],
        {"StringEquals": dict(right.conditions)} if right.conditions else None,
    )


class EventBusChannel(Construct):
    """A pipe from a queue of its own to an event bus: an event's ``detail`` is the alert's JSON object."""

    def __init__(self, scope: EnvironmentStack, settings: EventBus, topic: sns.Topic, key: kms.IKey) -> None:
        super().__init__(scope, "AlertEventBus")
        waiting = _Queue(scope, "AlertEventBusQueue", EVENT_BUS, settings, topic, key)
        name, bus = channel_queue_name(scope.prefix, EVENT_BUS), scope.arn("events", f"event-bus/{settings.name}")
        role = service_role(
            self,
            "Role",
            "pipes.amazonaws.com",
            [scope.arn("pipes", f"pipe/{name}")],
            {
                "pipe": document(
                    allow("ReadTheQueue", _RECEIVES, [waiting.queue.queue_arn]),
                    allow("DecryptMessages", KEY_READ, [key.key_arn]),
                    allow("PutEvents", ["events:PutEvents"], [bus]),
                )
            },
        )
        pipes.CfnPipe(
            self,
            "Pipe",
            name=name,
            description="Alerts to an event bus",
            role_arn=role.role_arn,
            source=waiting.queue.queue_arn,
            source_parameters=pipes.CfnPipe.PipeSourceParametersProperty(
                # One a call: a call that EventBridge takes in part would repeat what it took.
                sqs_queue_parameters=pipes.CfnPipe.PipeSourceSqsQueueParametersProperty(batch_size=1)
            ),
            target=bus,
            target_parameters=pipes.CfnPipe.PipeTargetParametersProperty(
                input_template="<$.body>",
                event_bridge_event_bus_parameters=pipes.CfnPipe.PipeTargetEventBridgeEventBusParametersProperty(
                    detail_type="Alert", source=scope.prefix
                ),
            ),
        )
