"""What runs of the whole pipeline share, in a process of its own or in the test's."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.demo import application

RUNS = application.ROOT / ".run"
EVENTS = "3000"
_RUN_SECONDS = 400


@dataclass(frozen=True)
class Demo:
    """A demo that has ended.

    ``start``: time of its first event. ``run_dir``: a copy of its run directory. ``output``: what it printed.
    """

    start: datetime
    run_dir: Path
    code: int
    output: str

    def results(self) -> bytes:
        """Every result, a line each."""
        return (self.run_dir / "results.jsonl").read_bytes()


def text(moment: datetime) -> str:
    """A time as the command line takes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def demo(*arguments: str) -> subprocess.Popen[str]:
    """Starts a demo."""
    return subprocess.Popen(  # noqa: S603 - this checkout's own module
        [sys.executable, "-m", "local.demo", *arguments],
        cwd=application.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(*arguments: str) -> tuple[int, str]:
    """Plays a demo to its end; its exit code and what it printed."""
    process = demo(*arguments)
    try:
        output, _ = process.communicate(timeout=_RUN_SECONDS)
    finally:
        process.terminate()
    return process.returncode, output


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """A demo from Kinesis with everything planted; the first of the session's workers that asks plays it for all."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    record, copy = shared / "undisturbed.json", shared / "undisturbed"
    with (shared / "undisturbed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not record.exists():
            # Early enough for all that is played from the same start.
            start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=4)
            name = f"undisturbed-{os.getpid()}"
            code, output = finished("--events", EVENTS, "--start", text(start), "--name", name, "--rate", "0")
            shutil.move(RUNS / name, copy)
            record.write_text(json.dumps([start.isoformat(), code, output]), encoding="utf-8")
    start, code, output = json.loads(record.read_text(encoding="utf-8"))
    return Demo(datetime.fromisoformat(start), copy, code, output)


@pytest.fixture
def run_dir(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A run directory of this test's own, gone afterwards."""
    path = RUNS / f"{request.path.stem.removeprefix('test_').replace('_', '-')}-{os.getpid()}"
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def environment() -> Iterator[None]:
    """The functions run in this process and read its environment; what they were given is taken out again."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
