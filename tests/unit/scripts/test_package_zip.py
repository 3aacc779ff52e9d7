"""application.zip: what is in it, byte by byte the same, and a clear word when the jar is missing."""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path

import pytest

from flink_jobs.settings import RunOptions
from scripts import package
from tests.unit.scripts.jars import write_jar

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    return write_jar(tmp_path / "built.jar", {"a/Job.class": 11})


def a_checkout(root: Path) -> Path:
    for name in (
        "flink_jobs/__init__.py",
        "flink_jobs/entry.py",
        "flink_jobs/main.py",
        "flink_jobs/__pycache__/main.cpython-311.pyc",
        "flink_jobs/java/src/main/java/Job.java",
        "flink_jobs/java/src/test/java/JobTest.java",
        "flink_jobs/java/tools/helper.py",
        "flink_jobs/notes.txt",
        "pom.xml",
        ".mvn/jvm.config",
        "scripts/package.py",
        "contracts/__init__.py",
        "sql/aggregation.sql",
        "sql/redshift/view.sql",
        "sql/README.md",
        "stacks/network.py",
        "local/run.py",
        "tests/unit/test_x.py",
    ):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"content of {name}\n", encoding="utf-8")
    return root


def test_given_a_checkout_then_the_zip_holds_the_application_and_nothing_else(tmp_path: Path, jar: Path) -> None:
    target = tmp_path / "build" / "application.zip"
    count = package.build(a_checkout(tmp_path / "checkout"), jar, target)
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "lib/realtime-analytics.jar",
            "main.py",
            "python/contracts/__init__.py",
            "python/flink_jobs/__init__.py",
            "python/flink_jobs/entry.py",
            "python/flink_jobs/main.py",
            "python/sql/aggregation.sql",
        ]
        assert count == len(archive.namelist())
        assert archive.read("main.py") == b"content of flink_jobs/entry.py\n"
        assert archive.read("lib/realtime-analytics.jar") == jar.read_bytes()
    assert [path.name for path in target.parent.iterdir()] == ["application.zip"]


def test_given_this_repository_then_its_zip_holds_every_module_and_query(tmp_path: Path, jar: Path) -> None:
    target = tmp_path / "application.zip"
    package.build(ROOT, jar, target)
    with zipfile.ZipFile(target) as archive:
        names = archive.namelist()
        for name in names:
            if name.endswith((".py", ".sql")) and name != "main.py":
                assert archive.read(name) == (ROOT / name.removeprefix("python/")).read_bytes()
    modules = {f"python/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "flink_jobs").rglob("*.py")}
    queries = {f"python/sql/{path.name}" for path in (ROOT / "sql").glob("*.sql")}
    contracts = {f"python/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "contracts").rglob("*.py")}
    assert set(names) == {"main.py", "lib/realtime-analytics.jar"} | modules | queries | contracts
    assert "python/flink_jobs/main.py" in modules


def test_given_the_same_sources_with_other_dates_then_the_bytes_are_the_same(tmp_path: Path, jar: Path) -> None:
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    checkout = a_checkout(tmp_path / "checkout")
    package.build(checkout, jar, first)
    for path in [jar, *checkout.rglob("*.py")]:
        os.utime(path, (1_000_000_000, 1_000_000_000))
    package.build(a_checkout(tmp_path / "another"), jar, second)
    package.build(checkout, jar, tmp_path / "third.zip")
    assert first.read_bytes() == second.read_bytes() == (tmp_path / "third.zip").read_bytes()


def test_given_another_source_then_the_bytes_differ(tmp_path: Path, jar: Path) -> None:
    checkout = a_checkout(tmp_path / "checkout")
    package.build(checkout, jar, tmp_path / "first.zip")
    (checkout / "sql" / "aggregation.sql").write_text("SELECT 1\n", encoding="utf-8")
    package.build(checkout, jar, tmp_path / "second.zip")
    assert (tmp_path / "first.zip").read_bytes() != (tmp_path / "second.zip").read_bytes()


def test_given_the_run_options_then_they_name_what_is_in_the_zip(jar: Path) -> None:
    options = RunOptions(**package.RUN_OPTIONS)
    names = package.contents(ROOT, jar)
    assert options.python in names
    assert options.jarfile in names
    assert any(name.startswith(options.pyFiles + "/") for name in names)


def test_given_no_jar_then_it_says_which_and_what_builds_it_and_leaves_no_zip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "application.zip"
    arguments = ["package", "--jar", str(tmp_path / "absent.jar"), "--target", str(target)]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as caught:
        package.main()
    assert caught.value.code == f"{tmp_path / 'absent.jar'} is missing: run `make package`, which builds it first"
    assert not target.exists()


def test_given_a_jar_with_classes_that_the_services_java_cannot_load_then_it_names_them_and_leaves_no_zip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jar = write_jar(tmp_path / "new.jar", {"a/Job.class": 11, "b/Signer.class": 17})
    target = tmp_path / "application.zip"
    arguments = [
        "package",
        "--root",
        str(a_checkout(tmp_path / "checkout")),
        "--jar",
        str(jar),
        "--target",
        str(target),
    ]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as caught:
        package.main()
    assert caught.value.code == (
        f"{jar}: 1 classes need a newer Java than 11, which FLINK-1_20 runs: b/Signer.class (Java 17). "
        "Choose an older version of the dependency that brings them, in pom.xml."
    )
    assert not target.exists()


def test_given_a_jar_then_the_command_line_says_what_it_wrote(
    tmp_path: Path, jar: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "application.zip"
    checkout = a_checkout(tmp_path / "checkout")
    monkeypatch.setattr(sys, "argv", ["package", "--root", str(checkout), "--jar", str(jar), "--target", str(target)])
    package.main()
    assert capsys.readouterr().out == f"{target}: 7 files, 0.0 MB\n"


@pytest.mark.parametrize(
    "changed", ["flink_jobs/java/src/main/java/Job.java", "pom.xml", ".mvn/jvm.config", "sql/aggregation.sql"]
)
def test_given_a_source_of_the_zip_that_changed_then_its_fingerprint_is_no_longer_the_checkouts(
    tmp_path: Path, jar: Path, changed: str
) -> None:
    checkout, target = a_checkout(tmp_path / "checkout"), tmp_path / "application.zip"
    package.build(checkout, jar, target)
    assert package.built_from(target) == package.fingerprint(checkout)
    (checkout / changed).write_text("other\n", encoding="utf-8")
    assert package.built_from(target) != package.fingerprint(checkout)


@pytest.mark.parametrize(
    "changed", ["flink_jobs/java/src/test/java/JobTest.java", "sql/README.md", "stacks/network.py"]
)
def test_given_a_change_of_what_is_not_in_the_zip_then_it_is_not_stale(tmp_path: Path, jar: Path, changed: str) -> None:
    checkout, target = a_checkout(tmp_path / "checkout"), tmp_path / "application.zip"
    package.build(checkout, jar, target)
    (checkout / changed).write_text("other\n", encoding="utf-8")
    assert package.built_from(target) == package.fingerprint(checkout)


def test_given_a_file_that_is_no_zip_then_it_was_built_from_nothing_known(tmp_path: Path) -> None:
    (tmp_path / "broken.zip").write_bytes(b"PK")
    assert package.built_from(tmp_path / "broken.zip") == ""
