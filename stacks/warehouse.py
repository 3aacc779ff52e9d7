"""Warehouse: Redshift Serverless in the VPC, with the results' stream as views that are refreshed by a schedule."""

from __future__ import annotations

import json
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_redshiftserverless as redshift
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from config.model import Environment
from contracts.names import REFRESH_FAILURES, StreamRole, stream_name
from contracts.warehouse import DATABASE, STREAM_PLACEHOLDER
from stacks.code import lambda_code, lambda_digest
from stacks.constructs.base import EnvironmentStack
from stacks.constructs.function import PythonFunction
from stacks.constructs.policies import KEY_READ, STREAM_READS, allow, document, service_role
from stacks.constructs.provider import provider
from stacks.constructs.stream_reader import failures_queue
from stacks.network import NetworkStack
from stacks.refresh import schedule, tell_failures
from stacks.streams import StreamsStack

_SQL = Path(__file__).resolve().parent.parent / "sql" / "redshift"
#: Files of what is made once and kept; all others are replaced.
_KEPT = ("00_schema.sql", "10_landing.sql")
_SETUP_TOTAL = cdk.Duration.minutes(45)
_SETUP_STEP = cdk.Duration.seconds(30)
_ADMINISTRATOR = "administrator"


def statements(stream: str) -> tuple[list[str], list[list[str]]]:
    """What is made once, and what is replaced, statement by statement, for the stream of that name."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(_SQL.glob("*.sql"))}
    split = {name: _statements(text.replace(STREAM_PLACEHOLDER, stream)) for name, text in texts.items()}
    return (
        [sql for name in _KEPT for sql in split[name]],
        [group for name, group in split.items() if name not in _KEPT],
    )


def _statements(text: str) -> list[str]:
    """Without comments. The files are ours: no string in them holds a semicolon."""
    code = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    return [sql.strip() for sql in code.split(";") if sql.strip()]


class WarehouseStack(EnvironmentStack):
    """``workgroup`` is the warehouse; it sleeps, and costs storage only, between refreshes and queries."""

    def __init__(
        self, scope: Construct, environment: Environment, network: NetworkStack, streams: StreamsStack
    ) -> None:
        super().__init__(scope, "warehouse", environment, "Redshift over the stream of results")
        self._key = streams.data_key
        self._network = network
        stream = stream_name(self.prefix, StreamRole.RESULTS)
        self.secret = self._secret()
        self.namespace = self._namespace(streams)
        self.workgroup = self._workgroup(environment, network)
        self.failures = failures_queue(self, REFRESH_FAILURES.title(), self._key)
        self._setup(environment, stream)
        scheduled = schedule(
            self,
            every_minutes=environment.warehouse.refresh_minutes,
            secret_arn=self._secret_arn,
            run_statements=self._as_administrator("ExecuteStatement"),
            failures=self.failures,
            key=self._key,
        )
        scheduled.node.add_dependency(self.setup)
        tell_failures(self, self.failures)

    def _secret(self) -> secretsmanager.CfnSecret:
        """The administrator's password, which nobody has seen. CloudFormation tells no ARN of Redshift's own."""
        secret = secretsmanager.CfnSecret(
            self,
            "Administrator",
            name=f"{self.prefix}-warehouse",
            description="Administrator of the warehouse: for the Data API, on behalf of the roles that may read it",
            kms_key_id=self._key.key_arn,
            generate_secret_string=secretsmanager.CfnSecret.GenerateSecretStringProperty(
                secret_string_template=json.dumps({"username": _ADMINISTRATOR}),
                generate_string_key="password",
                password_length=40,
                exclude_punctuation=True,
            ),
        )
        secret.apply_removal_policy(self.removal_policy)
        return secret

    def _namespace(self, streams: StreamsStack) -> redshift.CfnNamespace:
        # The service takes the role over in the name of the namespace, whose ARN holds an id that is not known before.
        role = service_role(
            self,
            "StreamRole",
            "redshift.amazonaws.com",
            [self.arn("redshift-serverless", "namespace/*")],
            {
                "stream": document(
                    allow("ReadTheResults", STREAM_READS, [streams.results.stream_arn]),
                    # An external schema is over all streams of the account, and shows their names.
                    allow("ListTheStreams", ["kinesis:ListStreams"], ["*"]),
                    allow(
                        "DecryptTheResults",
                        KEY_READ,
                        [self._key.key_arn],
                        {"StringEquals": {"kms:ViaService": f"kinesis.{self.region}.amazonaws.com"}},
                    ),
                )
            },
        )
        namespace = redshift.CfnNamespace(
            self,
            "Namespace",
            namespace_name=self.prefix,
            db_name=DATABASE,
            admin_username=_ADMINISTRATOR,
            admin_user_password=f"{{{{resolve:secretsmanager:{self._secret_arn}:SecretString:password}}}}",
            kms_key_id=self._key.key_id,
            default_iam_role_arn=role.role_arn,
            iam_roles=[role.role_arn],
            log_exports=["connectionlog", "userlog"],
        )
        namespace.apply_removal_policy(self.removal_policy)
        return namespace

    def _workgroup(self, environment: Environment, network: NetworkStack) -> redshift.CfnWorkgroup:
        if network.warehouse_group is None:
            raise ValueError("the network was made without a group for the warehouse")
        subnets = network.vpc.select_subnets(
            subnet_group_name=network.subnets.subnet_group_name, subnets=network.subnets.subnets
        )
        workgroup = redshift.CfnWorkgroup(
            self,
            "Workgroup",
            workgroup_name=self.prefix,
            namespace_name=self.namespace.namespace_name,
            base_capacity=environment.warehouse.base_rpu,
            max_capacity=environment.warehouse.most_rpu,
            enhanced_vpc_routing=True,
            publicly_accessible=False,
            subnet_ids=subnets.subnet_ids,
            security_group_ids=[network.warehouse_group.security_group_id],
            config_parameters=[
                redshift.CfnWorkgroup.ConfigParameterProperty(parameter_key="require_ssl", parameter_value="true")
            ],
        )
        workgroup.add_resource_dependency(self.namespace)
        return workgroup

    @property
    def _workgroup_arn(self) -> str:
        return self.workgroup.attr_workgroup_workgroup_arn

    @property
    def _secret_arn(self) -> str:
        return self.secret.ref

    def _as_administrator(self, *calls: str) -> list[iam.PolicyStatement]:
        """What a caller of the Data API needs to run statements as the administrator."""
        return [
            allow("RunStatements", [f"redshift-data:{call}" for call in calls], [self._workgroup_arn]),
            allow("ReadTheSecret", ["secretsmanager:GetSecretValue"], [self._secret_arn]),
            allow(
                "DecryptTheSecret",
                KEY_READ,
                [self._key.key_arn],
                {"StringEquals": {"kms:ViaService": f"secretsmanager.{self.region}.amazonaws.com"}},
            ),
        ]

    def _setup(self, environment: Environment, stream: str) -> None:
        created, replaced = statements(stream)
        on_event = self._function("on_event", [])
        is_complete = self._function(
            "is_complete",
            [
                *self._as_administrator("BatchExecuteStatement", "ExecuteStatement"),
                # A statement has no ARN; the condition keeps it to those of the caller.
                allow(
                    "LookAtOwnStatements",
                    ["redshift-data:DescribeStatement"],
                    ["*"],
                    {"StringEquals": {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}},
                ),
                allow(
                    "LimitUsage",
                    [
                        "redshift-serverless:CreateUsageLimit",
                        "redshift-serverless:ListUsageLimits",
                        "redshift-serverless:UpdateUsageLimit",
                    ],
                    [self._workgroup_arn, self.arn("redshift-serverless", "usage-limit/*")],
                ),
            ],
        )
        made = provider(
            self,
            "WarehouseProvider",
            on_event,
            is_complete,
            key=self._network.logs_key,
            total=_SETUP_TOTAL,
            step=_SETUP_STEP,
        )
        self.setup = cdk.CustomResource(
            self,
            "Setup",
            service_token=made.service_token,
            resource_type="Custom::WarehouseSetup",
            properties={
                "Workgroup": self.prefix,
                "WorkgroupArn": self._workgroup_arn,
                "Database": DATABASE,
                "SecretArn": self._secret_arn,
                "RpuHoursADay": str(environment.warehouse.rpu_hours_a_day),
                "Created": json.dumps(created),
                "Replaced": json.dumps(replaced),
                "Code": lambda_digest("warehouse_setup"),
            },
        )

    def _function(self, role: str, statements: list[iam.PolicyStatement]) -> PythonFunction:
        return PythonFunction(
            self,
            f"Warehouse{role.title().replace('_', '')}",
            package="warehouse_setup",
            called=f"warehouse_setup_{role}",
            handler=f"lambdas.warehouse_setup.handler.{role}",
            code=lambda_code("warehouse_setup"),
            key=self._network.logs_key,
            description="Schema, views and usage limit of the warehouse, on every deployment",
            timeout=cdk.Duration.minutes(5),
            environment={"LOG_LEVEL": "INFO"},
            statements=statements,
        )
