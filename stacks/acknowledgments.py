"""Findings of cdk-nag that stay, each with its reason. Everything else fails the synth.

A row names where in a stack, what, and why. A test fails when a row no longer meets a finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from constructs import IConstruct

from config.functions import enabled
from config.model import Environment
from contracts.names import (
    ARCHIVE_BUCKET,
    DELIVERIES,
    EVENTS_DELIVERY,
    PARTS,
    bucket_name,
    cluster_name,
    stack_name,
)
from stacks.constructs.base import EnvironmentStack, resource_of

_RULES = "AwsSolutions::AwsSolutions-"


@dataclass(frozen=True)
class Accepted:
    """``path`` below the stack; ``findings`` as cdk-nag names them, without its prefix.

    ``{path}`` in a finding stands for the logical id of the resource at that path.
    """

    path: str
    findings: tuple[str, ...]
    reason: str


def _policy(path: str, *resources: str, reason: str) -> Accepted:
    return Accepted(path, tuple(f"IAM5[Resource::{resource}]" for resource in resources), reason)


_LATEST = "Every test runs on Python 3.11, the version of the Flink runtime; AWS supports it until June 2027."
_NO_LEVEL = "The API knows no resource: "
_TRACING = (
    "A waiter of CDK's provider framework: it calls one function until that is done, and the function logs every step. "
    "Its own log would need rights on all log deliveries of the account."
)
_LOG_GROUPS = _NO_LEVEL + "DescribeLogGroups looks for a group by its prefix."
_VPC_DESCRIBE = _NO_LEVEL + "ec2:Describe* cannot be narrowed; what changes something is."
_INTERFACES = "Network interfaces are named when they are made; account and region are fixed."
_PREFIX = "Objects below one prefix of one bucket: their names hold the hour and a random part."


def _ec2(place: str) -> tuple[str, ...]:
    return tuple(f"arn:aws:ec2:{place}:{kind}/*" for kind in ("network-interface", "subnet", "security-group"))


def _function(path: str) -> Accepted:
    return Accepted(path, ("L1",), _LATEST)


def _functions_in_vpc(place: str, *paths: str) -> Iterable[Accepted]:
    for path in paths:
        yield _function(path)
        yield _policy(path, "*", reason=_VPC_DESCRIBE)
        yield _policy(path, *_ec2(place), reason=_INTERFACES)


def _provider(name: str) -> Iterable[Accepted]:
    waiter = f"{name}/waiter-state-machine"
    yield Accepted(waiter, ("SF1", "SF2"), _TRACING)


def _application(place: str) -> Iterable[Accepted]:
    yield _policy("Role", _log_groups(place), reason=_LOG_GROUPS)
    yield _policy("Role", "*", reason=_VPC_DESCRIBE)
    yield _policy("Role", *_ec2(place), reason=_INTERFACES)


def _log_groups(place: str) -> str:
    return f"arn:aws:logs:{place}:log-group:*"


def accepted(environment: Environment) -> Mapping[str, tuple[Accepted, ...]]:
    """The rows of each part."""
    account = environment.account or "<AWS::AccountId>"
    place = f"{environment.region}:{account}"
    archive = bucket_name(environment.prefix, ARCHIVE_BUCKET, account, environment.region)
    own_vpc = environment.network.existing is None
    return {
        "network": (_policy("FlowLogsRole", _log_groups(place), reason=_LOG_GROUPS),) if own_vpc else (),
        "streams": (
            Accepted(
                ".", ("KDS3",), "A key of ours, not aws/kinesis: its policy says who may decrypt, and it rotates."
            ),
        ),
        "sinks": (
            _function("AlertsFunction"),
            _policy(
                "AlertsFunction",
                "*",
                reason=_NO_LEVEL + "PutMetricData; a condition keeps it to the environment's namespace.",
            ),
            Accepted("Alerts-Failures", ("SQS3",), "It is the dead-letter queue: of the event source mappings."),
            *(_function(function.construct) for function in enabled(environment)),
        ),
        "lake": (
            *([_function("Transform")] if environment.archives_events else []),
            Accepted(".", ("KDF1",), "Its source is an encrypted stream; the rule is about direct puts."),
            *(
                _policy(
                    f"{name.capitalize()}Role",
                    f"<{{Archive/Resource}}.Arn>/{name}/*",
                    f"<{{Archive/Resource}}.Arn>/errors/{name}/*",
                    reason=_PREFIX,
                )
                for name in DELIVERIES
                if name != EVENTS_DELIVERY or environment.archives_events
            ),
            *(
                [_policy("EventsRole", _groups(environment, place), reason="Firehose names its consumer group itself.")]
                if environment.msk is not None and environment.archives_events
                else []
            ),
        ),
        "topic": (
            *(_function(f"MskBrokers{role}") for role in ("OnEvent", "IsComplete")),
            *_provider("MskBrokersProvider"),
            *(
                [
                    _function("TopicSetupOnEvent"),
                    *_functions_in_vpc(place, "TopicSetupIsComplete"),
                    *_provider("TopicSetupProvider"),
                ]
                if environment.msk is not None and not environment.msk.existing_topic
                else []
            ),
        ),
        "analytics": (
            *_application(place),
            *(
                [
                    _policy(
                        "Role",
                        f"arn:aws:s3:::{files.bucket}/{files.prefix}*",
                        reason="Files with events: they are named by who writes them, below one folder.",
                    )
                ]
                if (files := environment.files) is not None
                else []
            ),
            *(
                _function(f"{name}{role}")
                for name in ("SnapshotBefore", "StartAfter")
                for role in ("OnEvent", "IsComplete")
            ),
            *_provider("SnapshotBeforeProvider"),
            *_provider("StartAfterProvider"),
        ),
        "backfill": (
            *_application(place),
            _policy(
                "Role",
                *(f"arn:aws:s3:::{archive}/{prefix}/*" for prefix in ("events", "backfill")),
                *(() if environment.lake.parquet else (f"arn:aws:s3:::{archive}/rejected/*",)),
                reason=_PREFIX,
            ),
        ),
        "search": (
            *_functions_in_vpc(place, "SetupOnEvent", "SetupIsComplete", "Indexer", "Forget"),
            _policy(
                "SetupIsComplete",
                f"arn:aws:es:{place}:domain/{environment.prefix}/*",
                reason="The paths of one domain's API: the set-up is its master user.",
            ),
            _policy(
                "Forget",
                f"arn:aws:es:{place}:domain/{environment.prefix}/realtime-analytics-*/_delete_by_query",
                f"arn:aws:es:{place}:domain/{environment.prefix}/realtime-analytics-rejected-*/_count",
                reason="The paths of two APIs over the indices of this kit: the asterisk is part of each request.",
            ),
            *_provider("SetupProvider"),
            Accepted("Search-Failures", ("SQS3",), "It is the dead-letter queue: of the event source mapping."),
            Accepted(
                "Domain", ("OS3",), "It has no public address: security groups let in two functions, and roles decide."
            ),
            Accepted(
                "Domain",
                ("OS4",),
                "Dedicated masters triple the price of a small cluster; AWS advises them from ten nodes on.",
            ),
        ),
        "warehouse": (
            *(_function(f"Warehouse{role}") for role in ("OnEvent", "IsComplete")),
            *_provider("WarehouseProvider"),
            _policy("StreamRole", "*", reason=_NO_LEVEL + "ListStreams; it shows names."),
            _policy(
                "WarehouseIsComplete",
                "*",
                reason=_NO_LEVEL + "a statement of the Data API has no ARN; a condition keeps it to the caller's own.",
            ),
            _policy(
                "WarehouseIsComplete",
                f"arn:aws:redshift-serverless:{place}:usage-limit/*",
                reason="A usage limit is named when it is made; account and region are fixed.",
            ),
            Accepted(
                "Administrator",
                ("SMG4",),
                "Nobody logs in with it: roles read it for the Data API. To rotate it, make a new secret by its name.",
            ),
            Accepted("Refresh-Failures", ("SQS3",), "It is the dead-letter queue: of the schedule."),
        ),
        "delivery": (
            _policy(
                "DeployRole",
                *(f"arn:aws:cloudformation:{place}:stack/{stack_name(environment.prefix, part)}/*" for part in PARTS),
                reason="A stack's ARN ends in an id that it is given when it is made; its name is fixed.",
            ),
        ),
        "audit": (
            Accepted(
                "Trail", ("S1",), "Its objects are the audit; reads of it are management events of the trail itself."
            ),
        ),
    }


def _groups(environment: Environment, place: str) -> str:
    """Consumer groups of the cluster: of an existing one by its id, of ours, which has none yet, by its name."""
    arn = environment.msk and environment.msk.cluster_arn
    cluster = arn.partition(":cluster/")[2] if arn else cluster_name(environment.prefix)
    return f"arn:aws:kafka:{place}:group/{cluster}/*"


def acknowledge(stacks: Mapping[str, EnvironmentStack]) -> None:
    """Applies the rows to the stacks that are there."""
    for part, stack in stacks.items():
        for row in accepted(stack.environment_settings).get(part, ()):
            target = _at(stack, row.path)
            cdk.Validations.of(target).acknowledge(
                *(cdk.Acknowledgment(id=_RULES + _resolved(stack, found), reason=row.reason) for found in row.findings)
            )


def _at(stack: EnvironmentStack, path: str) -> IConstruct:
    found: IConstruct = stack
    for name in [] if path == "." else path.split("/"):
        found = found.node.find_child(name)
    return found


def _resolved(stack: EnvironmentStack, finding: str) -> str:
    def logical_id(match: re.Match[str]) -> str:
        return stack.get_logical_id(resource_of(_at(stack, match[1])))

    return re.sub(r"\{(.+?)\}", logical_id, finding)
