"""The live application as it is deployed."""

from __future__ import annotations

import math
import re
from typing import Any

from config.runtimes import RUNTIMES
from flink_jobs.settings import parse
from tests.synth.templates import Assembly


def _configuration(assembly: Assembly) -> dict[str, Any]:
    configuration: dict[str, Any] = assembly.one("AWS::KinesisAnalyticsV2::Application", "analytics").properties[
        "ApplicationConfiguration"
    ]
    return configuration


_BROKERS = "b-1.example.com:9098"


def property_groups(assembly: Assembly) -> dict[str, dict[str, str]]:
    """The groups of the template, as the service hands them over; brokers are known when it is deployed."""
    groups = {
        group["PropertyGroupId"]: dict(group["PropertyMap"])
        for group in _configuration(assembly)["EnvironmentProperties"]["PropertyGroups"]
    }
    if isinstance(groups["input"].get("bootstrap_servers"), dict):
        groups["input"]["bootstrap_servers"] = _BROKERS
    return groups


def test_the_property_groups_are_what_the_application_validates(assembly: Assembly) -> None:
    settings = parse(property_groups(assembly), "template", local=False)
    environment, prefix = assembly.environment, assembly.environment.prefix
    existing = environment.streams.input.existing_arn
    own = not existing and environment.kinesis is not None
    assert settings.input.region == environment.region
    assert settings.input.source == environment.source.kind
    name = existing.rpartition("/")[2] if existing else f"{prefix}-events"
    assert settings.input.stream == (name if environment.kinesis else "")
    assert settings.input.bootstrap_servers == (_BROKERS if environment.msk else "")
    assert settings.output.results_stream == f"{prefix}-results"
    assert settings.output.rejected_stream == f"{prefix}-rejected"
    made = {stream.properties["Name"] for stream in assembly.resources("AWS::Kinesis::Stream")}
    wanted = {settings.output.results_stream, settings.output.rejected_stream}
    assert wanted | ({settings.input.stream} if own else set()) == made


def test_the_runtime_is_the_one_of_the_table(assembly: Assembly) -> None:
    application = assembly.one("AWS::KinesisAnalyticsV2::Application", "analytics").properties
    assert application["RuntimeEnvironment"] == "FLINK-1_20"
    assert application["RuntimeEnvironment"] in RUNTIMES
    assert application["ApplicationMode"] == "STREAMING"


def test_its_numbers_are_custom_so_that_the_service_takes_them(assembly: Assembly) -> None:
    settings = assembly.environment.application
    flink = _configuration(assembly)["FlinkApplicationConfiguration"]
    assert flink["CheckpointConfiguration"] == {
        "ConfigurationType": "CUSTOM",
        "CheckpointingEnabled": True,
        "CheckpointInterval": 60_000,
        "MinPauseBetweenCheckpoints": 30_000,
    }
    assert flink["ParallelismConfiguration"] == {
        "ConfigurationType": "CUSTOM",
        "Parallelism": settings.parallelism,
        "ParallelismPerKPU": settings.parallelism_per_kpu,
        "AutoScalingEnabled": settings.autoscaling,
    }
    assert flink["MonitoringConfiguration"] == {
        "ConfigurationType": "CUSTOM",
        "LogLevel": "INFO",
        "MetricsLevel": "APPLICATION",
    }


def test_it_can_go_back(assembly: Assembly) -> None:
    application = assembly.one("AWS::KinesisAnalyticsV2::Application", "analytics").properties
    configuration = _configuration(assembly)
    assert configuration["ApplicationSnapshotConfiguration"] == {"SnapshotsEnabled": True}
    assert configuration["ApplicationSystemRollbackConfiguration"] == {"RollbackEnabled": True}
    assert application["RunConfiguration"] == {
        "ApplicationRestoreConfiguration": {"ApplicationRestoreType": "RESTORE_FROM_LATEST_SNAPSHOT"},
        "FlinkRunConfiguration": {"AllowNonRestoredState": assembly.environment.application.allow_non_restored_state},
    }


def test_its_state_is_encrypted_with_a_key_that_only_it_may_use(assembly: Assembly) -> None:
    encryption = _configuration(assembly)["ApplicationEncryptionConfiguration"]
    assert encryption["KeyType"] == "CUSTOMER_MANAGED_KEY"
    key = assembly.templates["analytics"]["Resources"][encryption["KeyId"]["Fn::GetAtt"][0]]
    services = {
        statement["Principal"]["Service"]
        for statement in key["Properties"]["KeyPolicy"]["Statement"]
        if "Service" in statement["Principal"]
    }
    assert services == {"kinesisanalytics.amazonaws.com", "infrastructure.kinesisanalytics.amazonaws.com"}


def test_it_runs_in_the_private_network(assembly: Assembly) -> None:
    (network,) = _configuration(assembly)["VpcConfigurations"]
    assert len(network["SubnetIds"]) == len(assembly.environment.network.zones)
    assert len(network["SecurityGroupIds"]) == 1


def test_its_log_and_maintenance_window_are_named(assembly: Assembly) -> None:
    application = assembly.one("AWS::KinesisAnalyticsV2::Application", "analytics").properties
    window = application["ApplicationMaintenanceConfiguration"]["ApplicationMaintenanceWindowStartTime"]
    assert re.fullmatch(r"\d\d:\d\d", window)
    option = assembly.one("AWS::KinesisAnalyticsV2::ApplicationCloudWatchLoggingOption", "analytics").properties
    group = assembly.templates["analytics"]["Resources"]["Logs6819BB44"]["Properties"]
    assert group["LogGroupName"] == f"/aws/kinesis-analytics/{assembly.environment.prefix}"
    arn = str(option["CloudWatchLoggingOption"]["LogStreamARN"])
    assert "'Logs6819BB44'" in arn
    assert ":log-stream:application'" in arn


def test_the_quota_of_kpus_holds_it(assembly: Assembly) -> None:
    settings = assembly.environment.application
    assert math.ceil(settings.parallelism / settings.parallelism_per_kpu) <= settings.kpu_quota


def test_it_is_started_or_left_stopped_as_the_settings_say(assembly: Assembly) -> None:
    after = assembly.one("Custom::StartAfter").properties
    assert after["DesiredState"] == {"running": "RUNNING", "stopped": "READY"}[assembly.environment.application.state]
