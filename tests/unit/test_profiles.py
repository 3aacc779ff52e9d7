"""How many examples a property-based test has, also in the workers of `make fuzz`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from hypothesis import settings

ROOT = Path(__file__).resolve().parents[2]
#: Names the file that the probe writes to; kept for a test by tests/conftest.py, as every name that begins so.
_FILE = "PYTEST_PROBE_FILE"


def test_the_probe_writes_how_many_examples_it_has() -> None:
    examples = settings().max_examples
    assert examples > 0
    if _FILE in os.environ:
        Path(os.environ[_FILE]).write_text(str(examples), encoding="utf-8")


def test_given_the_fuzz_profile_then_a_worker_of_xdist_has_its_examples(tmp_path: Path) -> None:
    told = tmp_path / "examples"
    probe = f"{Path(__file__).relative_to(ROOT)}::{test_the_probe_writes_how_many_examples_it_has.__name__}"
    subprocess.run(  # noqa: S603 - our own tests
        [sys.executable, "-m", "pytest", "-n", "1", probe],
        cwd=ROOT,
        env={**os.environ, "HYPOTHESIS_PROFILE": "fuzz", "FUZZ_EXAMPLES": "777", _FILE: str(told)},
        check=True,
        capture_output=True,
    )
    assert told.read_text(encoding="utf-8") == "777"
