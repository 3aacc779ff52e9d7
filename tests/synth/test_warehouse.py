"""A refresh that Redshift took and did not finish is told: its event, the rule that finds it, and who may queue it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from moto.events.models import EventPattern

from operations.forget import DROP_LANDING
from tests.synth.templates import Assembly, Found, text_of

#: Redshift management guide, "Monitoring events for the Amazon Redshift Data API in Amazon EventBridge", its example of
#: a cluster. How the event of a workgroup names it is not documented, so nothing here may depend on ``resources``.
_DOCUMENTED = {
    "version": "0",
    "id": "18e7079c-dd4b-dd64-caf9-e2a31640dab0",
    "detail-type": "Redshift Data Statement Status Change",
    "source": "aws.redshift-data",
    "account": "123456789012",
    "time": "2020-10-01T21:14:26Z",
    "region": "us-east-1",
    "resources": ["arn:aws:redshift:us-east-1:123456789012:cluster:redshift-cluster-1"],
    "detail": {
        "principal": "arn:aws:iam::123456789012:user/myuser",
        "statementName": "test.testtable",
        "statementId": "dd2e1ec9-2ee3-49a0-819f-905fa7d75a4a",
        "redshiftQueryId": -1,
        "state": "FINISHED",
        "rows": 1,
        "expireAt": 1601673265,
    },
}


@pytest.fixture(scope="module")
def full(assemblies: Callable[[str], Assembly]) -> Assembly:
    return assemblies("full")


def _asked(assembly: Assembly) -> dict[str, Any]:
    """What the schedule asks the Data API for; the secret's ARN is known at deployment."""
    found = assembly.one("AWS::Scheduler::Schedule").properties["Target"]["Input"]
    parts = found["Fn::Join"][1] if isinstance(found, dict) else [found]
    asked: dict[str, Any] = json.loads("".join(part if isinstance(part, str) else "?" for part in parts))
    return asked


def _rule(assembly: Assembly) -> Found:
    return assembly.one("AWS::Events::Rule", "warehouse")


def _event(name: str, state: str, **changes: Any) -> dict[str, Any]:
    return {**_DOCUMENTED, "detail": {**_DOCUMENTED["detail"], "statementName": name, "state": state}, **changes}  # type: ignore[dict-item]


def _told(assembly: Assembly, event: dict[str, Any]) -> bool:
    matches: bool = EventPattern.load(json.dumps(_rule(assembly).properties["EventPattern"])).matches_event(event)
    return matches


def test_the_schedule_asks_for_the_event_of_a_statement_that_carries_the_environment(full: Assembly) -> None:
    asked = _asked(full)
    assert asked["WithEvent"] is True
    assert asked["StatementName"] == f"{full.environment.prefix}-refresh"


def test_a_dropped_landing_view_is_made_again_by_what_the_page_says(full: Assembly) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "deploy.md").read_text(encoding="utf-8")
    dropped = re.fullmatch(r"DROP MATERIALIZED VIEW (\S+) CASCADE", DROP_LANDING)
    assert dropped is not None
    assert DROP_LANDING in page
    # The set-up makes it, and runs when the limit changes; what is bound to nothing is there when it comes back.
    setup = full.one("Custom::WarehouseSetup").properties
    assert f"CREATE MATERIALIZED VIEW {dropped[1]} " in setup["Created"]
    assert setup["RpuHoursADay"] == str(full.environment.warehouse.rpu_hours_a_day)
    assert "`warehouse.rpu_hours_a_day`" in page
    for group in json.loads(setup["Replaced"]):
        assert group[-1].endswith("WITH NO SCHEMA BINDING")
    # The page's names, of another environment.
    names = (full.environment.prefix, "realtime-analytics-prod")
    secret = full.one("AWS::SecretsManager::Secret").properties["Name"].replace(*names)
    workgroup = full.one("AWS::RedshiftServerless::Workgroup").properties["WorkgroupName"].replace(*names)
    assert f"--workgroup-name {workgroup} --database {setup['Database']} " in page
    assert f"--secret-arn {secret} " in page


@pytest.mark.parametrize(("state", "told"), [("FAILED", True), ("ABORTED", True), ("FINISHED", False)])
def test_a_refresh_that_did_not_finish_is_told(full: Assembly, state: str, told: bool) -> None:
    assert _told(full, _event(_asked(full)["StatementName"], state)) is told


@pytest.mark.parametrize("name", ["test.testtable", "refresh", "realtime-analytics-dev-refresh"])
def test_other_statements_are_not(full: Assembly, name: str) -> None:
    assert not _told(full, _event(name, "FAILED"))


@pytest.mark.parametrize("change", [{"source": "aws.redshift"}, {"detail-type": "AWS API Call via CloudTrail"}])
def test_other_events_are_not(full: Assembly, change: dict[str, Any]) -> None:
    assert not _told(full, _event(_asked(full)["StatementName"], "FAILED", **change))


def test_both_ways_end_in_the_queue_that_the_alarm_watches(full: Assembly) -> None:
    queue = full.one("AWS::SQS::Queue", "warehouse")
    arn = {"Fn::GetAtt": [queue.logical_id, "Arn"]}
    target = full.one("AWS::Scheduler::Schedule").properties["Target"]
    assert target["DeadLetterConfig"]["Arn"] == arn
    assert [one["Arn"] for one in _rule(full).properties["Targets"]] == [arn]
    alarm = next(
        one
        for one in full.resources("AWS::CloudWatch::Alarm")
        if one.properties["AlarmName"] == f"{full.environment.prefix}-warehouse-refresh"
    )
    assert alarm.properties["Dimensions"] == [{"Name": "QueueName", "Value": queue.properties["QueueName"]}]


def test_the_rule_and_nothing_else_of_eventbridge_may_queue_and_encrypt(full: Assembly) -> None:
    rule = _rule(full)
    (sends,) = _for_events(full.one("AWS::SQS::QueuePolicy", "warehouse").properties["PolicyDocument"])
    assert sends["Action"] == "sqs:SendMessage"
    assert sends["Condition"]["ArnEquals"] == {"aws:SourceArn": {"Fn::GetAtt": [rule.logical_id, "Arn"]}}
    (encrypts,) = _for_events(full.one("AWS::KMS::Key", "streams").properties["KeyPolicy"])
    assert sorted(encrypts["Action"]) == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert f':rule/{rule.properties["Name"]}"' in text_of(encrypts["Condition"]["ArnEquals"]["aws:SourceArn"])


def test_without_a_warehouse_eventbridge_may_not_use_the_key(assemblies: Callable[[str], Assembly]) -> None:
    assert _for_events(assemblies("dev").one("AWS::KMS::Key", "streams").properties["KeyPolicy"]) == []


def _for_events(policy: dict[str, Any]) -> list[dict[str, Any]]:
    statements = policy["Statement"]
    return [one for one in statements if one["Principal"] == {"Service": "events.amazonaws.com"}]
