"""The Makefile and its check of the machine: nothing of a shell decides, and what fails is not taken for done."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
#: A Python whose venv holds a pip that cannot install.
_PYTHON_WITHOUT_INDEX = """\
#!/bin/sh
[ "$1 $2" = "-m venv" ] || exit 1
mkdir -p .venv/bin
printf '#!/bin/sh\\necho "Collecting boto3"; echo "ERROR: no index" >&2; exit 1\\n' > .venv/bin/python
chmod +x .venv/bin/python
"""


def make(*arguments: str, cwd: Path = ROOT, held: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [_program("make"), *arguments],
        cwd=cwd,
        env={**os.environ, **(held or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def _program(name: str) -> str:
    found = shutil.which(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("goal", "variable", "value"),
    [
        ("destroy", "ENV", "prod"),
        ("deploy", "ENV", ""),
        ("forget", "ENV", "prod"),
        ("synth", "ENV", "prod"),
        ("backfill", "FROM", "2026-11-24T00:00:00Z"),
        ("backfill", "TO", "2026-11-24T00:00:00Z"),
        ("demo", "SOURCE", "s3"),
        ("demo", "ARGS", "--keep"),
        ("test", "ARGS", "-x"),
        ("redrive", "ARGS", "replay"),
        ("check", "JOB", "fraud"),
        ("watch", "JOB", "fraud"),
        ("new-job", "NAME", "revenue"),
        ("new-job", "KIND", "sql"),
        ("new-job", "KEY", "user_id"),
    ],
)
def test_given_a_variable_in_the_shell_then_a_target_that_takes_it_is_refused_with_the_cure(
    goal: str, variable: str, value: str
) -> None:
    done = make("-n", goal, held={variable: value})
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        f"Makefile:{_line_of('from_the_shell,$(name)')}: *** the shell holds {variable}='{value}', which does not "
        f"count: unset {variable}, and write make {goal} {variable}=....  Stop."
    ]


def _line_of(text: str) -> int:
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


@pytest.mark.parametrize("override", [(), ("-e",)])
def test_given_a_variable_in_the_shell_then_other_targets_do_not_see_it(override: tuple[str, ...]) -> None:
    held = {"ENV": "prod", "FROM": "a", "TO": "b", "SOURCE": "msk", "ARGS": "--keep", "USER": "42"}
    done = make(*override, "-n", "lint", held=held)
    assert (done.returncode, done.stdout) == (0, make("-n", "lint").stdout)


@pytest.mark.parametrize("target", ["test", "synth-tests"])
def test_given_an_environment_in_the_shell_then_it_reaches_no_prerequisite_and_no_other_make(target: str) -> None:
    done = make("-n", target, held={"ENV": "prod"})
    synthesized = [line.strip() for line in done.stdout.splitlines() if "scripts.synth" in line]
    assert synthesized == [".venv/bin/python -m scripts.synth"]


def test_given_the_user_of_the_shell_then_nobody_is_forgotten() -> None:
    done = make("-n", "forget", "ENV=dev", held={"USER": "42"})
    assert done.returncode == 2
    assert "which user? make forget ENV=prod USER=42" in done.stderr


def test_given_the_variables_behind_make_then_they_count() -> None:
    assert "operations.destroy dev" in make("-n", "destroy", "ENV=dev", held={"ENV": "prod"}).stdout
    assert "--user 7" in make("-n", "forget", "ENV=dev", "USER=7", held={"USER": "42"}).stdout
    assert "local.demo --source s3 --keep" in make("-n", "demo", "SOURCE=s3", "ARGS=--keep").stdout


def test_given_a_shell_that_misleads_python_and_node_then_recipes_do_not_see_it(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "scripts").mkdir()
    names = ("PYTHONPATH", "PYTHONSAFEPATH", "PYTHONWARNINGS", "PIP_TARGET", "NODE_ENV")
    (tmp_path / "scripts" / "check_system.sh").write_text("env\n", encoding="utf-8")
    shown = make("check", cwd=tmp_path, held=dict.fromkeys(names, "misleading")).stdout
    assert "PATH=" in shown
    assert "misleading" not in shown


def test_given_an_old_make_then_one_line_says_so() -> None:
    done = make("MAKE_VERSION=3.81", "demo")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "GNU make 3.81 knows no .SHELLFLAGS" in done.stderr
    assert "gmake demo" in done.stderr


@pytest.mark.parametrize("flags", [(), (".SHELLFLAGS=-c",)])
def test_given_an_installation_that_fails_then_it_is_not_taken_for_installed(
    tmp_path: Path, flags: tuple[str, ...]
) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name, text in (
        ("scripts/check_system.sh", ""),
        ("requirements/dev.lock", "boto3\n"),
        ("bin/python", _PYTHON_WITHOUT_INDEX),
    ):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
    done = make(*flags, ".venv/.installed", f"PYTHON={tmp_path / 'bin' / 'python'}", cwd=tmp_path)
    assert done.returncode == 2
    assert "ERROR: no index" in done.stderr
    assert not (tmp_path / ".venv" / ".installed").exists()


@pytest.mark.parametrize("name", ["a folder", "a:b", "a,b", "it's", "a%b", "a$b", "tab\there"])
def test_given_a_checkout_in_a_folder_that_flink_cannot_run_in_then_one_line_says_so(tmp_path: Path, name: str) -> None:
    done = _check(tmp_path / name)
    assert done.returncode == 1
    assert done.stderr.endswith("break on spaces and punctuation in a path; move the checkout to another folder\n")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["kit-1.2_b+c@d~e", "분석"])
def test_given_a_checkout_in_any_other_folder_then_it_is_taken(tmp_path: Path, name: str) -> None:
    assert "move the checkout" not in _check(tmp_path / name).stderr


def _check(folder: Path) -> subprocess.CompletedProcess[str]:
    folder.mkdir()
    return subprocess.run(  # noqa: S603
        [_program("bash"), str(ROOT / "scripts" / "check_system.sh")],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_given_the_java_home_of_another_jdk_then_the_check_names_it(tmp_path: Path) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n", encoding="utf-8")
    java.chmod(0o755)
    done = make("check", held={"JAVA_HOME": str(tmp_path)})
    assert done.returncode == 2
    assert f"missing: a JDK 17, as '{java}' (set JAVA_HOME to name another)" in done.stderr
    assert done.stderr.count("missing: ") == 1
