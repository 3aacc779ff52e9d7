"""Which resources that hold data a deployment would replace or delete, told from the deployed and the new template.

A property that CloudFormation can only set when it creates a resource ("createOnly" in the resource's schema; cfn-lint
brings the schemas of every region along) makes a new, empty resource when it changes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

#: Types whose loss loses data, state, or what can decrypt them.
STATEFUL = (
    "AWS::DynamoDB::GlobalTable",
    "AWS::KMS::Key",
    "AWS::Kinesis::Stream",
    "AWS::KinesisAnalyticsV2::Application",
    "AWS::MSK::ServerlessCluster",
    "AWS::OpenSearchService::Domain",
    "AWS::RedshiftServerless::Namespace",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
)

Template = Mapping[str, Any]


@dataclass(frozen=True)
class Replacement:
    """A resource that would be lost, and why."""

    logical_id: str
    type: str
    reason: str

    def __str__(self) -> str:
        """A line for a person."""
        return f"{self.logical_id} ({self.type}): {self.reason}"


def replacements(deployed: Template, new: Template, region: str) -> Iterator[Replacement]:
    """What of ``deployed`` a deployment of ``new`` would replace or delete."""
    after = new.get("Resources", {})
    for logical_id, body in deployed.get("Resources", {}).items():
        if body["Type"] not in STATEFUL:
            continue
        found = after.get(logical_id)
        if found is None or found["Type"] != body["Type"]:
            yield Replacement(logical_id, body["Type"], "is no longer in the template")
            continue
        for path in _create_only(body["Type"], region):
            old, changed = _at(body.get("Properties", {}), path), _at(found.get("Properties", {}), path)
            if old != changed:
                change = f"{_text(old)} is now {_text(changed)}"
                yield Replacement(logical_id, body["Type"], f"{'.'.join(path)} is set when it is created: {change}")


def _create_only(resource_type: str, region: str) -> list[tuple[str, ...]]:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, resource_type).schema
    # The second list is replaced under conditions only: named here, too, because nobody should find out which.
    paths: list[str] = [*schema.get("createOnlyProperties", []), *schema.get("conditionalCreateOnlyProperties", [])]
    return [tuple(path.removeprefix("/properties/").split("/")) for path in paths]


def _at(properties: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        if not isinstance(properties, Mapping):
            return None
        properties = properties.get(key)
    return properties


def _text(value: Any) -> str:
    return "absent" if value is None else json.dumps(value, sort_keys=True)
