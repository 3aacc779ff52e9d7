"""What runs that start the whole pipeline in the test's own process share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.demo import application


@pytest.fixture
def run_dir(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A run directory of this test's own, gone afterwards."""
    path = application.ROOT / ".run" / f"{request.path.stem.removeprefix('test_').replace('_', '-')}-{os.getpid()}"
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def environment() -> Iterator[None]:
    """The functions run in this process and read its environment; what they were given is taken out again."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
