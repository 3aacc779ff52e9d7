"""The Flink application of the managed service, on the L1.

aws-cdk-lib has no L2 for it, and the alpha module lacks encryption, system rollback and the maintenance window.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisanalyticsv2 as flink
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from config.model import Environment, PropertyGroups, Slots
from stacks.constructs.base import EnvironmentStack

_Cfn = flink.CfnApplication
#: The stream of the application's log.
LOG_STREAM = "application"


@dataclass(frozen=True)
class Conduct:
    """How the service runs an application.

    Args:
        description: what it is for, in the console.
        slots: its parallelism.
        autoscaling: whether the service changes the parallelism with the load.
        keeps_state: snapshots, a start from the latest one, and the service's own rollback, which goes back to one.
            Without it, a start begins anew and the application holds nothing that would be lost with it.
        removal_policy: what becomes of it when it leaves its stack.
    """

    description: str
    slots: Slots
    autoscaling: bool
    keeps_state: bool
    removal_policy: cdk.RemovalPolicy


class FlinkApplication(Construct):
    """The application and its log option; ``configuration_hash`` changes with anything that restarts it."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        application_name: str,
        environment: Environment,
        conduct: Conduct,
        groups: PropertyGroups,
        code: assets.Asset,
        role: iam.IRole,
        key_arn: str,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        security_group: ec2.ISecurityGroup,
        log_group: logs.LogGroup,
    ) -> None:
        super().__init__(scope, name)
        settings = environment.application
        self.application = _Cfn(
            self,
            "Application",
            application_name=application_name,
            application_description=conduct.description,
            application_mode="STREAMING",
            runtime_environment=settings.runtime,
            service_execution_role=role.role_arn,
            application_maintenance_configuration=_Cfn.ApplicationMaintenanceConfigurationProperty(
                application_maintenance_window_start_time=settings.maintenance_window
            ),
            run_configuration=_Cfn.RunConfigurationProperty(
                application_restore_configuration=_Cfn.ApplicationRestoreConfigurationProperty(
                    application_restore_type=(
                        "RESTORE_FROM_LATEST_SNAPSHOT" if conduct.keeps_state else "SKIP_RESTORE_FROM_SNAPSHOT"
                    )
                ),
                flink_run_configuration=_Cfn.FlinkRunConfigurationProperty(
                    allow_non_restored_state=conduct.keeps_state and settings.allow_non_restored_state
                ),
            ),
            application_configuration=_Cfn.ApplicationConfigurationProperty(
                application_code_configuration=_Cfn.ApplicationCodeConfigurationProperty(
                    code_content_type="ZIPFILE",
                    code_content=_Cfn.CodeContentProperty(
                        s3_content_location=_Cfn.S3ContentLocationProperty(
                            bucket_arn=code.bucket.bucket_arn, file_key=code.s3_object_key
                        )
                    ),
                ),
                application_encryption_configuration=_Cfn.ApplicationEncryptionConfigurationProperty(
                    key_type="CUSTOMER_MANAGED_KEY", key_id=key_arn
                ),
                application_snapshot_configuration=_Cfn.ApplicationSnapshotConfigurationProperty(
                    snapshots_enabled=conduct.keeps_state
                ),
                application_system_rollback_configuration=_Cfn.ApplicationSystemRollbackConfigurationProperty(
                    rollback_enabled=conduct.keeps_state
                ),
                environment_properties=_Cfn.EnvironmentPropertiesProperty(
                    property_groups=[
                        _Cfn.PropertyGroupProperty(property_group_id=group, property_map=values)
                        for group, values in groups.items()
                    ]
                ),
                flink_application_configuration=_Cfn.FlinkApplicationConfigurationProperty(
                    checkpoint_configuration=_Cfn.CheckpointConfigurationProperty(
                        configuration_type="CUSTOM",  # with DEFAULT the service ignores the numbers
                        checkpointing_enabled=True,
                        checkpoint_interval=settings.checkpoint_interval_seconds * 1000,
                        min_pause_between_checkpoints=settings.checkpoint_pause_seconds * 1000,
                    ),
                    monitoring_configuration=_Cfn.MonitoringConfigurationProperty(
                        configuration_type="CUSTOM",
                        log_level=settings.log_level,
                        # Finer levels multiply the number, and the price, of metrics.
                        metrics_level="APPLICATION",
                    ),
                    parallelism_configuration=_Cfn.ParallelismConfigurationProperty(
                        configuration_type="CUSTOM",
                        parallelism=conduct.slots.parallelism,
                        parallelism_per_kpu=conduct.slots.parallelism_per_kpu,
                        auto_scaling_enabled=conduct.autoscaling,
                    ),
                ),
                vpc_configurations=[
                    _Cfn.VpcConfigurationProperty(
                        subnet_ids=vpc.select_subnets(
                            subnet_group_name=subnets.subnet_group_name, subnets=subnets.subnets
                        ).subnet_ids,
                        security_group_ids=[security_group.security_group_id],
                    )
                ],
            ),
        )
        self.application.node.add_dependency(role)
        stream = log_group.add_stream("ApplicationLogStream", log_stream_name=LOG_STREAM)
        stack = EnvironmentStack.of(self)
        log_stream_arn = (
            f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:"
            f"log-group:{log_group.log_group_name}:log-stream:{LOG_STREAM}"
        )
        self.log_option = flink.CfnApplicationCloudWatchLoggingOption(
            self,
            "LogOption",
            application_name=application_name,
            cloud_watch_logging_option=flink.CfnApplicationCloudWatchLoggingOption.CloudWatchLoggingOptionProperty(
                log_stream_arn=log_stream_arn
            ),
        )
        self.log_option.node.add_dependency(self.application, stream)
        self.application.apply_removal_policy(conduct.removal_policy)
        rendered = stack.resolve(self.application.application_configuration)
        self.configuration_hash = _digest({"configuration": rendered, "settings": settings.model_dump(mode="json")})


def application_arn(scope: EnvironmentStack, name: str) -> str:
    """ARN of an application of this account and region, by its name."""
    return scope.arn("kinesisanalytics", f"application/{name}")


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
