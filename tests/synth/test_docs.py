"""Pages that must keep up with the templates: the runbook has every alarm, the bill is today's, parts are named."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from config.load import environments
from contracts.names import PARTS
from monitoring.alarms import alarms
from monitoring.names import deployed
from operations import cost_page
from operations.cost import RATES
from operations.costs import bill
from operations.prices import Prices
from tests.synth.conftest import VARIANTS, environment_named
from tests.synth.templates import Assembly

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
ACCOUNT, REGION = "123456789012", "us-east-1"


def _headings(page: str) -> list[str]:
    return re.findall(r"^## (.+)$", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)


def test_every_alarm_has_its_entry_in_the_runbook_and_every_entry_its_alarm() -> None:
    wanted = {
        rule.name
        for name in ("dev", "prod", *VARIANTS)
        for rule in alarms(environment_named(name), deployed(environment_named(name), ACCOUNT, REGION))
    }
    assert set(_headings("runbook.md")) == wanted


def test_the_runbook_marks_what_pages_and_nothing_else() -> None:
    prod = environment_named("prod")
    text = (DOCS / "runbook.md").read_text(encoding="utf-8")
    for rule in alarms(prod, deployed(prod, ACCOUNT, REGION)):
        entry = text.partition(f"## {rule.name}\n")[2].partition("\n## ")[0]
        assert entry.startswith("\n**Pages.**") == rule.pages, rule.name


def test_every_entry_says_what_to_do_or_whose_entry_does() -> None:
    text = (DOCS / "runbook.md").read_text(encoding="utf-8")
    for name in _headings("runbook.md"):
        entry = text.partition(f"## {name}\n")[2].partition("\n## ")[0]
        like = re.findall(r"As `([\w-]+)`", entry)
        assert "*Do*:" in entry or (like and like[0] in _headings("runbook.md")), name


def test_alarms_point_to_their_entries(assembly: Assembly) -> None:
    for alarm in assembly.resources("AWS::CloudWatch::Alarm"):
        (anchor,) = re.findall(r"docs/runbook\.md#([\w-]+)", alarm.properties["AlarmDescription"])
        assert anchor in _headings("runbook.md")
        assert alarm.properties["AlarmName"] == f"{assembly.environment.prefix}-{anchor}"


def test_what_should_wake_somebody_does_so_once(assembly: Assembly) -> None:
    composite = assembly.one("AWS::CloudWatch::CompositeAlarm").properties
    wanted = alarms(assembly.environment, deployed(assembly.environment, ACCOUNT, REGION))
    paging = {rule.name for rule in wanted if rule.pages}
    assert paging
    for alarm in assembly.resources("AWS::CloudWatch::Alarm"):
        name = alarm.properties["AlarmName"].removeprefix(f"{assembly.environment.prefix}-")
        assert (alarm.logical_id in str(composite["AlarmRule"])) == (name in paging)
        assert ("AlarmActions" in alarm.properties) == (name not in paging)
    assert composite["AlarmActions"]


def test_deploy_md_names_every_part() -> None:
    text = (DOCS / "deploy.md").read_text(encoding="utf-8")
    assert [part for part in PARTS if f"\n| {part} | " not in text] == []


def test_the_bill_on_the_page_is_the_templates(
    assemblies: Callable[[str], Assembly], request: pytest.FixtureRequest
) -> None:
    prices, bills = Prices.load(), {}
    for name in environments():
        found = assemblies(name)
        rates = {rate: bill(found.environment, found.templates, prices, rate) for rate in RATES}
        bills[name] = found.environment, rates
    page, text = DOCS / "costs.md", cost_page.page(bills, prices)
    if request.config.getoption("--update-snapshots"):
        page.write_text(text, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == text, "docs/costs.md is not today's bill: `make snapshots`"


def test_every_command_in_the_docs_is_a_target_of_the_makefile() -> None:
    targets = set(
        re.findall(r"^([a-z0-9-]+)(?: [a-z0-9-]+)?:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    targets |= {"stop"}
    for page in (ROOT / "README.md", *DOCS.rglob("*.md")):
        for target in re.findall(r"(?:^|`)make ([a-z][a-z0-9-]*)", page.read_text(encoding="utf-8"), re.MULTILINE):
            assert target in targets, f"{page.relative_to(ROOT)}: make {target}"


_SECTIONS = "application|backfill|streams|search|lake|audit|protection|network|pipeline|alerts"


@pytest.mark.parametrize("page", ["deploy.md", "runbook.md"])
def test_every_setting_in_the_docs_is_one_of_the_model(page: str) -> None:
    named = re.findall(rf"`((?:{_SECTIONS})\.[a-z_.]+)(?: = [^`]*)?`", (DOCS / page).read_text(encoding="utf-8"))
    assert named
    for key in (name for name in named if name != "application.zip"):
        found = environment_named("full").model_dump()
        for part in key.split("."):
            assert part in found, f"{page}: {key}"
            found = found[part] if isinstance(found[part], dict) else {}
            if part == "properties":
                break
