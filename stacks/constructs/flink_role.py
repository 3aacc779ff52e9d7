"""The role that the managed service takes over for a Flink application: what every application needs, and its own."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as assets

from stacks.constructs.base import EnvironmentStack
from stacks.constructs.flink_application import LOG_STREAM
from stacks.constructs.function import network_interface_arns
from stacks.constructs.policies import allow, document, service_role


def flink_role(
    scope: EnvironmentStack,
    application_arn: str,
    code: assets.Asset,
    log_group: logs.LogGroup,
    own: Sequence[iam.PolicyStatement],
) -> iam.Role:
    """What Flink, its connectors and the service itself call (docs/iam.md has each with its source).

    ``own``: what the application reads and writes.
    """
    log_name = log_group.log_group_name
    return service_role(
        scope,
        "Role",
        "kinesisanalytics.amazonaws.com",
        [application_arn],
        {
            "application": document(
                allow(
                    "ReadCode",
                    ["s3:GetObject", "s3:GetObjectVersion"],
                    [code.bucket.arn_for_objects(code.s3_object_key)],
                ),
                *own,
                # The service looks for the group by a prefix: the API knows no narrower resource than all groups.
                allow("FindTheLogGroup", ["logs:DescribeLogGroups"], [scope.arn("logs", "log-group:*")]),
                allow("FindTheLogStream", ["logs:DescribeLogStreams"], [log_group.log_group_arn]),
                allow(
                    "WriteTheLog",
                    ["logs:PutLogEvents"],
                    [scope.arn("logs", f"log-group:{log_name}:log-stream:{LOG_STREAM}")],
                ),
                # The service's own calls to reach a VPC; its guide lists them without a resource.
                allow(
                    "DescribeTheNetwork",
                    [
                        "ec2:DescribeDhcpOptions",
                        "ec2:DescribeNetworkInterfaces",
                        "ec2:DescribeSecurityGroups",
                        "ec2:DescribeSubnets",
                        "ec2:DescribeVpcs",
                    ],
                    ["*"],
                ),
                allow(
                    "OwnNetworkInterfaces",
                    [
                        "ec2:CreateNetworkInterface",
                        "ec2:CreateNetworkInterfacePermission",
                        "ec2:DeleteNetworkInterface",
                    ],
                    network_interface_arns(scope),
                ),
            )
        },
    )
