"""Analytics: the Flink application, its key, its role, its log, and what snapshots and starts it."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from config.model import Application, Environment
from config.properties import property_groups
from contracts.names import application_name, backfill_application_name
from stacks.code import application_asset
from stacks.constructs import event_source
from stacks.constructs.base import EnvironmentStack
from stacks.constructs.flink_application import Conduct, FlinkApplication, application_arn
from stacks.constructs.flink_role import flink_role
from stacks.constructs.function import log_group
from stacks.constructs.lifecycle import LifecycleStep
from stacks.constructs.policies import KEY_WRITE, allow, key
from stacks.constructs.state_key import allow_flink, operator_statements
from stacks.network import NetworkStack
from stacks.streams import StreamsStack
from stacks.topic import TopicStack


class AnalyticsStack(EnvironmentStack):
    """``application`` is the construct, ``application_name`` what the service calls it, ``state_key`` for its state."""

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        network: NetworkStack,
        streams: StreamsStack,
        topic: TopicStack | None,
    ) -> None:
        super().__init__(scope, "analytics", environment, "Flink application of the real-time analytics pipeline")
        settings = environment.application
        self.application_name = application_name(self.prefix)
        self.application_arn = application_arn(self, self.application_name)
        self.state_key = key(self, "StateKey", "checkpoints and snapshots of the Flink application")
        allow_flink(self.state_key, self.application_arn)
        if environment.archives_events:
            # A backfill's state lives as long as it runs: a key of its own would cost a month for some hours. Each
            # application's statements hold for its own encryption context only.
            allow_flink(self.state_key, application_arn(self, backfill_application_name(self.prefix)), "Backfill")
        self.log_group = log_group(
            self,
            "Logs",
            f"/aws/kinesis-analytics/{self.application_name}",
            settings.log_days,
            network.logs_key,
        )
        code = application_asset(self)
        groups = property_groups(environment) if topic is None else property_groups(environment, topic.brokers)
        self.application = FlinkApplication(
            self,
            "Flink",
            application_name=self.application_name,
            environment=environment,
            conduct=Conduct(
                description="Real-time analytics: all jobs in one graph",
                slots=settings,
                autoscaling=settings.autoscaling,
                keeps_state=True,
                removal_policy=self.removal_policy,
            ),
            groups=groups,
            code=code,
            role=flink_role(
                self,
                self.application_arn,
                code,
                self.log_group,
                [*self._reading(environment, streams, topic), *self._writing(streams)],
            ),
            key_arn=self.state_key.key_arn,
            vpc=network.vpc,
            subnets=network.subnets,
            security_group=network.application_group,
            log_group=self.log_group,
        )
        self._lifecycle(settings, network.logs_key, code.asset_hash)

    def _reading(
        self, environment: Environment, streams: StreamsStack, topic: TopicStack | None
    ) -> list[iam.PolicyStatement]:
        """What reading the events takes, whatever they come from."""
        if streams.input is not None:
            return event_source.of_stream(streams.input)
        if topic is not None:
            return event_source.of_topic(topic)
        if environment.files is not None:
            return event_source.of_files(self, environment.files)
        raise ValueError(f"source {environment.source.kind} has no stream, topic or files")

    def _writing(self, streams: StreamsStack) -> list[iam.PolicyStatement]:
        return [
            allow(
                "WriteResultsAndRejections",
                ["kinesis:PutRecords"],
                [streams.results.stream_arn, streams.rejected.stream_arn],
            ),
            allow("EncryptResults", KEY_WRITE, [streams.data_key.key_arn]),
        ]

    def _lifecycle(self, settings: Application, logs_key: kms.IKey, code_hash: str) -> None:
        common = {
            "ApplicationName": self.application_name,
            "Code": code_hash,
            "Properties": self.application.configuration_hash,
        }
        operator = operator_statements(self.state_key, self.application_arn, self.region)
        before = LifecycleStep(
            self,
            "SnapshotBefore",
            "snapshot",
            key=logs_key,
            description="Snapshots the running application before it is changed",
            properties={**common, "Snapshot": settings.snapshot_before_update},
            statements=[
                allow(
                    "Snapshot",
                    [
                        "kinesisanalytics:CreateApplicationSnapshot",
                        "kinesisanalytics:DescribeApplication",
                        "kinesisanalytics:DescribeApplicationOperation",
                        "kinesisanalytics:DescribeApplicationSnapshot",
                        "kinesisanalytics:ListApplicationOperations",
                        "kinesisanalytics:StopApplication",
                    ],
                    [self.application_arn],
                ),
                allow("SeeARollback", ["cloudformation:DescribeStackEvents"], [self.stack_id]),
                *operator,
            ],
        )
        after = LifecycleStep(
            self,
            "StartAfter",
            "start",
            key=logs_key,
            description="Starts the application after a deployment, waits for it, and prunes its snapshots",
            properties={
                **common,
                "DesiredState": "RUNNING" if settings.state == "running" else "READY",
                "KeepSnapshots": str(settings.snapshots_kept),
                "AllowNonRestoredState": str(settings.allow_non_restored_state).lower(),
            },
            statements=[
                allow(
                    "StartAndStop",
                    [
                        "kinesisanalytics:DeleteApplicationSnapshot",
                        "kinesisanalytics:DescribeApplication",
                        "kinesisanalytics:DescribeApplicationOperation",
                        "kinesisanalytics:ListApplicationOperations",
                        "kinesisanalytics:ListApplicationSnapshots",
                        "kinesisanalytics:StartApplication",
                        "kinesisanalytics:StopApplication",
                    ],
                    [self.application_arn],
                ),
                *operator,
            ],
        )
        self.application.node.add_dependency(before)
        after.node.add_dependency(self.application, self.log_group)
        self.before, self.after = before, after
