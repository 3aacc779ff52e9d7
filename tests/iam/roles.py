"""The roles of an environment as its templates make them, and the functions that have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.iam.policies import Permission, permission
from tests.iam.resolver import Resolver, plain
from tests.synth.templates import Found

_ENDPOINT = "AWS::EC2::VPCEndpoint"
#: Endpoints that the applications call through. Their policies are judged like a role's: both must allow what passes.
ENDPOINTS = ("network/KinesisEndpoint", "network/S3Endpoint")


@dataclass(frozen=True)
class Role:
    """A role, or an endpoint with a policy, named ``part/Name``."""

    name: str
    permissions: tuple[Permission, ...]


@dataclass(frozen=True)
class Deployed:
    """A function of ``lambdas/`` as a template deploys it; ``environment`` is resolved."""

    name: str
    role: str
    handler: str
    environment: Mapping[str, str]


def roles(resolver: Resolver) -> dict[str, Role]:
    """Every role of the environment with all of its statements, and the endpoints of the applications."""
    statements: dict[str, list[Permission]] = {}
    for found in resolver.assembly.resources("AWS::IAM::Role"):
        if "ManagedPolicyArns" in found.properties:
            raise AssertionError(f"{found} has a managed policy: its statements are nobody's to prove")
        documents = [policy["PolicyDocument"] for policy in found.properties.get("Policies", [])]
        statements[_name(found)] = _permissions(resolver, found, documents)
    for found in resolver.assembly.resources("AWS::IAM::Policy"):
        for reference in found.properties["Roles"]:
            holder = _name(resolver.find(found.part, reference["Ref"]))
            statements[holder] += _permissions(resolver, found, [found.properties["PolicyDocument"]])
    for found in resolver.assembly.resources(_ENDPOINT):
        if _name(found) in ENDPOINTS:
            documents = [found.properties["PolicyDocument"]]
            statements[_name(found)] = _permissions(resolver, found, documents, of_a_resource=True)
    return {name: Role(name, tuple(found)) for name, found in sorted(statements.items())}


def functions(resolver: Resolver) -> list[Deployed]:
    """The functions whose code is ours."""
    found = []
    for one in resolver.assembly.resources("AWS::Lambda::Function"):
        handler = str(one.properties["Handler"])
        if handler.startswith("lambdas."):
            variables = one.properties.get("Environment", {}).get("Variables", {})
            found.append(
                Deployed(resolver.name(one), role_of(resolver, one), handler, resolver.value(one.part, variables))
            )
    return found


def role_of(resolver: Resolver, function: Found) -> str:
    """Name of the role that a function has."""
    return _name(resolver.find(function.part, function.properties["Role"]["Fn::GetAtt"][0]))


def log_groups(resolver: Resolver) -> dict[str, tuple[str, ...]]:
    """By role: ARN (without the ending for streams) of the groups that the functions with it write to."""
    groups: dict[str, set[str]] = {}
    for function in resolver.assembly.resources("AWS::Lambda::Function"):
        reference = function.properties["LoggingConfig"]["LogGroup"]["Ref"]
        group = resolver.arn(resolver.find(function.part, reference)).removesuffix(":*")
        groups.setdefault(role_of(resolver, function), set()).add(group)
    return {role: tuple(sorted(found)) for role, found in groups.items()}


def _permissions(
    resolver: Resolver, found: Found, documents: Iterable[Mapping[str, Any]], *, of_a_resource: bool = False
) -> list[Permission]:
    return [
        permission(resolver.value(found.part, statement), of_a_resource=of_a_resource)
        for document in documents
        for statement in document["Statement"]
    ]


def _name(found: Found) -> str:
    return f"{found.part}/{plain(found.logical_id)}"
