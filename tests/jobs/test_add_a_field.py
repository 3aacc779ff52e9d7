"""docs/add-a-field.md, done: in a copy of the checkout, the page's blocks are put where it says, and both jobs run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.jobs import pages
from tests.jobs.harness import JAR, ROOT

PAGE = "add-a-field.md"
TEST = "tests/unit/flink_jobs/jobs/test_job_switch.py"

#: The rule's own test, then both jobs in the graph, then what is derived from the line.
_PROGRAM = """
import json, sys
from pathlib import Path
from tests.events import MINUTE, at, configured, event, log
from tests.jobs.harness import run
from local.oracle import verdicts
from scripts import docs

page: dict = {}
exec(compile(Path(sys.argv[3]).read_text(), "page", "exec"), page)
page["test_a_user_goes_on_on_another_device"]()
jar, folder = Path(sys.argv[1]), Path(sys.argv[2])
records = log([
    event(0, device="phone"),
    event(1, device="tv"),
    event(2, device=""),
    event(3),
    event(4, device=7),
    event(5, device={"name": "tv"}),
    event(6, device="x" * 257),
    event(5 * MINUTE, device="tv"),
])
settings = configured("devices", "switch", "session")
output = run(records, settings, jar, folder / "archive.jsonl")
judged = verdicts.judge(
    records,
    watermark_delay=settings.time.watermark_delay,
    tolerance=verdicts.Tolerance.of(settings.time),
    duplicate_window=settings.time.duplicate_window,
)
print("FOUND " + json.dumps({
    "devices": sorted([row["window_start"] == at(0), row["device"], row["event_count"]]
                      for row in output.rows("devices")),
    "switches": [[row["event_time"] == at(offset), row["user_id"], row["device_before"], row["device"]]
                 for row, offset in zip(output.rows("switch"), (1, 4, 5 * MINUTE), strict=True)],
    "events of the session": [row["event_count"] for row in output.rows("session")],
    "reasons": [row["reason"] for row in output.rejections()],
    "as the oracle": output.reasons() == {place: reason.value for place, reason in judged.rejected.items()},
    "oracle": [each.own["device"] for each in judged.events],
    "table": "    `device` STRING," in docs.files()["sql/events.sql"].splitlines(),
    "page": "| `device` | string, or null | what it was seen on |" in docs.pages()["contracts.md"].splitlines(),
}))
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy with the page's blocks where it says."""
    copy = pages.copy_of_the_checkout(tmp_path / "checkout")
    events = copy / "contracts" / "events.py"
    pages.put(events, "\n\nclass ContractError(", pages.block(PAGE, "At the end of `class Event`", "python"))
    for place, text in pages.files(PAGE).items():
        (copy / place).write_text(text, encoding="utf-8")
    return copy


def test_a_field_is_a_line_and_a_query_and_a_rule_read_it(checkout: Path, tmp_path: Path) -> None:
    # When the rule's test runs, and then both jobs beside another of the rule's lane
    told = pages.run(checkout, _PROGRAM, str(JAR), str(tmp_path), str(checkout / TEST))
    # Then their rows are right, what is no device is rejected, and all that follows has the field
    assert told["devices"] == [[False, "tv", 1], [True, "7", 1], [True, "phone", 1], [True, "tv", 1]]
    assert told["switches"] == [[True, 1, "phone", "tv"], [True, 1, "tv", "7"], [True, 1, "7", "tv"]]
    assert told["events of the session"] == [6]
    assert told["reasons"] == ["invalid_type", "out_of_range"]
    assert told["as the oracle"] is True
    assert told["oracle"] == ["phone", "tv", None, None, "7", "tv"]
    assert told["table"] is True
    assert told["page"] is True


def test_a_field_and_the_job_that_reads_it_are_clean_for_mypy_and_ruff(checkout: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", checkout)
    written = ["contracts/events.py", *(place for place in pages.files(PAGE) if place.endswith(".py"))]
    for command in (["mypy"], ["ruff", "check"], ["ruff", "format", "--check"]):
        done = subprocess.run(  # noqa: S603 - this interpreter's own tools
            [sys.executable, "-m", *command, *written],
            cwd=checkout,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
