"""Every source with every destination that the settings allow: synthesized, checked by cdk-nag and by cfn-lint."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from config.load import parse
from stacks.main import make_app
from tests.synth.templates import Assembly
from tests.unit.config.sources import SOURCES, settings

# After stacks.main, which chooses the Node.js that aws_cdk starts.
from stacks.checks import add_checks  # isort: skip
from stacks.composition import compose  # isort: skip

ROOT = Path(__file__).resolve().parents[2]
#: What the lake keeps, and whether there is a warehouse; results and rejections are always streams of Kinesis.
LAKES: dict[str, dict[str, Any]] = {
    "no lake": {"enabled": False},
    "results alone": {"events": False},
    "lines": {"parquet": False},
    "parquet": {},
}
COMBINATIONS = list(itertools.product(SOURCES, LAKES, (False, True)))


Combination = tuple[str, str, bool]


@pytest.fixture(scope="module")
def combined(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Combination], Assembly]:
    """A combination's templates, synthesized once and checked by cdk-nag, which raises for a finding."""

    @cache
    def synthesize(combination: Combination) -> Assembly:
        source, lake, warehouse = combination
        environment = parse(settings(source, lake=LAKES[lake], warehouse={"enabled": warehouse}), "test.toml")
        target = tmp_path_factory.mktemp("combination")
        # CloudFormation's own rules take ten times as long; test_checks.py has each source under them.
        app = make_app(environment, outdir=str(target), builtin_cloud_formation_validation=False)
        parts = compose(app, environment)
        add_checks(app)
        app.synth()
        return Assembly(environment, target, {part: stack.stack_name for part, stack in parts.items()})

    return synthesize


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_a_source_and_a_destination_are_what_was_asked_for(
    combined: Callable[[Combination], Assembly], combination: Combination
) -> None:
    source, lake, warehouse = combination
    made = combined(combination)
    parts = made.stack_names
    assert ("lake" in parts, "warehouse" in parts) == (made.environment.lake.enabled, warehouse)
    assert ("topic" in parts) is source.startswith("msk")
    archived = {
        delivery.properties["DeliveryStreamType"] for delivery in made.resources("AWS::KinesisFirehose::DeliveryStream")
    }
    of_events = {"kinesis": "KinesisStreamAsSource", "msk": "MSKAsSource"}.get(source.split()[0])
    assert archived == ({"KinesisStreamAsSource", of_events} - {None} if _archives(source, lake) else _results(lake))


@pytest.mark.parametrize("source", [source for source in SOURCES if source.startswith("msk")])
def test_firehose_reads_a_topic_from_its_beginning_over_a_private_connection(
    combined: Callable[[Combination], Assembly], source: str
) -> None:
    made = combined((source, "parquet", False))
    topic = made.environment.msk
    assert topic is not None
    (read,) = (
        one.properties["MSKSourceConfiguration"]
        for one in made.resources("AWS::KinesisFirehose::DeliveryStream")
        if one.properties["DeliveryStreamType"] == "MSKAsSource"
    )
    # Without a time Firehose begins with what comes after it was made, and the archive lacks what came before.
    assert read["ReadFromTimestamp"] == "1970-01-01T00:00:00Z"
    assert read["AuthenticationConfiguration"]["Connectivity"] == "PRIVATE"
    assert read["TopicName"] == topic.topic


def test_cfn_lint_finds_nothing_in_any_of_them(combined: Callable[[Combination], Assembly]) -> None:
    # Most combinations share most of their templates: each is looked at once.
    found = {
        path.read_bytes(): str(path)
        for combination in COMBINATIONS
        for path in sorted(combined(combination).folder.glob("*.template.json"))
    }
    assert len(found) > len(SOURCES) * 3
    linter = [str(Path(sys.executable).parent / "cfn-lint"), "--config-file", str(ROOT / ".cfnlintrc.yaml"), "-t"]
    done = subprocess.run([*linter, *found.values()], capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def _archives(source: str, lake: str) -> bool:
    return source != "s3" and lake in ("lines", "parquet")


def _results(lake: str) -> set[str]:
    return set() if lake == "no lake" else {"KinesisStreamAsSource"}
