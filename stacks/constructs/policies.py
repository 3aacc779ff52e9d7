"""Statements of policies, and a key that only named services may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from stacks.constructs.base import EnvironmentStack


def allow(
    sid: str, actions: Sequence[str], resources: Sequence[str], conditions: Mapping[str, Any] | None = None
) -> iam.PolicyStatement:
    """A statement of an identity policy."""
    return iam.PolicyStatement(sid=sid, actions=list(actions), resources=list(resources), conditions=conditions)


def document(*statements: iam.PolicyStatement) -> iam.PolicyDocument:
    """An inline policy: part of its role, so whatever depends on the role has the permissions, too."""
    return iam.PolicyDocument(statements=list(statements))


def service_role(
    scope: Construct, name: str, service: str, source_arns: Sequence[str], policies: Mapping[str, iam.PolicyDocument]
) -> iam.Role:
    """A role that one AWS service takes over, for the resources named only (confused deputy)."""
    stack = EnvironmentStack.of(scope)
    return iam.Role(
        scope,
        name,
        assumed_by=iam.ServicePrincipal(
            service,
            conditions={
                "StringEquals": {"aws:SourceAccount": stack.account},
                "ArnLike": {"aws:SourceArn": list(source_arns)},
            },
        ),
        inline_policies=dict(policies),
    )


def key(scope: EnvironmentStack, name: str, description: str) -> kms.Key:
    """A customer-managed key that rotates yearly. IAM policies of the account decide; services are added by name."""
    made = kms.Key(
        scope,
        name,
        description=f"{scope.prefix}: {description}",
        enable_key_rotation=True,
        removal_policy=scope.removal_policy,
    )
    made.add_alias(f"alias/{scope.prefix}-{name.removesuffix('Key').lower()}")
    return made


def service_may_use(
    target: kms.Key, sid: str, service: str, actions: Sequence[str], conditions: Mapping[str, Any]
) -> None:
    """Lets a service use the key under conditions that name whose data it is."""
    target.add_to_resource_policy(
        iam.PolicyStatement(
            sid=sid,
            principals=[iam.ServicePrincipal(service)],
            actions=list(actions),
            # A key's policy is about that key: the API knows no other resource here.
            resources=["*"],
            conditions=conditions,
        )
    )


#: What a reader and a writer of encrypted data need of its key.
KEY_READ = ("kms:Decrypt",)
KEY_WRITE = ("kms:GenerateDataKey",)
KEY_READ_WRITE = ("kms:Decrypt", "kms:GenerateDataKey")

#: What a poller of a stream calls: Lambda's mapping, Redshift, and the application's source, whose connector looks up
#: the stream's ARN (DescribeStream), lists shards and polls them; ours asks how old it is (DescribeStreamSummary).
STREAM_READS = (
    "kinesis:DescribeStream",
    "kinesis:DescribeStreamSummary",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
)
