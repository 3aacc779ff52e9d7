"""A Lambda function that reads a stream through an event source mapping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs

from contracts.kinesis import BATCH_SIZE
from stacks.constructs.base import EnvironmentStack
from stacks.constructs.policies import KEY_READ_WRITE, allow

#: With bisecting, a poisonous record is alone after 9 halvings of a batch; the rest of the attempts outlast an outage
#: of some minutes (Lambda backs off between them).
_ATTEMPTS = 20
#: A record that is older is given up: it would come back from the archive, not from a stream that holds up all others.
_RECORD_AGE = cdk.Duration.hours(12)


@dataclass(frozen=True)
class Reading:
    """A stream that a function reads: by polling, or as a registered ``consumer`` with throughput of its own."""

    stream: kinesis.IStream
    consumer: kinesis.CfnStreamConsumer | None

    @property
    def source_arn(self) -> str:
        """What the event source mapping names."""
        return self.stream.stream_arn if self.consumer is None else self.consumer.attr_consumer_arn


def reading(scope: EnvironmentStack, name: str, stream: kinesis.IStream, *, enhanced_fan_out: bool) -> Reading:
    """Makes the registered consumer where the settings want one."""
    if not enhanced_fan_out:
        return Reading(stream, None)
    return Reading(
        stream,
        kinesis.CfnStreamConsumer(
            scope, name, consumer_name=f"{scope.prefix}-{name.lower()}", stream_arn=stream.stream_arn
        ),
    )


def reading_statements(readings: Sequence[Reading], key: kms.IKey, failures: sqs.IQueue) -> list[iam.PolicyStatement]:
    """What Lambda calls with the function's role to poll, and to send what it gives up to ``failures``."""
    polling = [
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
    ]
    statements = [
        allow("ReadTheStreams", polling, [reading.stream.stream_arn for reading in readings]),
        allow("DecryptRecordsAndEncryptMessages", KEY_READ_WRITE, [key.key_arn]),
        allow("SendGivenUpRecords", ["sqs:SendMessage"], [failures.queue_arn]),
    ]
    consumers = [reading.source_arn for reading in readings if reading.consumer is not None]
    if consumers:
        statements.append(allow("ReadAsConsumer", ["kinesis:SubscribeToShard"], consumers))
    return statements


def read(
    scope: EnvironmentStack,
    name: str,
    function: lambda_.Function,
    source: Reading,
    failures: sqs.IQueue,
    gather_seconds: int,
) -> lambda_.EventSourceMapping:
    """The mapping: partial failures retried, poison isolated, and what is given up sent to ``failures``."""
    return lambda_.EventSourceMapping(
        scope,
        name,
        target=function,
        event_source_arn=source.source_arn,
        starting_position=lambda_.StartingPosition.TRIM_HORIZON,
        batch_size=BATCH_SIZE,
        max_batching_window=cdk.Duration.seconds(gather_seconds),
        bisect_batch_on_error=True,
        report_batch_item_failures=True,
        retry_attempts=_ATTEMPTS,
        max_record_age=_RECORD_AGE,
        on_failure=sources.SqsDlq(failures),
    )


def failures_queue(scope: EnvironmentStack, name: str, key: kms.IKey) -> sqs.Queue:
    """Where records go that a function could not process: kept for the longest time that SQS offers."""
    return sqs.Queue(
        scope,
        name,
        queue_name=f"{scope.prefix}-{name.lower()}",
        encryption=sqs.QueueEncryption.KMS,
        encryption_master_key=key,
        enforce_ssl=True,
        retention_period=cdk.Duration.days(14),
        removal_policy=scope.removal_policy,
    )
