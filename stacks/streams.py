"""Streams: events, results and rejections, and the key of the data that flows."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from constructs import Construct

from config.model import Environment, Stream
from config.model import InputStream as Settings
from contracts.names import StreamRole, refresh_failed_rule_name, stream_name
from stacks.constructs.base import EnvironmentStack
from stacks.constructs.policies import KEY_READ_WRITE, key, service_may_use


@dataclass(frozen=True)
class InputStream:
    """The stream of events, and the key that it is encrypted with, if it has one."""

    stream: kinesis.IStream
    key: kms.IKey | None


class StreamsStack(EnvironmentStack):
    """``results``, ``rejected`` and, where events come from one, ``input``.

    ``data_key`` encrypts them and all that is made of them.
    """

    def __init__(self, scope: Construct, environment: Environment) -> None:
        super().__init__(scope, "streams", environment, "Kinesis streams of the real-time analytics pipeline")
        self.data_key = key(self, "DataKey", "streams, messages, tables and buckets")
        # An alarm of CloudWatch publishes to, and SNS itself delivers from, encrypted topics.
        for service in ("cloudwatch.amazonaws.com", "sns.amazonaws.com"):
            service_may_use(
                self.data_key,
                f"{service.partition('.')[0].capitalize()}MayUseEncryptedTopics",
                service,
                KEY_READ_WRITE,
                {"StringEquals": {"aws:SourceAccount": self.account}},
            )
        if environment.warehouse.enabled:
            # A rule's target has no role: SQS asks for the key in EventBridge's own name.
            service_may_use(
                self.data_key,
                "EventsMayUseTheRefreshFailuresQueue",
                "events.amazonaws.com",
                KEY_READ_WRITE,
                {
                    "StringEquals": {"aws:SourceAccount": self.account},
                    "ArnEquals": {"aws:SourceArn": self.arn("events", f"rule/{refresh_failed_rule_name(self.prefix)}")},
                },
            )
        streams = environment.streams
        self.results = self._stream("Results", StreamRole.RESULTS, streams.results)
        self.rejected = self._stream("Rejected", StreamRole.REJECTED, streams.rejected)
        self.input: InputStream | None = None
        if environment.kinesis is not None:
            self.input = self._input(environment.kinesis)

    def _input(self, settings: Settings) -> InputStream:
        if settings.existing_arn is None:
            return InputStream(self._stream("Events", StreamRole.INPUT, settings), self.data_key)
        arn = settings.existing_key_arn
        return InputStream(
            kinesis.Stream.from_stream_arn(self, "Events", settings.existing_arn),
            None if arn is None else kms.Key.from_key_arn(self, "EventsKey", arn),
        )

    def _stream(self, name: str, role: StreamRole, settings: Stream) -> kinesis.Stream:
        on_demand = settings.mode == "on_demand"
        return kinesis.Stream(
            self,
            name,
            stream_name=stream_name(self.prefix, role),
            stream_mode=kinesis.StreamMode.ON_DEMAND if on_demand else kinesis.StreamMode.PROVISIONED,
            shard_count=None if on_demand else settings.shards,
            retention_period=cdk.Duration.hours(settings.retention_hours),
            encryption=kinesis.StreamEncryption.KMS,
            encryption_key=self.data_key,
            removal_policy=self.removal_policy,
        )
