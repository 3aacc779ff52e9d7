"""What a deployment would replace or delete of what holds data."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from operations.replacements import replacements

SNAPSHOTS = Path(__file__).resolve().parents[2] / "synth" / "snapshots"
REGION = "us-east-1"


def template(part: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((SNAPSHOTS / f"prod-{part}.json").read_text(encoding="utf-8"))
    return content


def lost(deployed: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [str(found) for found in replacements(deployed, new, REGION)]


@pytest.mark.parametrize("part", ["streams", "sinks", "lake", "search", "analytics", "audit", "network"])
def test_the_same_template_loses_nothing(part: str) -> None:
    assert lost(template(part), template(part)) == []


def test_a_stream_with_another_name_is_a_new_and_empty_one() -> None:
    new = template("streams")
    (logical_id,) = (name for name in new["Resources"] if name.startswith("Results"))
    new["Resources"][logical_id]["Properties"]["Name"] = "other"
    assert lost(template("streams"), new) == [
        f'{logical_id} (AWS::Kinesis::Stream): Name is set when it is created: "realtime-analytics-prod-results" is '
        'now "other"'
    ]


def test_a_stream_with_more_shards_and_another_retention_stays() -> None:
    new = template("streams")
    for body in new["Resources"].values():
        if body["Type"] == "AWS::Kinesis::Stream":
            body["Properties"] |= {"ShardCount": 9, "RetentionPeriodHours": 48}
    assert lost(template("streams"), new) == []


def test_a_resource_that_is_gone_or_another_under_its_name_is_lost() -> None:
    deployed, new = template("sinks"), template("sinks")
    table = next(name for name, body in new["Resources"].items() if body["Type"] == "AWS::DynamoDB::GlobalTable")
    renamed = copy.deepcopy(new)
    renamed["Resources"]["Other"] = renamed["Resources"].pop(table)
    assert lost(deployed, renamed) == [f"{table} (AWS::DynamoDB::GlobalTable): is no longer in the template"]
    new["Resources"][table]["Type"] = "AWS::DynamoDB::Table"
    assert lost(deployed, new) == [f"{table} (AWS::DynamoDB::GlobalTable): is no longer in the template"]


def test_what_holds_no_data_may_go() -> None:
    new = template("sinks")
    new["Resources"] = {
        name: body for name, body in new["Resources"].items() if body["Type"] != "AWS::Lambda::Function"
    }
    assert lost(template("sinks"), new) == []


@pytest.mark.parametrize(
    ("kind", "properties", "changed"),
    [
        (
            "AWS::MSK::ServerlessCluster",
            {"VpcConfigs": [{"SubnetIds": ["a", "b"]}]},
            {"VpcConfigs": [{"SubnetIds": ["a"]}]},
        ),
        ("AWS::RedshiftServerless::Namespace", {"NamespaceName": "one"}, {"NamespaceName": "two"}),
    ],
)
def test_a_cluster_or_a_warehouse_that_would_begin_anew_is_lost(
    kind: str, properties: dict[str, Any], changed: dict[str, Any]
) -> None:
    deployed, new = ({"Resources": {"It": {"Type": kind, "Properties": each}}} for each in (properties, changed))
    (told,) = lost(deployed, new)
    assert told.startswith(f"It ({kind}): {next(iter(properties))} is set when it is created")
