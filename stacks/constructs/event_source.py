"""What the application may do to read its events, for each source, and to no more of it than the settings name."""

from __future__ import annotations

from aws_cdk import aws_iam as iam

from config.model import Files
from stacks.constructs.base import EnvironmentStack
from stacks.constructs.policies import KEY_READ, STREAM_READS, allow
from stacks.streams import InputStream
from stacks.topic import TopicStack


def of_stream(stream: InputStream) -> list[iam.PolicyStatement]:
    """Polling one stream, with its key."""
    statements = [allow("ReadEvents", STREAM_READS, [stream.stream.stream_arn])]
    if stream.key is not None:
        statements.append(allow("DecryptEvents", KEY_READ, [stream.key.key_arn]))
    return statements


def of_topic(topic: TopicStack) -> list[iam.PolicyStatement]:
    """Reading one topic. No consumer group is among it: offsets are in checkpoints, and none is committed."""
    return [
        allow("SignIn", ["kafka-cluster:Connect"], [topic.cluster_arn]),
        allow("ReadEvents", ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"], [topic.topic_arn]),
    ]


def of_files(stack: EnvironmentStack, files: Files) -> list[iam.PolicyStatement]:
    """Listing one folder and reading what is below it, with the bucket's key."""
    bucket = f"arn:{stack.partition}:s3:::{files.bucket}"
    statements = [
        allow("FindEvents", ["s3:ListBucket"], [bucket], {"StringLike": {"s3:prefix": files.place}}),
        allow("ReadEvents", ["s3:GetObject"], [f"{bucket}/{files.place}"]),
    ]
    if files.key_arn is not None:
        statements.append(
            allow(
                "DecryptEvents",
                KEY_READ,
                [files.key_arn],
                {"StringEquals": {"kms:ViaService": f"s3.{stack.region}.amazonaws.com"}},
            )
        )
    return statements
