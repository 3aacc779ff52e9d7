"""Synthesized environments, each once a session."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.load import FOLDER, environments, load, parse
from config.model import Environment
from stacks.main import make_app
from tests.synth.templates import Assembly
from tests.unit.config.sources import settings

# After stacks.main, which chooses the Node.js that aws_cdk starts.
from stacks.checks import add_checks  # isort: skip
from stacks.composition import compose  # isort: skip

Synthesize = Callable[..., Assembly]

#: Every option switched to what dev and prod do not use.
_EVERYTHING: dict[str, Any] = {
    "name": "full",
    "account": "123456789012",
    "region": "eu-central-1",
    "network": {
        "zones": ["eu-central-1a", "eu-central-1b", "eu-central-1c"],
        "s3_prefix_list": "pl-0123456789abcdef0",
        "existing": {
            "vpc_id": "vpc-0123456789abcdef0",
            "cidr": "10.99.0.0/16",
            "subnet_ids": [f"subnet-0123456789abcdef{number}" for number in range(3)],
        },
    },
    "streams": {
        "input": {
            "existing_arn": "arn:aws:kinesis:eu-central-1:123456789012:stream/clicks",
            "existing_key_arn": "arn:aws:kms:eu-central-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef",
        },
        "results": {"enhanced_fan_out": True},
        "rejected": {"enhanced_fan_out": True, "mode": "on_demand"},
    },
    "application": {"state": "stopped", "allow_non_restored_state": True},
    "alerts": {
        "emails": ["team@example.com"],
        "categories": ["books", "toys"],
        "webhook": {
            "secret_arn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:alerts/webhook-a1B2c3",
            "key_arn": "arn:aws:kms:eu-central-1:123456789012:key/11234567-89ab-cdef-0123-456789abcdef",
            "format": "slack",
            "severities": ["HIGH"],
        },
        "event_bus": {"name": "analytics", "alert_types": ["FRAUD_DETECTED"]},
    },
    "search": {"enabled": True, "instances": 3},
    "warehouse": {"enabled": True},
    "audit": {"enabled": True},
    "pipeline": {"github_repository": "example/analytics"},
    "budget": {"monthly_usd": 400},
}
#: Every optional part switched off.
_LEAST: dict[str, Any] = {
    "name": "least",
    "network": {"zones": ["us-east-1a"]},
    "lake": {"enabled": False},
    "search": {"enabled": False},
    "audit": {"enabled": False},
}
#: Where events do not come from Kinesis: a topic of a cluster of ours, of one that is there, and files.
_TOPIC = settings("msk", name="msk", account="123456789012", pipeline={"github_repository": "example/analytics"})
_WAREHOUSE = {"enabled": True}
_KAFKA = settings("msk existing", name="kafka", lake={"events": False, "parquet": False}, warehouse=_WAREHOUSE)
_FILES = settings("s3", name="files", warehouse=_WAREHOUSE)
VARIANTS = {"full": _EVERYTHING, "least": _LEAST, "msk": _TOPIC, "kafka": _KAFKA, "files": _FILES}


def environment_named(name: str) -> Environment:
    """An environment of config/, or one of the variants that only tests have."""
    if name in VARIANTS:
        return parse(VARIANTS[name], f"{name}.toml")
    return load(name)


@pytest.fixture(scope="session")
def synthesize(tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """``synthesize(environment)``: the assembly; ``checked`` runs cdk-nag, too, which raises for a finding."""

    def run(environment: Environment, *, checked: bool = False) -> Assembly:
        target = tmp_path_factory.mktemp(environment.name)
        app = make_app(environment, outdir=str(target))
        parts = compose(app, environment)
        if checked:
            add_checks(app)
        app.synth()
        return Assembly(environment, target, {part: stack.stack_name for part, stack in parts.items()})

    return run


@pytest.fixture(scope="session", params=[*environments(FOLDER), *VARIANTS])
def assembly(request: pytest.FixtureRequest, assemblies: Callable[[str], Assembly]) -> Assembly:
    """Each environment in turn, checked by cdk-nag."""
    return assemblies(request.param)


@pytest.fixture(scope="session")
def assemblies(synthesize: Synthesize) -> Callable[[str], Assembly]:
    """An environment by its name, synthesized at the first call."""
    made: dict[str, Assembly] = {}

    def get(name: str) -> Assembly:
        if name not in made:
            made[name] = synthesize(environment_named(name), checked=True)
        return made[name]

    return get


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-snapshots", action="store_true", help="write tests/synth/snapshots anew")


def report(target: Path) -> dict[str, Any]:
    """CDK's validation report of an assembly."""
    content: dict[str, Any] = json.loads((target / "validation-report.json").read_text(encoding="utf-8"))
    return content
