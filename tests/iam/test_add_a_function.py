"""docs/add-a-function.md, done: in a copy of the checkout, the entry and the package are put where the page says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from stacks.code import ROOT, ZIP
from tests.jobs import pages

PAGE = "add-a-function.md"

#: Packages it, synthesizes dev with cdk-nag, and proves the role; without the page's right, and without its package.
_PROGRAM = """
import json, shutil, sys
from dataclasses import replace
from pathlib import Path
from config.functions import FUNCTIONS
from scripts.package_lambdas import PackageError, contents
from tests.iam import proof
from tests.iam.functions import missing
from tests.synth.conftest import environment_named
from stacks.checks import add_checks
from stacks.composition import compose
from stacks.main import make_app
from stacks import code
from monitoring.alarms import alarms
from monitoring.names import deployed

# The application is not what is tested, and the copy has no Java to build it from.
code.application_zip = lambda: Path(sys.argv[1])
dev = environment_named("dev")
app = make_app(dev, outdir="checked", builtin_cloud_formation_validation=False)
compose(app, dev)
add_checks(app)
app.synth()
function = FUNCTIONS[0]
rules = alarms(dev, deployed(dev, "123456789012", "us-east-1"))
case = proof.cases("dev")["sinks/IncidentLogRole"]
without = tuple(one for one in case.role.permissions if one.sid != "WriteIncidents")
packed = sorted(name for name in contents("incident_log") if "incident" in name)
shutil.rmtree("lambdas/incident_log")
try:
    contents("incident_log")
    refused = ""
except PackageError as error:
    refused = str(error)
print("FOUND " + json.dumps({
    "packed": packed,
    "missing": list(missing(function, case)),
    "without the right": list(missing(function, replace(case, role=replace(case.role, permissions=without)))),
    "without the package": refused,
    "alarms": [rule.name for rule in rules if "incident" in rule.name],
}))
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy with the page's blocks where it says."""
    copy = pages.copy_of_the_checkout(tmp_path / "checkout")
    shutil.copy(ROOT / "cdk.json", copy)
    shutil.copytree(ROOT / "operations", copy / "operations", ignore=shutil.ignore_patterns("__pycache__"))
    entry = pages.block(PAGE, "At the head of `FUNCTIONS`", "python")
    pages.put(copy / "config" / "functions.py", "    AlertFunction(\n        package=WEBHOOK", entry)
    for place, text in pages.files(PAGE).items():
        (copy / place).parent.mkdir()
        (copy / place).write_text(text, encoding="utf-8")
        (copy / place).with_name("__init__.py").write_text("", encoding="utf-8")
    return copy


def test_a_function_is_an_entry_and_a_package(checkout: Path) -> None:
    # When the page's function is packed, deployed into a template under cdk-nag, and proven
    told = pages.run(checkout, _PROGRAM, str(ZIP))
    # Then nothing is missing, and without its right or its package one line says so
    assert told["packed"] == ["lambdas/incident_log/__init__.py", "lambdas/incident_log/handler.py"]
    assert told["missing"] == []
    assert told["without the right"] == [
        "incident_log calls dynamodb:PutItem on arn:aws:dynamodb:us-east-1:123456789012:table/incidents, which its "
        "role does not allow. Add a Right to its entry in config/functions.py."
    ]
    assert told["without the package"] == (
        "incident_log: there is no module lambdas.incident_log. Write lambdas/incident_log/handler.py with `handler`, "
        "and __init__.py (docs/add-a-function.md)"
    )
    assert told["alarms"] == ["late-incident-log", "dead-letters-incident-log"]
