"""Checks an earlier commit out and builds it, so that one run can compare it with this one."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import RunFailed

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Former:
    """A commit whose ``benchmarks.flink`` is run from ``folder``; contenders of it are named ``<name>@<commit>``."""

    commit: str
    folder: Path

    def contender(self, name: str) -> str:
        """Its name in tables."""
        return f"{name}@{self.commit[:7]}"


def prepared(commit: str, folder: Path) -> Former:
    """Checks the commit out and builds its jar, unless both are there.

    Raises:
        RunFailed: git does not know the commit, or Maven cannot build it.
    """
    found = Former(commit, folder / f"at-{commit}")
    if not (found.folder / "pom.xml").is_file():
        _run(["git", "worktree", "add", "--force", "--detach", str(found.folder), commit], ROOT)
    if not (found.folder / "build" / "maven" / "realtime-analytics.jar").is_file():
        repository = f"-Dmaven.repo.local={ROOT / '.cache' / 'm2'}"
        _run(["mvn", "-B", "-q", "-ntp", repository, "-DskipTests", "package"], found.folder)
    return found


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - git and mvn
    if done.returncode != 0:
        raise RunFailed(f"{' '.join(command)}: exit code {done.returncode}: {(done.stdout + done.stderr)[-500:]}")
