"""A Lambda function of ``lambdas/``: its package, role, encrypted log group and nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from contracts.names import function_name
from stacks.constructs.base import EnvironmentStack, environment_stack
from stacks.constructs.policies import allow, document

#: The version that every test here runs on; AWS supports it until June 2027 (Lambda runtimes, deprecation table).
RUNTIME = lambda_.Runtime.PYTHON_3_11

_MEMORY_MB = 256
#: What Lambda itself calls to give a function its network interfaces; these calls have no resource level that could be
#: named before the interface exists (Lambda developer guide, "Required IAM permissions" for VPC access).
_NETWORK_DESCRIBES = ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets")
_NETWORK_INTERFACES = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
)


def log_group(scope: Construct, name: str, log_name: str, days: int, key: kms.IKey) -> logs.LogGroup:
    """An encrypted log group with a retention, made before what writes to it would make one without."""
    stack = environment_stack(scope)
    return logs.LogGroup(
        scope,
        name,
        log_group_name=log_name,
        retention=logs.RetentionDays[_RETENTION[days]],
        encryption_key=key,
        removal_policy=stack.removal_policy,
    )


_RETENTION = {
    1: "ONE_DAY",
    3: "THREE_DAYS",
    5: "FIVE_DAYS",
    7: "ONE_WEEK",
    14: "TWO_WEEKS",
    30: "ONE_MONTH",
    60: "TWO_MONTHS",
    90: "THREE_MONTHS",
    120: "FOUR_MONTHS",
    150: "FIVE_MONTHS",
    180: "SIX_MONTHS",
    365: "ONE_YEAR",
    400: "THIRTEEN_MONTHS",
    545: "EIGHTEEN_MONTHS",
    731: "TWO_YEARS",
    1096: "THREE_YEARS",
    1827: "FIVE_YEARS",
    2192: "SIX_YEARS",
    2557: "SEVEN_YEARS",
    2922: "EIGHT_YEARS",
    3653: "TEN_YEARS",
}


def log_statement(group: logs.LogGroup) -> iam.PolicyStatement:
    """Writing streams of this one group (the group exists, so CreateLogGroup is not among it)."""
    return allow("WriteOwnLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], [group.log_group_arn])


def vpc_statements(stack: EnvironmentStack) -> list[iam.PolicyStatement]:
    """What Lambda calls with the role of a function in a VPC."""
    return [
        allow("DescribeTheNetwork", _NETWORK_DESCRIBES, ["*"]),
        allow("OwnNetworkInterfaces", _NETWORK_INTERFACES, network_interface_arns(stack)),
    ]


def network_interface_arns(stack: EnvironmentStack) -> list[str]:
    """Interfaces, and what they are made in: named no narrower than account and region before they are there."""
    return [stack.arn("ec2", f"{kind}/*") for kind in ("network-interface", "subnet", "security-group")]


class PythonFunction(Construct):
    """A function of the package ``lambdas/<package>``, on arm64, with a role and a log group of its own."""

    def __init__(
        self,
        scope: EnvironmentStack,
        name: str,
        *,
        package: str,
        handler: str,
        code: Path,
        key: kms.IKey,
        statements: list[iam.PolicyStatement],
        description: str,
        environment: Mapping[str, str] | None = None,
        timeout: cdk.Duration | None = None,
        memory_mb: int = _MEMORY_MB,
        called: str | None = None,
        reserved_concurrency: int | None = None,
        vpc: ec2.IVpc | None = None,
        subnets: ec2.SubnetSelection | None = None,
        security_group: ec2.ISecurityGroup | None = None,
    ) -> None:
        """``called`` names a function whose package has several; ``key`` encrypts the log group."""
        super().__init__(scope, name)
        full_name = function_name(scope.prefix, called or package)
        self.log_group = log_group(
            self, "Logs", f"/aws/lambda/{full_name}", scope.environment_settings.lambda_log_days, key
        )
        in_vpc = [] if vpc is None else vpc_statements(scope)
        self.role = iam.Role(
            self,
            "Role",
            # Lambda takes a role over only for functions of the role's own account (iam:PassRole), and documents no
            # source condition for it.
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"{full_name}: {description}",
            inline_policies={"function": document(log_statement(self.log_group), *in_vpc, *statements)},
        )
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=full_name,
            description=description,
            code=lambda_.Code.from_asset(str(code)),
            handler=handler,
            runtime=RUNTIME,
            architecture=lambda_.Architecture.ARM_64,
            memory_size=memory_mb,
            timeout=timeout or cdk.Duration.seconds(60),
            reserved_concurrent_executions=reserved_concurrency,
            # A role object that is imported as immutable keeps CDK from adding grants of its own.
            role=self.role.without_policy_updates(),
            log_group=self.log_group,
            environment=dict(environment or {}),
            vpc=vpc,
            vpc_subnets=subnets,
            security_groups=None if security_group is None else [security_group],
        )
