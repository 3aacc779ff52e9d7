"""Pages name files that are there, and the page about the old application leaves none of its parts out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([*ROOT.glob("README*.md"), *(ROOT / "docs").rglob("*.md")])
#: Streams, pumps and programs of the page that the system comes from.
LEGACY = (
    "SOURCE_SQL_STREAM_001",
    "REALTIME_METRICS",
    "METRICS_PUMP",
    "ANOMALY_DETECTION_STREAM",
    "ANOMALY_PUMP",
    "USER_BEHAVIOR_PATTERN",
    "BEHAVIOR_PUMP",
    "USER_BEHAVIOR_SCORE",
    "BEHAVIOR_SCORE_PUMP",
    "FRAUD_DETECTION",
    "FRAUD_PUMP",
    "SessionAnalyzer",
    "InputRecords",
    "OutputRecords",
    "Downtime",
    "UpTime",
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?://)([^)#]+)(?:#[^)]*)?\)", text):
        assert (page.parent / target).exists(), target


def test_the_old_applications_parts_are_all_mapped_to_files_that_are_there() -> None:
    text = (ROOT / "docs" / "from-legacy-sql.md").read_text(encoding="utf-8")
    assert [name for name in LEGACY if f"`{name}`" not in text] == []
    files = re.findall(r"`((?:contracts|flink_jobs|lambdas|monitoring|sql|stacks)/[\w./]+)`", text)
    assert len(files) > 10
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_the_korean_page_has_the_same_commands() -> None:
    commands = [
        set(re.findall(r"\bmake [a-z][a-z-]*(?: [A-Z]+=\w+)?", (ROOT / name).read_text(encoding="utf-8")))
        for name in ("README.md", "README.ko.md")
    ]
    assert len(commands[0]) > 15
    assert commands[0] == commands[1]
