"""The proof: every call that is recorded or listed is allowed, and nothing else is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from config.functions import FUNCTIONS
from contracts.lake import database
from tests.iam import drives, service_calls
from tests.iam.environments import assembly
from tests.iam.policies import Call, Permission, allowed, condition_holds, resource_matches
from tests.iam.resolver import Resolver
from tests.iam.roles import Role, log_groups, roles
from tests.iam.service_calls import Line
from tests.synth.templates import Found

_PLACEHOLDER = re.compile(r"\{([^}]+)\}")


@dataclass(frozen=True)
class Case:
    """A role with the calls that are made with it: by our code (``recorded``) and on our behalf (``listed``)."""

    role: Role
    recorded: frozenset[Call]
    listed: Mapping[Line, frozenset[Call]]

    @property
    def calls(self) -> frozenset[Call]:
        """All of them."""
        return self.recorded.union(*self.listed.values())

    def denied(self, permissions: tuple[Permission, ...] | None = None) -> list[Call]:
        """Calls that the role (or the given statements in its place) does not allow."""
        statements = self.role.permissions if permissions is None else permissions
        return sorted(call for call in self.calls if not allowed(statements, call))

    def unused(self) -> list[str]:
        """Actions, resources and values of conditions that no call uses."""
        found = []
        for permission in self.role.permissions:
            used = [call for call in self.calls if permission.matches(call)]
            actions = {call.action.lower() for call in used}
            found += [f"{permission.sid} {one}" for one in permission.actions if one.lower() not in actions]
            found += [
                f"{permission.sid} on {pattern}"
                for pattern in permission.resources
                if not any(resource_matches(pattern, call.resource) for call in used)
            ]
            for operator, key, values in permission.conditions:
                found += [
                    f"{permission.sid} where {key} is {value}"
                    for value in values
                    if not any(condition_holds(operator, call, key, value) for call in used)
                ]
        return found

    def mutations(self) -> Iterator[tuple[str, tuple[Permission, ...]]]:
        """Each statement list that lacks one action, with the action's name."""
        statements = self.role.permissions
        for index, permission in enumerate(statements):
            for action in permission.actions:
                left = replace(permission, actions=tuple(one for one in permission.actions if one != action))
                yield f"{permission.sid} {action}", (*statements[:index], left, *statements[index + 1 :])


@cache
def cases(environment: str) -> Mapping[str, Case]:
    """By name: the roles of an environment."""
    resolver = Resolver(assembly(environment))
    recorded = drives.recorded(resolver)
    listed: dict[str, dict[Line, frozenset[Call]]] = {}
    for line in service_calls.lines():
        listed.setdefault(line.role, {})[line] = frozenset(calls_of(resolver, line))
    for function in FUNCTIONS:
        for line in service_calls.of_function(function, resolver.assembly.environment, resolver.account):
            listed.setdefault(line.role, {})[line] = frozenset(calls_of(resolver, line))
    return {
        name: Case(role, frozenset(recorded.get(name, ())), listed.get(name, {}))
        for name, role in roles(resolver).items()
    }


def calls_of(resolver: Resolver, line: Line) -> Iterator[Call]:
    """The calls of a line of the list in an environment."""
    context = frozenset((key, resource) for key, value in line.context for resource in _expand(resolver, line, value))
    for text in line.resources:
        for resource in _expand(resolver, line, text):
            for action in line.actions:
                yield Call(action, resource, context)


def _expand(resolver: Resolver, line: Line, text: str) -> list[str]:
    """``text`` with its placeholders replaced: one for each combination, none where a resource is not there."""
    match = _PLACEHOLDER.search(text)
    if match is None:
        return [text]
    before, ends = text[: match.start()], _expand(resolver, line, text[match.end() :])
    return [before + value + end for value in _values(resolver, line, match[1]) for end in ends]


def _values(resolver: Resolver, line: Line, name: str) -> tuple[str, ...]:
    environment = resolver.assembly.environment
    account, region = resolver.account, resolver.region
    texts = {
        "account": account,
        "region": region,
        "prefix": environment.prefix,
        "database": database(environment.name),
        "application": f"arn:aws:kinesisanalytics:{region}:{account}:application/{environment.prefix}",
        "assets": f"cdk-hnb659fds-assets-{account}-{region}",
    }
    if name in texts:
        return (texts[name],)
    if name == "code":
        return (f"{resolver.assembly.one('Custom::SnapshotBefore').properties['Code']}.zip",)
    if name in ("event-bus", "event-bus-arn"):
        return _of_event_bus(resolver, name)
    if name == "archived":
        return ("",) if environment.archives_events else ()
    if name == "warehouse":
        return ("",) if environment.warehouse.enabled else ()
    if name in ("as-parquet", "as-lines"):
        return ("",) if environment.lake.parquet == (name == "as-parquet") else ()
    if name == "log-groups":
        return log_groups(resolver).get(line.role, ())
    if name in ("cluster", "topic", "group", "files", "files-folder", "files-key"):
        return _of_source(resolver, name)
    if name == "events" and environment.streams.input.existing_arn is not None:
        return (environment.streams.input.existing_arn,)
    if name == "events-key" and environment.streams.input.existing_arn is not None:
        return (environment.streams.input.existing_key_arn or "",)
    if name == "events-key" and environment.kinesis is None:
        return ()
    part, _, wanted = {"events": "streams/Events", "events-key": "streams/DataKey"}.get(name, name).partition("/")
    found: Found | None = resolver.named(part, wanted)
    return () if found is None else (resolver.arn(found).removesuffix(":*"),)


def _of_event_bus(resolver: Resolver, name: str) -> tuple[str, ...]:
    """Nothing, or the ARN, of the bus that alerts are put on; no line where there is none."""
    bus = resolver.assembly.environment.alerts.event_bus
    if bus is None:
        return ()
    return ("" if name == "event-bus" else f"arn:aws:events:{resolver.region}:{resolver.account}:event-bus/{bus.name}",)


def _of_source(resolver: Resolver, name: str) -> tuple[str, ...]:
    """What of a topic or of files a placeholder stands for; nothing where events come from elsewhere."""
    environment = resolver.assembly.environment
    if (files := environment.files) is not None:
        of_bucket = {"files": f"arn:aws:s3:::{files.bucket}", "files-folder": files.prefix}
        of_bucket |= {"files-key": files.key_arn} if files.key_arn else {}
        return (of_bucket[name],) if name in of_bucket else ()
    if (topic := environment.msk) is None:
        return ()
    cluster = topic.cluster_arn or resolver.arn(resolver.assembly.one("AWS::MSK::ServerlessCluster"))
    texts = {
        "cluster": cluster,
        "topic": f"{cluster.replace(':cluster/', ':topic/')}/{topic.topic}",
        "group": cluster.replace(":cluster/", ":group/"),
    }
    return (texts[name],) if name in texts else ()
