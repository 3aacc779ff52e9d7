"""Whole-template checks: cdk-nag, CloudFormation's own rules, cfn-lint, repeatability."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from config.load import environments
from stacks.acknowledgments import accepted
from tests.synth.conftest import Synthesize, environment_named, report
from tests.synth.templates import Assembly

ROOT = Path(__file__).resolve().parents[2]
_NAG = "AwsSolutions"


def test_no_finding_of_cdk_nag_is_unacknowledged(assembly: Assembly) -> None:
    reports = {one["pluginName"]: one for one in report(assembly.folder)["pluginReports"]}
    assert reports[_NAG]["conclusion"] == "success"
    assert reports[_NAG]["violations"] == []
    assert [one["pluginName"] for one in reports.values() if one["violations"]] == []


def test_every_acknowledgment_has_a_reason_and_meets_a_finding(assembly: Assembly) -> None:
    nag = next(one for one in report(assembly.folder)["pluginReports"] if one["pluginName"] == _NAG)
    met = {(one["acknowledgedAt"], one["acknowledgedId"]) for one in nag["suppressedViolations"]}
    assert met
    for part, rows in accepted(assembly.environment).items():
        if part not in assembly.stack_names:
            continue
        stack = assembly.stack_names[part]
        for row in rows:
            assert len(row.reason) > 20, row
            place = stack if row.path == "." else f"{stack}/{row.path}"
            for finding in row.findings:
                if "{" in finding:  # holds a logical id
                    continue
                assert any(at.startswith(place) and told.endswith(f"-{finding}") for at, told in met), (
                    f"{place}: {finding} is acknowledged and not found"
                )


def test_a_finding_that_nobody_acknowledged_fails_the_synth(
    synthesize: Synthesize, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stacks.composition.acknowledge", lambda stacks: None)
    with pytest.raises(RuntimeError, match=r"Acknowledge with .AwsSolutions::AwsSolutions-SQS3"):
        synthesize(environment_named("least"), checked=True)


def test_cfn_lint_has_no_error_and_no_warning(assembly: Assembly) -> None:
    templates = [str(path) for path in sorted(assembly.folder.glob("*.template.json"))]
    assert templates
    done = subprocess.run(  # noqa: S603 - the linter beside our interpreter
        [
            str(Path(sys.executable).parent / "cfn-lint"),
            "--config-file",
            str(ROOT / ".cfnlintrc.yaml"),
            "-t",
            *templates,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("name", environments())
def test_two_runs_give_the_same_templates(name: str, synthesize: Synthesize) -> None:
    first, second = synthesize(environment_named(name)), synthesize(environment_named(name))
    assert first.folder != second.folder
    assert first.templates == second.templates
