"""docs/iam.md, from the templates, the recorded calls and the written list: ``python -m tests.iam.page`` writes it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from contracts.lake import database
from tests.iam import proof
from tests.iam.environments import assembly
from tests.iam.policies import Permission
from tests.iam.proof import Case
from tests.iam.resolver import ACCOUNT, CLUSTER_ID
from tests.iam.roles import ENDPOINTS
from tests.iam.service_calls import Source

PATH = Path(__file__).resolve().parents[2] / "docs" / "iam.md"
#: In this order: a role is shown as the first of them has it that has it.
_ENVIRONMENTS = ("full", "prod", "dev", "msk")
#: Where events come from elsewhere, a role may have other statements.
_SOURCES = {"msk": "a topic of MSK", "files": "files in S3 (here with a warehouse)"}
_TABLE = "| statement | actions | on | called by | source |\n| --- | --- | --- | --- | --- |\n"
_ITSELF = Source("recorded while it ran")

_HEAD = """\
# Who may do what

Every role of the deployment: its statements, who makes the calls that they allow, and how that is known. Written by
`python -m tests.iam.page`; a test keeps it true. The tests in `tests/iam` hold it against the templates both ways: a
call that is recorded or listed is allowed, and an action or resource that no call uses fails the test.

- *itself*: our code makes the call. It was recorded while the function ran as it is deployed, against moto and stubs.
- anybody else: a service, a library or a tool makes the call in the role's name. No test can record these, so
  `tests/iam/service_calls.py` lists them with a source. Those of Flink's Java are held against the classes in the jar.

A part that an environment does not have has no roles there. Names in pointed brackets are the environment's. Which
services may take a role over, and for which resources only, `tests/synth/test_security.py` tests for each role.

No call here was made against AWS: that a service calls what its documentation says, and nothing else, is its word. The
guide of the managed Flink service names the key permissions of who calls it, but not which call needs which.
"""


def page() -> str:
    """The page."""
    shown: dict[str, tuple[str, Case]] = {}
    for environment in _ENVIRONMENTS:
        for name, case in proof.cases(environment).items():
            shown.setdefault(name, (environment, case))
    parts = [_HEAD]
    for name, (environment, case) in sorted(shown.items()):
        parts.append(f"\n## {name}\n\n")
        if name in ENDPOINTS:
            parts.append("The policy of an endpoint: what passes through it must be allowed by it and by the role.\n\n")
        rows = _rows(environment, case)
        parts += [_TABLE, *rows]
        for source, called in _SOURCES.items():
            other = proof.cases(source).get(name)
            more = [row for row in _rows(source, other) if row not in rows] if other is not None else []
            if more:
                parts += [f"\nWhere events come from {called}, in place of what is about the stream of events:\n\n"]
                parts += [_TABLE, *more]
    return "".join(parts)


def _rows(environment: str, case: Case) -> list[str]:
    return [
        _row(environment, permission, *row)
        for permission in case.role.permissions
        for row in _callers(case, permission)
    ]


def _callers(case: Case, permission: Permission) -> Iterator[tuple[list[str], str, list[Source]]]:
    """Used actions, caller and sources: our code first, then who is listed."""
    recorded = sorted({call.action for call in case.recorded if permission.matches(call)})
    if recorded:
        yield recorded, "itself", [_ITSELF]
    callers: dict[str, tuple[set[str], dict[Source, None]]] = {}
    for line, calls in case.listed.items():
        used = {call.action for call in calls if permission.matches(call)}
        if used:
            actions, sources = callers.setdefault(line.caller, (set(), {}))
            actions |= used
            sources[line.source] = None
    for caller, (actions, sources) in callers.items():
        yield sorted(actions), caller, list(sources)


def _row(environment: str, permission: Permission, actions: list[str], caller: str, sources: list[Source]) -> str:
    # Sorted: CDK orders what is known at deployment otherwise in each environment.
    resources = _code(sorted(_general(environment, resource) for resource in permission.resources))
    conditions = [
        f"`{_general(environment, key)}` is {_code(_general(environment, value) for value in values)}"
        for _, key, values in permission.conditions
    ]
    where = " and ".join(conditions)
    told = ", ".join(source.title if source.url is None else f"[{source.title}]({source.url})" for source in sources)
    on = f"{resources} where {where}" if where else resources
    return f"| {permission.sid} | {_code(actions)} | {on} | {caller} | {told} |\n"


def _code(texts: Iterable[str]) -> str:
    return ", ".join(f"`{text}`" for text in texts)


def _general(environment: str, text: str) -> str:
    """A resource of any environment."""
    settings = assembly(environment).environment
    existing, files = settings.streams.input, settings.files
    for found, name in (
        (None if files is None else files.bucket, "<bucket with events>"),
        (None if files is None else files.prefix, "<prefix>/"),
        (None if files is None else files.prefix.rstrip("/"), "<prefix>"),
        (None if files is None else files.key_arn, "<key of the bucket with events>"),
        (existing.existing_arn, "<stream of events>"),
        (existing.existing_key_arn, "<key of the stream of events>"),
        (database(settings.name), "realtime_analytics_<environment>"),
        (settings.prefix, "realtime-analytics-<environment>"),
        (f"RealTimeAnalytics/{settings.name}", "RealTimeAnalytics/<environment>"),
        (CLUSTER_ID, "<id>"),
        (ACCOUNT, "<account>"),
        (settings.region, "<region>"),
    ):
        if found is not None:
            text = text.replace(found, name)
    return re.sub(r"[0-9a-f]{64}", "<hash>", text)


def main() -> int:
    """Writes the page."""
    PATH.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
