"""Every call that the code or a service makes with a role is allowed by it, and nothing else is."""

from __future__ import annotations

import ast
import inspect
import textwrap

import pytest

from lambdas.application_lifecycle import goals, pruning, service, snapshotter, starter
from tests.iam import proof
from tests.iam.environments import ENVIRONMENTS
from tests.iam.policies import Call, Permission, allowed
from tests.iam.proof import Case
from tests.iam.service_calls import lines


@pytest.fixture(params=ENVIRONMENTS)
def cases(request: pytest.FixtureRequest) -> dict[str, Case]:
    return dict(proof.cases(request.param))


def test_every_call_is_allowed(cases: dict[str, Case]) -> None:
    assert {name: case.denied() for name, case in cases.items() if case.denied()} == {}


def test_every_action_and_resource_of_every_statement_is_used(cases: dict[str, Case]) -> None:
    assert {name: case.unused() for name, case in cases.items() if case.unused()} == {}


def test_the_proof_fails_without_any_one_action(cases: dict[str, Case]) -> None:
    tried, survived = 0, []
    for name, case in cases.items():
        for action, statements in case.mutations():
            tried += 1
            if not case.denied(statements):
                survived.append(f"{name}: {action}")
    assert tried > 90
    assert survived == []


def test_the_proof_fails_with_one_action_or_resource_too_many(cases: dict[str, Case]) -> None:
    for case in cases.values():
        role = case.role
        first = role.permissions[0]
        more = (
            Permission(first.sid, (*first.actions, "kinesis:DeleteStream"), first.resources, first.conditions),
            Permission(first.sid, first.actions, (*first.resources, "arn:aws:s3:::another"), first.conditions),
            Permission("Another", ("s3:DeleteObject",), ("*",)),
        )
        for one in more:
            widened = Case(type(role)(role.name, (*role.permissions[1:], one)), case.recorded, case.listed)
            assert widened.unused(), role.name


def test_every_role_has_calls(cases: dict[str, Case]) -> None:
    assert len(cases) >= 15
    for name, case in cases.items():
        assert case.role.permissions, name
        assert case.calls, name


def test_every_line_of_the_list_is_about_some_environment() -> None:
    everywhere = [proof.cases(name) for name in ENVIRONMENTS]
    for line in lines():
        assert any(line.role in cases and cases[line.role].listed[line] for cases in everywhere), line


def test_calls_with_another_context_are_denied() -> None:
    role = proof.cases("prod")["sinks/AlertsFunctionRole"].role
    (metric,) = (one for one in proof.cases("prod")[role.name].recorded if one.action == "cloudwatch:PutMetricData")
    assert allowed(role.permissions, metric)
    assert not allowed(role.permissions, Call(metric.action, "*"))
    assert not allowed(role.permissions, Call(metric.action, "*", frozenset({("cloudwatch:namespace", "AWS/X")})))


def _operations(client: str, source: str) -> set[str]:
    """Methods that code calls on a name or an attribute of that name."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            owner = node.value
            named = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
            if named == client:
                found.add(node.attr)
    return found


def _api_calls(method: str) -> set[str]:
    """API operations behind a method of FlinkApplication, the methods that it calls included."""
    source = textwrap.dedent(inspect.getsource(getattr(service.FlinkApplication, method)))
    inner = {name for name in _operations("self", source) if callable(getattr(service.FlinkApplication, name, None))}
    return _operations("client", source).union(*(_api_calls(name) for name in inner))


@pytest.mark.parametrize(
    ("role", "modules"),
    [
        ("analytics/SnapshotBeforeIsCompleteRole", [snapshotter]),
        ("analytics/StartAfterIsCompleteRole", [starter, goals, pruning]),
    ],
)
def test_every_call_that_the_lifecycle_can_make_was_made(role: str, modules: list[object]) -> None:
    """What the code could call, read from its text, is what was recorded: no branch was left out."""
    named = set().union(*(_operations("flink", inspect.getsource(module)) for module in modules))  # type: ignore[arg-type]
    methods = {name for name in named if callable(getattr(service.FlinkApplication, name, None))}
    possible = {name.replace("_", "") for method in methods for name in _api_calls(method)}
    recorded = {
        call.action.partition(":")[2].lower()
        for call in proof.cases("prod")[role].recorded
        if call.action.startswith("kinesisanalytics:")
    }
    assert recorded == possible
