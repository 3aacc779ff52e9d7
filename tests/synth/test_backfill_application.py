"""The application that plays the archive: made where there is one, stopped, and nothing to the live application."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from config.model import Environment
from flink_jobs.settings import parse
from tests.iam.resolver import Resolver
from tests.synth.conftest import Synthesize, environment_named
from tests.synth.templates import Assembly

_APPLICATION = "AWS::KinesisAnalyticsV2::Application"


@pytest.fixture(params=["dev", "prod", "full", "msk"])
def archived(request: pytest.FixtureRequest, assemblies: Callable[[str], Assembly]) -> Assembly:
    """An environment that archives its events."""
    return assemblies(request.param)


def _configuration(assembly: Assembly, part: str) -> dict[str, Any]:
    configuration: dict[str, Any] = assembly.one(_APPLICATION, part).properties["ApplicationConfiguration"]
    return configuration


def test_it_is_made_where_events_are_archived_and_nowhere_else(assembly: Assembly) -> None:
    assert ("backfill" in assembly.stack_names) == assembly.environment.archives_events
    assert len(list(assembly.resources(_APPLICATION))) == 1 + assembly.environment.archives_events


def test_it_has_the_live_applications_code_runtime_and_network(archived: Assembly) -> None:
    live, backfill = (archived.one(_APPLICATION, part).properties for part in ("analytics", "backfill"))
    assert backfill["ApplicationName"] == f"{archived.environment.prefix}-backfill"
    assert backfill["RuntimeEnvironment"] == live["RuntimeEnvironment"]
    for key in ("ApplicationCodeConfiguration", "VpcConfigurations"):
        assert _configuration(archived, "backfill")[key] == _configuration(archived, "analytics")[key]


def test_its_property_groups_are_what_the_application_validates(archived: Assembly) -> None:
    environment = archived.environment
    groups = {
        group["PropertyGroupId"]: Resolver(archived).value("backfill", group["PropertyMap"])
        for group in _configuration(archived, "backfill")["EnvironmentProperties"]["PropertyGroups"]
    }
    settings = parse(groups, "template", local=False)
    assert settings.backfill is not None
    archive = Resolver(archived).named("lake", "Archive")
    assert archive is not None
    assert settings.backfill.archive == f"s3://{Resolver(archived).name(archive)}/events/"
    assert settings.output.results_stream == f"{environment.prefix}-results"


def test_nothing_starts_it_scales_it_or_keeps_its_state(archived: Assembly) -> None:
    found, settings = archived.one(_APPLICATION, "backfill"), archived.environment.backfill
    configuration = _configuration(archived, "backfill")
    assert not [one for one in archived.resources() if one.part == "backfill" and one.type.startswith("Custom::")]
    assert configuration["ApplicationSnapshotConfiguration"] == {"SnapshotsEnabled": False}
    assert configuration["ApplicationSystemRollbackConfiguration"] == {"RollbackEnabled": False}
    assert configuration["FlinkApplicationConfiguration"]["ParallelismConfiguration"] == {
        "ConfigurationType": "CUSTOM",
        "Parallelism": settings.parallelism,
        "ParallelismPerKPU": settings.parallelism_per_kpu,
        "AutoScalingEnabled": False,
    }
    assert found.properties["RunConfiguration"] == {
        "ApplicationRestoreConfiguration": {"ApplicationRestoreType": "SKIP_RESTORE_FROM_SNAPSHOT"},
        "FlinkRunConfiguration": {"AllowNonRestoredState": False},
    }
    assert found.body["DeletionPolicy"] == "Delete"


def test_its_log_is_one_that_the_key_of_the_logs_serves(archived: Assembly) -> None:
    group = archived.one("AWS::Logs::LogGroup", "backfill")
    option = archived.one("AWS::KinesisAnalyticsV2::ApplicationCloudWatchLoggingOption", "backfill").properties
    assert group.properties["LogGroupName"] == f"/{archived.environment.prefix}/backfill"
    arn = str(option["CloudWatchLoggingOption"]["LogStreamARN"])
    assert f"'{group.logical_id}'" in arn
    assert ":log-stream:application'" in arn
    served = [
        pattern
        for key in archived.resources("AWS::KMS::Key")
        if key.part == "network"
        for pattern in _log_patterns(Resolver(archived).value("network", key.properties["KeyPolicy"]["Statement"]))
    ]
    assert f"/{archived.environment.prefix}/*" in [pattern.rpartition(":log-group:")[2] for pattern in served]


def _log_patterns(statements: list[dict[str, Any]]) -> list[str]:
    conditions = [one.get("Condition", {}).get("ArnLike", {}) for one in statements]
    return [pattern for one in conditions for pattern in one.get("kms:EncryptionContext:aws:logs:arn", [])]


def test_the_state_key_serves_each_application_for_its_own_state_only(assembly: Assembly) -> None:
    resolver, environment = Resolver(assembly), assembly.environment
    applications = {
        f"arn:aws:kinesisanalytics:{environment.region}:{resolver.account}:application/{name}"
        for name in (
            environment.prefix,
            *([f"{environment.prefix}-backfill"] if environment.archives_events else []),
        )
    }
    key = assembly.one("AWS::KMS::Key", "analytics")
    by_application: dict[str, list[tuple[Any, ...]]] = {name: [] for name in applications}
    for statement in resolver.value("analytics", key.properties["KeyPolicy"]["Statement"]):
        if "Service" not in statement["Principal"]:
            continue
        equals = dict(statement["Condition"]["StringEquals"])
        named = {
            equals.pop(one, None) for one in ("aws:SourceArn", "kms:EncryptionContext:aws:kinesisanalytics:arn")
        } - {None}
        (application,) = named
        body = (statement["Principal"]["Service"], str(statement["Action"]), json.dumps(equals))
        by_application[application].append(body)
    first, *others = by_application.values()
    assert len(first) == 6
    assert all(other == first for other in others)
    names = [statement.get("Sid") for statement in key.properties["KeyPolicy"]["Statement"]]
    assert len(set(names)) == len(names)
    used = {
        json.dumps(
            resolver.value(one.part, one.properties["ApplicationConfiguration"]["ApplicationEncryptionConfiguration"])
        )
        for one in assembly.resources(_APPLICATION)
    }
    assert len(used) == 1


def test_it_comes_after_the_archive_that_it_knows_by_name(archived: Assembly) -> None:
    manifest = json.loads((archived.folder / "manifest.json").read_text(encoding="utf-8"))
    needed = set(manifest["artifacts"][archived.stack_names["backfill"]]["dependencies"])
    for part in ("network", "streams", "lake", "analytics"):
        assert archived.stack_names[part] in needed


def test_what_it_writes_ends_and_what_it_leaves_incomplete_is_aborted(archived: Assembly) -> None:
    bucket = next(one for one in archived.resources("AWS::S3::Bucket") if one.logical_id.startswith("Archive"))
    (rule,) = (one for one in bucket.properties["LifecycleConfiguration"]["Rules"] if one["Prefix"] == "backfill/")
    assert rule["ExpirationInDays"] == archived.environment.lake.results_days
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}


def test_its_alarms_are_none_and_no_widget_shows_it(archived: Assembly) -> None:
    name = f"{archived.environment.prefix}-backfill"
    assert name not in json.dumps(archived.templates["observability"])


def _without_archive(environment: Environment) -> Environment:
    return environment.model_copy(update={"lake": environment.lake.model_copy(update={"enabled": False})})


def test_the_live_application_is_the_same_with_and_without_it(synthesize: Synthesize, archived: Assembly) -> None:
    """Nothing of it changes with the lake but who may use the key: no snapshot, no update, no restart."""
    without = synthesize(_without_archive(environment_named(archived.environment.name)))
    assert "backfill" not in without.stack_names
    with_it, alone = (
        {
            name: body
            for name, body in one.templates["analytics"]["Resources"].items()
            if body["Type"] != "AWS::KMS::Key"
        }
        for one in (archived, without)
    )
    assert with_it == alone
    assert with_it[archived.one(_APPLICATION, "analytics").logical_id]["Type"] == _APPLICATION


def test_its_settings_do_not_reach_the_live_application(synthesize: Synthesize, archived: Assembly) -> None:
    environment = environment_named(archived.environment.name)
    changed = environment.backfill.model_copy(update={"parallelism": 8, "properties": {"margin": "3 d"}})
    other = synthesize(environment.model_copy(update={"backfill": changed}))
    assert other.templates["analytics"] == archived.templates["analytics"]
    assert other.templates["backfill"] != archived.templates["backfill"]
