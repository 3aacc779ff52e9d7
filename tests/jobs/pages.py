"""Does what a page of docs/ says, in a copy of the checkout."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from local.environment import child_environment
from tests.jobs.harness import ROOT

_COPIED = ("config", "contracts", "flink_jobs", "lambdas", "local", "monitoring", "scripts", "sql", "stacks", "tests")


def block(page: str, after: str, language: str) -> str:
    """The first code block of ``language`` behind the words ``after``."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8").partition(after)[2]
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found is not None, after
    return found[1]


def put(file: Path, before: str, text: str) -> None:
    """Puts the text ahead of what the file has once."""
    content = file.read_text(encoding="utf-8")
    assert content.count(before) == 1, before
    file.write_text(content.replace(before, text + before), encoding="utf-8")


#: A file of a page: its place, in the words ahead of the block with its text.
_FILE = re.compile(
    r"`(?P<place>[\w/]+\.(?:py|sql))`(?::| computes[^`]*?)(?:(?!```).)*?```(?:python|sql)\n(?P<text>.*?)```", re.S
)


def files(page: str) -> dict[str, str]:
    """The new files that a page holds whole: place to text."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return {match["place"]: match["text"] for match in _FILE.finditer(text) if not (ROOT / match["place"]).exists()}


def copy_of_the_checkout(target: Path) -> Path:
    """Its Python and SQL."""
    for folder in _COPIED:
        shutil.copytree(ROOT / folder, target / folder, ignore=shutil.ignore_patterns("__pycache__", "java", "e2e"))
    return target


def run(checkout: Path, program: str, *arguments: str) -> dict[str, Any]:
    """What the program tells behind FOUND; it runs in the checkout."""
    done = subprocess.run(  # noqa: S603 - this interpreter and a test's program
        [sys.executable, "-c", program, *arguments],
        cwd=checkout,
        env=child_environment() | {"PYTHONPATH": str(checkout)},  # also for the Python workers that the JVM starts
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    found = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    assert found, done.stdout[-2000:] + done.stderr[-4000:]
    told: dict[str, Any] = json.loads(found[0].removeprefix("FOUND "))
    return told
