"""`make fuzz`, the Java half: Jazzer drives each fuzz target, guided by coverage, for some seconds.

Targets are the classes `*Fuzz` of flink_jobs/java/src/test. A corpus grows in build/fuzz from run to run. An input that
fails is kept there and named, with the exception: repair the reader, and make the input a test.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
_TESTS = ROOT / "flink_jobs" / "java" / "src" / "test" / "java"
_BUILD = ROOT / "build" / "maven"
_FOLDER = ROOT / "build" / "fuzz"
#: Coverage is counted in the readers and in the parser under them.
_COVERED = "realtime.analytics.**:org.apache.flink.shaded.jackson2.**"
_LONGEST_INPUT = 4096
_DONE = re.compile(r"Done (\d+) runs in (\d+) second")
_COVERAGE = re.compile(r"cov: (\d+)")


@dataclass(frozen=True)
class Outcome:
    """A target's run: inputs, seconds, covered edges, and the end of the output where an input failed."""

    target: str
    inputs: int
    seconds: int
    covered: int
    failure: str | None


def targets() -> list[str]:
    """Class names of the fuzz targets."""
    return sorted(".".join(path.relative_to(_TESTS).with_suffix("").parts) for path in _TESTS.rglob("*Fuzz.java"))


def command(target: str, seconds: int, classpath: str) -> list[str]:
    """Jazzer's command line."""
    corpus = _FOLDER / target
    return [
        "java",
        "-Xmx1g",
        "-cp",
        ":".join([str(_BUILD / "classes"), str(_BUILD / "test-classes"), classpath]),
        "com.code_intelligence.jazzer.Jazzer",
        f"--target_class={target}",
        f"--instrumentation_includes={_COVERED}",
        "--disabled_hooks=com.code_intelligence.jazzer.sanitizers.*",
        f"--reproducer_path={corpus}",
        f"-artifact_prefix={corpus}/",
        f"-max_total_time={seconds}",
        f"-max_len={_LONGEST_INPUT}",
        str(corpus),
    ]


def outcome(target: str, output: str, code: int) -> Outcome:
    """Reads what Jazzer has printed."""
    done = _DONE.search(output)
    covered = _COVERAGE.findall(output)
    failed = code != 0 or done is None
    return Outcome(
        target,
        int(done.group(1)) if done else 0,
        int(done.group(2)) if done else 0,
        int(covered[-1]) if covered else 0,
        "\n".join(output.splitlines()[-40:]) if failed else None,
    )


def run(target: str, seconds: int, classpath: str) -> Outcome:
    """Fuzzes a target."""
    (_FOLDER / target).mkdir(parents=True, exist_ok=True)
    ended = subprocess.run(  # noqa: S603 - our own command line
        command(target, seconds, classpath), capture_output=True, text=True, errors="replace", check=False, cwd=_FOLDER
    )
    return outcome(target, ended.stdout + ended.stderr, ended.returncode)


def main(arguments: Sequence[str]) -> int:
    """Fuzzes all targets, one after the other; 1 when an input failed."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="of each target (default: 60)")
    parser.add_argument("--only", default="", help="targets whose name contains this")
    chosen = parser.parse_args(arguments)
    classpath = (_BUILD / "fuzz.classpath").read_text(encoding="utf-8").strip()
    console = Console()
    table = Table("target", "inputs", "seconds", "covered edges", "result")
    failures = []
    for target in targets():
        if chosen.only in target:
            console.print(f"{target}: {chosen.seconds} s")
            found = run(target, chosen.seconds, classpath)
            table.add_row(
                target,
                f"{found.inputs:,}",
                str(found.seconds),
                f"{found.covered:,}",
                "FAILED" if found.failure else "ok",
            )
            failures += [f"{target}\n{found.failure}"] if found.failure else []
    console.print(table)
    for failure in failures:
        console.print(failure, markup=False, highlight=False)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
