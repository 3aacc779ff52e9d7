"""What must be there before what: code, then the application, then its start; and the stacks in between."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.synth.templates import Assembly


def _needs(template: Mapping[str, Any], logical_id: str) -> set[str]:
    """Everything in the template that must exist before the resource: references and DependsOn, transitively."""
    resources = template["Resources"]
    seen: set[str] = set()
    waiting = [logical_id]
    while waiting:
        body = resources[waiting.pop()]
        depends = body.get("DependsOn", [])
        found = set(depends if isinstance(depends, list) else [depends]) | _references(body.get("Properties", {}))
        fresh = (found & resources.keys()) - seen
        seen |= fresh
        waiting += fresh
    return seen


def _references(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*(_references(one) for one in value)) if value else set()
    if not isinstance(value, dict):
        return set()
    found = set().union(*(_references(one) for one in value.values())) if value else set()
    if isinstance(value.get("Ref"), str):
        found.add(value["Ref"])
    attribute = value.get("Fn::GetAtt")
    if isinstance(attribute, list):
        found.add(attribute[0])
    return found


def test_the_snapshot_comes_before_the_application_and_the_start_after_it(assembly: Assembly) -> None:
    template = assembly.templates["analytics"]
    application = assembly.one("AWS::KinesisAnalyticsV2::Application", "analytics").logical_id
    before = assembly.one("Custom::SnapshotBefore").logical_id
    after = assembly.one("Custom::StartAfter").logical_id
    log_option = assembly.one("AWS::KinesisAnalyticsV2::ApplicationCloudWatchLoggingOption", "analytics").logical_id
    assert before in _needs(template, application)
    assert {application, log_option} <= _needs(template, after)
    assert application not in _needs(template, before)
    # A start that CloudFormation may make beside the log option would be refused while that changes the application.
    assert application in _needs(template, log_option)


def test_the_application_has_its_role_key_and_log_before_it_starts(assembly: Assembly) -> None:
    template = assembly.templates["analytics"]
    after = assembly.one("Custom::StartAfter").logical_id
    types = {template["Resources"][name]["Type"] for name in _needs(template, after)}
    assert {
        "AWS::IAM::Role",
        "AWS::KMS::Key",
        "AWS::Logs::LogGroup",
        "AWS::Logs::LogStream",
        "AWS::Lambda::Function",
    } <= types


def test_a_change_of_code_or_settings_reaches_both_custom_resources(assembly: Assembly) -> None:
    before = assembly.one("Custom::SnapshotBefore").properties
    after = assembly.one("Custom::StartAfter").properties
    for key in ("ApplicationName", "Code", "Properties"):
        assert before[key] == after[key]
    key = assembly.one("AWS::KinesisAnalyticsV2::Application", "analytics").properties["ApplicationConfiguration"][
        "ApplicationCodeConfiguration"
    ]["CodeContent"]["S3ContentLocation"]["FileKey"]
    assert key.startswith(before["Code"])


def test_the_code_is_uploaded_with_the_stack_that_names_it(assembly: Assembly) -> None:
    code = assembly.one("Custom::SnapshotBefore").properties["Code"]
    name = assembly.stack_names["analytics"]
    assets = json.loads((assembly.folder / f"{name}.assets.json").read_text(encoding="utf-8"))
    assert code in assets["files"]
    assert (assembly.folder / assets["files"][code]["source"]["path"]).stat().st_size > 50_000_000


def test_the_application_starts_when_its_network_streams_and_readers_are_there(assembly: Assembly) -> None:
    manifest = json.loads((assembly.folder / "manifest.json").read_text(encoding="utf-8"))
    needed = set(manifest["artifacts"][assembly.stack_names["analytics"]]["dependencies"])
    for part in {"network", "streams", "sinks", "search", "lake"} & assembly.stack_names.keys():
        assert assembly.stack_names[part] in needed


def test_opensearch_is_set_up_before_anything_is_indexed(assembly: Assembly) -> None:
    if "search" not in assembly.stack_names:
        assert not list(assembly.resources("Custom::SearchSetup"))
        return
    template = assembly.templates["search"]
    mapping = assembly.one("AWS::Lambda::EventSourceMapping", "search").logical_id
    setup = assembly.one("Custom::SearchSetup").logical_id
    domain = assembly.one("AWS::OpenSearchService::Domain").logical_id
    assert {setup, domain} <= _needs(template, mapping)
    assert domain in _needs(template, setup)
