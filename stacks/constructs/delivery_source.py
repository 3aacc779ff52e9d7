"""What Firehose reads: a stream of Kinesis, or a topic of MSK; and what its role needs for that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms

from stacks.constructs.base import EnvironmentStack
from stacks.constructs.policies import KEY_READ, allow
from stacks.topic import TopicStack

_Delivery = firehose.CfnDeliveryStream
#: Firehose begins with what comes when it is made, unless it is told a time.
_EARLIEST = "1970-01-01T00:00:00Z"


@dataclass(frozen=True)
class StreamSource:
    """A stream, and its key, if it has one."""

    stream: kinesis.IStream
    key: kms.IKey | None

    def properties(self, role: iam.IRole) -> Mapping[str, Any]:
        """What the delivery stream has of it."""
        return {
            "delivery_stream_type": "KinesisStreamAsSource",
            "kinesis_stream_source_configuration": _Delivery.KinesisStreamSourceConfigurationProperty(
                kinesis_stream_arn=self.stream.stream_arn, role_arn=role.role_arn
            ),
        }

    def statements(self, stack: EnvironmentStack) -> list[iam.PolicyStatement]:
        """Of the delivery's role (Firehose developer guide, "Controlling access")."""
        statements = [
            allow(
                "ReadTheStream",
                ["kinesis:DescribeStream", "kinesis:GetShardIterator", "kinesis:GetRecords", "kinesis:ListShards"],
                [self.stream.stream_arn],
            )
        ]
        if self.key is not None:
            statements.append(
                allow(
                    "DecryptRecords",
                    KEY_READ,
                    [self.key.key_arn],
                    {"StringEquals": {"kms:ViaService": f"kinesis.{stack.region}.amazonaws.com"}},
                )
            )
        return statements


@dataclass(frozen=True)
class TopicSource:
    """A topic, over a private connection, from its beginning."""

    topic: TopicStack

    def properties(self, role: iam.IRole) -> Mapping[str, Any]:
        """What the delivery stream has of it."""
        return {
            "delivery_stream_type": "MSKAsSource",
            "msk_source_configuration": _Delivery.MSKSourceConfigurationProperty(
                msk_cluster_arn=self.topic.cluster_arn,
                topic_name=self.topic.settings.topic,
                read_from_timestamp=_EARLIEST,
                authentication_configuration=_Delivery.AuthenticationConfigurationProperty(
                    connectivity="PRIVATE", role_arn=role.role_arn
                ),
            ),
        }

    def statements(self, stack: EnvironmentStack) -> list[iam.PolicyStatement]:
        """Of the delivery's role (Firehose developer guide, "Controlling access", MSK as source)."""
        return [
            allow(
                "ReachTheCluster",
                ["kafka:DescribeCluster", "kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers"],
                [self.topic.cluster_arn],
            ),
            allow("SignIn", ["kafka-cluster:Connect"], [self.topic.cluster_arn]),
            allow(
                "ReadTheTopic",
                [
                    "kafka-cluster:DescribeTopic",
                    "kafka-cluster:DescribeTopicDynamicConfiguration",
                    "kafka-cluster:ReadData",
                ],
                [self.topic.topic_arn],
            ),
            # The service names its consumer group as it likes.
            allow("SeeItsGroup", ["kafka-cluster:DescribeGroup"], [self.topic.group_arns]),
        ]
