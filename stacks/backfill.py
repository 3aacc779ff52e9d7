"""Backfill: a second Flink application, which plays the archive once more when `make backfill` starts it.

A stack of its own: what happens to it never touches the stack of the live application, which a deployment snapshots
and starts. Nothing starts this one but the command, and between two backfills it is stopped.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from config.model import Environment
from config.properties import backfill_groups
from contracts.lake import BACKFILL, EVENTS
from contracts.names import backfill_application_name, backfill_log_group
from contracts.rejections import REJECTED
from stacks.analytics import AnalyticsStack
from stacks.code import application_asset
from stacks.constructs.base import EnvironmentStack
from stacks.constructs.flink_application import Conduct, FlinkApplication, application_arn
from stacks.constructs.flink_role import flink_role
from stacks.constructs.function import log_group
from stacks.constructs.policies import KEY_READ, KEY_WRITE, allow
from stacks.network import NetworkStack
from stacks.streams import StreamsStack


class BackfillStack(EnvironmentStack):
    """``application`` has the live one's code and settings, and the group ``backfill``."""

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        network: NetworkStack,
        streams: StreamsStack,
        analytics: AnalyticsStack,
    ) -> None:
        super().__init__(scope, "backfill", environment, "Flink application that plays the archive; stopped otherwise")
        name = backfill_application_name(self.prefix)
        log_name = backfill_log_group(self.prefix)
        group = log_group(self, "Logs", log_name, environment.application.log_days, network.logs_key)
        code = application_asset(self)
        self.application = FlinkApplication(
            self,
            "Flink",
            application_name=name,
            environment=environment,
            conduct=Conduct(
                description="Real-time analytics: plays the archive once more; stopped between backfills",
                slots=environment.backfill,
                # It reads as fast as it can from its first second to its last: there is no load to follow.
                autoscaling=False,
                # Every backfill begins anew, and results have the same ids however often they are computed.
                keeps_state=False,
                removal_policy=cdk.RemovalPolicy.DESTROY,
            ),
            groups=backfill_groups(environment, self.archive_bucket),
            code=code,
            role=flink_role(self, application_arn(self, name), code, group, self._reads_and_writes(streams)),
            key_arn=analytics.state_key.key_arn,
            vpc=network.vpc,
            subnets=network.subnets,
            security_group=network.application_group,
            log_group=group,
        )

    def _reads_and_writes(self, streams: StreamsStack) -> list[iam.PolicyStatement]:
        """The archive and its rejections in; results out, to their stream and to files. No input, no rejections.

        Results are written by S3A, the file system for S3 of Flink (the service's guide shows it behind s3://, "S3
        StreamingFileSink FileNotFoundExceptions"). After each file it deletes markers of folders, which are not there:
        refused, that is a line in the log and no more.
        """
        bucket = f"arn:{self.partition}:s3:::{self.archive_bucket}"
        # Of Parquet, make backfill has the rejections written as lines, beside the results.
        read = (EVENTS, BACKFILL if self.environment_settings.lake.parquet else REJECTED)
        # A sink that was restarted while it completed a file looks whether that is there.
        below = [f"{prefix}/*" for prefix in dict.fromkeys((*read, BACKFILL))]
        return [
            allow(
                "FindTheArchive",
                ["s3:ListBucket"],
                [bucket],
                {"StringLike": {"s3:prefix": sorted(f"{prefix}/*" for prefix in read)}},
            ),
            allow("ReadTheArchive", ["s3:GetObject"], [f"{bucket}/{key}" for key in below]),
            allow(
                "DecryptTheArchive",
                KEY_READ,
                [streams.data_key.key_arn],
                {"StringEquals": {"kms:ViaService": f"s3.{self.region}.amazonaws.com"}},
            ),
            # A file is an upload of parts, which this right begins, sends and completes. Nothing calls for an abort:
            # what a killed run leaves incomplete, the bucket's lifecycle ends.
            allow("WriteFiles", ["s3:PutObject"], [f"{bucket}/{BACKFILL}/*"]),
            allow("WriteResults", ["kinesis:PutRecords"], [streams.results.stream_arn]),
            allow("EncryptResults", KEY_WRITE, [streams.data_key.key_arn]),
        ]
