"""Reading synthesized templates: resources, policies and what refers to what."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from config.model import Environment

Resource = Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """A resource with where it is."""

    part: str
    logical_id: str
    type: str
    body: Resource

    @property
    def properties(self) -> Mapping[str, Any]:
        """Its properties, none where it has none."""
        properties: Mapping[str, Any] = self.body.get("Properties", {})
        return properties

    def __str__(self) -> str:
        return f"{self.part}/{self.logical_id} ({self.type})"


@dataclass(frozen=True)
class Statement:
    """A statement of a policy, and the resource that holds it."""

    holder: Found
    body: Mapping[str, Any]

    @property
    def actions(self) -> list[str]:
        """Always a list."""
        return _listed(self.body["Action"])

    @property
    def resources(self) -> list[Any]:
        """Always a list; what is no text is an intrinsic function."""
        return _listed(self.body.get("Resource", []))

    @property
    def sid(self) -> str:
        """Its name, empty where it has none."""
        return str(self.body.get("Sid", ""))


@dataclass(frozen=True)
class Assembly:
    """The templates of one environment, by part."""

    environment: Environment
    folder: Path
    stack_names: Mapping[str, str]

    @cached_property
    def templates(self) -> Mapping[str, Mapping[str, Any]]:
        """Each part's template."""
        return {
            part: json.loads((self.folder / f"{name}.template.json").read_text(encoding="utf-8"))
            for part, name in self.stack_names.items()
        }

    def resources(self, *types: str) -> Iterator[Found]:
        """All resources, or those of the types."""
        for part, template in self.templates.items():
            for logical_id, body in template["Resources"].items():
                if not types or body["Type"] in types:
                    yield Found(part, logical_id, body["Type"], body)

    def one(self, resource_type: str, part: str | None = None) -> Found:
        """The only resource of its type."""
        found = [one for one in self.resources(resource_type) if part in (None, one.part)]
        assert len(found) == 1, [str(one) for one in found]
        return found[0]

    def statements(self) -> Iterator[Statement]:
        """Statements of identity policies: inline ones of roles, and policies of their own."""
        for found in self.resources("AWS::IAM::Role"):
            for policy in found.properties.get("Policies", []):
                for body in policy["PolicyDocument"]["Statement"]:
                    yield Statement(found, body)
        for found in self.resources("AWS::IAM::Policy"):
            for body in found.properties["PolicyDocument"]["Statement"]:
                yield Statement(found, body)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


_HASH = re.compile(r"[0-9a-f]{64}")


def normalised(template: Mapping[str, Any]) -> str:
    """The template as text, with hashes of code and settings made equal: they change with every commit."""
    return _HASH.sub("<hash>", json.dumps(template, indent=1, sort_keys=True)) + "\n"


def text_of(value: Any) -> str:
    """A value with its intrinsic functions, as one line to search in."""
    return json.dumps(value, sort_keys=True)
