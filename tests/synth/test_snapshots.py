"""Templates as they were reviewed: a change of one is a change of a file that a person reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from config.load import environments
from tests.synth.templates import Assembly, normalised

SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.mark.parametrize("name", environments())
def test_the_templates_are_the_reviewed_ones(
    name: str, assemblies: Callable[[str], Assembly], request: pytest.FixtureRequest
) -> None:
    found = {f"{name}-{part}.json": normalised(body) for part, body in assemblies(name).templates.items()}
    if request.config.getoption("--update-snapshots"):
        SNAPSHOTS.mkdir(exist_ok=True)
        for path in SNAPSHOTS.glob(f"{name}-*.json"):
            path.unlink()
        for file, text in found.items():
            (SNAPSHOTS / file).write_text(text, encoding="utf-8")
    known = {path.name: path.read_text(encoding="utf-8") for path in SNAPSHOTS.glob(f"{name}-*.json")}
    assert sorted(known) == sorted(found)
    for file, text in found.items():
        # Not one assert of two long texts: pytest would take minutes to show their difference.
        assert text == known[file] or _first_difference(known[file], text) == "", _first_difference(known[file], text)


def _first_difference(known: str, found: str) -> str:
    for number, (old, new) in enumerate(zip(known.splitlines(), found.splitlines(), strict=False), 1):
        if old != new:
            return f"line {number}: {old.strip()!r} is now {new.strip()!r}; `make snapshots` when that is meant"
    return "one is longer; `make snapshots` when that is meant"
