"""A Lambda function that reads a stream through an event source mapping."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs

from config.model import Stream
from contracts.event_sources import EventSource, record_age_hours
from stacks.constructs.base import EnvironmentStack
from stacks.constructs.policies import KEY_READ_WRITE, STREAM_READS, allow


@dataclass(frozen=True)
class Reading:
    """A stream that a function reads, and how: by polling, or as a registered ``consumer`` with its own throughput."""

    stream: kinesis.IStream
    settings: Stream
    how: EventSource
    consumer: kinesis.CfnStreamConsumer | None

    @property
    def source_arn(self) -> str:
        """What the event source mapping names."""
        return self.stream.stream_arn if self.consumer is None else self.consumer.attr_consumer_arn


def reading(scope: EnvironmentStack, name: str, stream: kinesis.IStream, settings: Stream, how: EventSource) -> Reading:
    """Makes the registered consumer where the settings want one."""
    if not settings.enhanced_fan_out:
        return Reading(stream, settings, how, None)
    return Reading(
        stream,
        settings,
        how,
        kinesis.CfnStreamConsumer(
            scope, name, consumer_name=f"{scope.prefix}-{name.lower()}", stream_arn=stream.stream_arn
        ),
    )


def reading_statements(readings: Sequence[Reading], key: kms.IKey, failures: sqs.IQueue) -> list[iam.PolicyStatement]:
    """What Lambda calls with the function's role to poll, and to send what it gives up to ``failures``."""
    statements = [
        allow("ReadTheStreams", STREAM_READS, [reading.stream.stream_arn for reading in readings]),
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
) -> lambda_.EventSourceMapping:
    """The mapping, as :mod:`contracts.event_sources` says; what is given up is sent to ``failures``.

    A batch that the function raised on is halved, so that one record cannot hold up the others of it.
    """
    how = source.how
    return lambda_.EventSourceMapping(
        scope,
        name,
        target=function,
        event_source_arn=source.source_arn,
        starting_position=lambda_.StartingPosition.TRIM_HORIZON,
        batch_size=how.batch_size,
        max_batching_window=cdk.Duration.seconds(how.window_seconds),
        parallelization_factor=how.per_shard,
        filters=[{"pattern": json.dumps(pattern, sort_keys=True)} for pattern in how.filters] or None,
        bisect_batch_on_error=True,
        report_batch_item_failures=True,
        max_record_age=cdk.Duration.hours(record_age_hours(source.settings.retention_hours)),
        on_failure=sources.SqsDlq(failures),
    )


def failures_queue(scope: EnvironmentStack, name: str, key: kms.IKey, queue_name: str | None = None) -> sqs.Queue:
    """Where records go that a function could not process: kept for the longest time that SQS offers."""
    return sqs.Queue(
        scope,
        name,
        queue_name=queue_name or f"{scope.prefix}-{name.lower()}",
        encryption=sqs.QueueEncryption.KMS,
        encryption_master_key=key,
        enforce_ssl=True,
        retention_period=cdk.Duration.days(14),
        removal_policy=scope.removal_policy,
    )
