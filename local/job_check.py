"""``make check JOB=revenue``: the entry, style and tests of one job, in seconds; ``make watch`` at every save.

The tests run in a process of their own, so that they see what was saved. A query's need a cluster, whose start takes
most of the time: ``make watch`` keeps one (tests/jobs/warm.py).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from local.environment import child_environment

ROOT = Path(__file__).resolve().parent.parent
_LOOK_SECONDS = 0.3
#: Shared by all jobs: a change of these may change any result.
_SHARED = ("contracts", "flink_jobs", "local/oracle", "tests/events.py")

_ENTRY = """
import sys
from contracts import jobs
from contracts.entry import mistakes
from contracts.events import ContractError
from contracts.lake import every_result
from contracts.metrics import check_metrics
name = sys.argv[1]
if name not in jobs.names():
    sys.exit(f"JOB={name}: there is no such job; allowed are {', '.join(jobs.names())}. New ones: make new-job")
found = list(mistakes(name, jobs.entry_of(name)))
if found:
    sys.exit("\\n".join(found))
try:
    check_metrics()
    every_result()
except ContractError as error:
    sys.exit(str(error))
"""


def files(job: str) -> list[Path]:
    """The job's own files, as far as they are there."""
    places = (
        f"contracts/jobs/{job}.py",
        f"sql/{job}.sql",
        f"flink_jobs/jobs/{job}.py",
        f"local/oracle/jobs/{job}.py",
        f"tests/jobs/test_{job}.py",
        f"tests/unit/flink_jobs/jobs/test_job_{job}.py",
    )
    return [ROOT / place for place in places if (ROOT / place).is_file()]


def steps(job: str) -> Iterator[tuple[str, list[str]]]:
    """What is checked, and how."""
    own = [str(path.relative_to(ROOT)) for path in files(job)]
    python = [place for place in own if place.endswith(".py")]
    queries = [place for place in own if place.endswith(".sql")]
    tests = [place for place in own if place.startswith("tests/")]
    yield "entry", [sys.executable, "-c", _ENTRY, job]
    if tests:
        yield "tests", [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "--tb=short", *tests]
    if python:
        yield "ruff", [sys.executable, "-m", "ruff", "check", "-q", *python]
    if queries:
        yield "sqlfluff", [sys.executable, "-m", "sqlfluff", "lint", "-q", *queries]


class WarmTests:
    """Runs tests over one warm cluster, in a process of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter and a module of the checkout
            [sys.executable, "-m", "tests.jobs.warm"],
            cwd=ROOT,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def run(self, arguments: list[str]) -> tuple[int, str]:
        """Exit code and words of pytest; RuntimeError when the process has ended."""
        if self._process.stdin is None or self._process.stdout is None or self._process.poll() is not None:
            raise RuntimeError("watch: the process with the warm cluster has ended: start make watch anew")
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return int(answer["code"]), str(answer["said"])

    def close(self) -> None:
        """Ends the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


def check(job: str, say: Callable[[str], None], warm: WarmTests | None = None) -> bool:
    """Whether all is right; says the words of the first step that is not. ``warm``: runs the tests."""
    began = time.monotonic()
    if not any(place.name.startswith("test_") for place in files(job)):
        say(f"{job}: no tests: write tests/jobs/test_{job}.py or tests/unit/flink_jobs/jobs/test_job_{job}.py")
    # All at once: the style is looked at while the tests run.
    plan = dict(steps(job))
    running = {what: _started(command) for what, command in plan.items() if warm is None or what != "tests"}
    ended: dict[str, tuple[int, str]] = {}
    if warm is not None and "tests" in plan:
        code, said = warm.run(plan["tests"][3:])  # pytest's own arguments
        ended["tests"] = code, _words(said, "")
    for what, step in running.items():
        said = _words(*step.communicate())
        ended[what] = step.returncode, said
    for what in plan:  # what a query's columns lack is said ahead of its style
        code, said = ended[what]
        if code:
            say(f"{job}: {what} failed after {time.monotonic() - began:.1f} s\n{said}")
            return False
    say(f"{job}: all is right, {time.monotonic() - began:.1f} s")
    return True


def _started(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - this interpreter on the checkout's files
        command, cwd=ROOT, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _words(out: str, errors: str) -> str:
    """What a step said; of a test that ends with an error of ours, that line first."""
    ours = [line.removeprefix("E   ").strip() for line in out.splitlines() if "ContractError: " in line]
    first = [line.partition("ContractError: ")[2] for line in ours[-1:]]
    return "\n".join(first or (out.strip(), errors.strip()))


def _environment() -> dict[str, str]:
    return {**child_environment(), "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}


def watch(job: str, say: Callable[[str], None]) -> None:
    """Checks at every save, until Ctrl-C."""
    warm = WarmTests() if (ROOT / "sql" / f"{job}.sql").is_file() else None  # a rule's tests need no cluster
    seen: dict[Path, int] = {}
    try:
        while True:
            now = {path: _saved(path) for path in _watched(job)}
            if now != seen:
                seen = now
                check(job, say, warm)
            time.sleep(_LOOK_SECONDS)  # files are looked at, nothing is waited for
    finally:
        if warm is not None:
            warm.close()


def _saved(path: Path) -> int:
    """When the file was saved; 0 while an editor has it away."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _watched(job: str) -> list[Path]:
    shared = [
        path
        for place in _SHARED
        for path in ((ROOT / place).rglob("*.py") if (ROOT / place).is_dir() else [ROOT / place])
    ]
    # Names with a dot are editors' locks.
    return sorted({*(path for path in shared if not path.name.startswith(".")), *files(job)})


def main(arguments: list[str]) -> int:
    """Exit code 1 when something is not right."""
    parser = argparse.ArgumentParser(prog="make check", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("job")
    parser.add_argument("--watch", action="store_true", help="again at every save, over one warm cluster")
    given = parser.parse_args(arguments)
    if not given.watch:
        return 0 if check(given.job, print) else 1
    try:
        watch(given.job, print)
    except KeyboardInterrupt:
        print("watch: ended")
    return 0


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main(sys.argv[1:]))
