"""build/lambdas/: what each function imports, byte by byte the same, and importable on its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import boto3
import pytest

from scripts import package_lambdas
from scripts.package_lambdas import FUNCTIONS, HANDLERS, PackageError, build, contents, digest

ROOT = Path(__file__).resolve().parents[3]
SITE_PACKAGES = Path(boto3.__file__).resolve().parents[1]

#: Imports a handler with nothing but the folder and the site-packages on the path, and tells what came from where.
IMPORTER = """
import importlib, sys
folder, packages, root, *handlers = sys.argv[1:]
assert not {root, packages} & set(sys.path)
sys.path += [folder, packages]
for handler in handlers:
    module, name = handler.rsplit(".", 1)
    assert callable(getattr(importlib.import_module(module), name)), handler
for name, module in sorted(sys.modules.items()):
    if name.split(".")[0] in ("lambdas", "contracts", "aws_lambda_powertools", "typing_extensions"):
        assert module.__file__.startswith(folder + "/"), (name, module.__file__)
    elif getattr(module, "__file__", None) and module.__file__.startswith(packages):
        print(name.split(".")[0])
"""


def tree(folder: Path) -> dict[str, tuple[bytes, int, float]]:
    """Bytes, mode and time of every file, and of the folders (without bytes)."""
    return {
        path.relative_to(folder).as_posix(): (
            path.read_bytes() if path.is_file() else b"",
            path.stat().st_mode,
            path.stat().st_mtime,
        )
        for path in sorted(folder.rglob("*"))
    }


def a_checkout(root: Path, **files: str) -> Path:
    """The two packages with the functions' handlers, where ``files`` (``__`` for ``/``) does not say otherwise."""
    for name in ("lambdas/__init__.py", "contracts/__init__.py", "contracts/names.py", "lambdas/common/__init__.py"):
        write(root / name, "")
    for modules in FUNCTIONS.values():
        for module in modules:
            write(root / (module.replace(".", "/") + ".py"), "import json\n")
            write(root / module.replace(".", "/").rsplit("/", 1)[0] / "__init__.py", "")
    for name, text in files.items():
        write(root / (name.replace("__", "/") + ".py"), text)
    return root


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_given_imports_of_every_form_then_what_they_name_is_packed_and_nothing_else(tmp_path: Path) -> None:
    checkout = a_checkout(
        tmp_path,
        lambdas__alerts__handler="""
import boto3, contracts.names
from lambdas.common import a, VALUE
from lambdas.common.b import NAME
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from lambdas.common import never
else:
    from lambdas.common import other
def late():
    from lambdas.alerts import later
""",
        lambdas__common____init__="VALUE = 1",
        lambdas__common__a="import lambdas.common.deep",
        lambdas__common__b="NAME = 1",
        lambdas__common__deep="from urllib3 import PoolManager",
        lambdas__common__other="",
        lambdas__common__never="",
        lambdas__common__unused="",
        lambdas__alerts__later="",
    )
    write(checkout / "lambdas" / "common" / "__init__.py", "VALUE = 1")
    assert list(contents("alerts", checkout)) == [
        "contracts/__init__.py",
        "contracts/names.py",
        "lambdas/__init__.py",
        "lambdas/alerts/__init__.py",
        "lambdas/alerts/handler.py",
        "lambdas/alerts/later.py",
        "lambdas/common/__init__.py",
        "lambdas/common/a.py",
        "lambdas/common/b.py",
        "lambdas/common/deep.py",
        "lambdas/common/other.py",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import opensearchpy", r"handler\.py:1: opensearchpy is not part of Lambda's Python runtime"),
        ("\nfrom requests.auth import x", r"handler\.py:2: requests\.auth is not part"),
        ("from . import x", r"handler\.py:1: a relative import is not followed"),
        ("import lambdas.alerts.gone", r"alerts: there is no module lambdas\.alerts\.gone"),
    ],
)
def test_given_an_import_that_would_fail_in_lambda_then_it_is_refused(tmp_path: Path, text: str, message: str) -> None:
    checkout = a_checkout(tmp_path, lambdas__alerts__handler=text)
    with pytest.raises(PackageError, match=message):
        contents("alerts", checkout)


def test_given_this_repository_then_a_function_holds_its_own_and_what_it_shares() -> None:
    packed = {function: set(contents(function, ROOT)) for function in FUNCTIONS}
    for function, files in packed.items():
        folders = {name.split("/")[1] for name in files if name.startswith("lambdas/") and name.count("/") > 1}
        # the set-up puts the templates that the indexer's documents need, and both ask OpenSearch as the indexer does
        allowed = {function, "common"} | (
            {"search_indexer"} if function in ("search_setup", "search_forget") else set()
        )
        assert function in folders
        assert folders <= allowed, function
        # the schemas of Kafka's messages are files, which are read when it is imported
        assert all(name.endswith(".py") or re.fullmatch(r"kafka/.+\.json", name) for name in files)
        # Powertools only where something is done once or measured
        bundled = {name.split("/")[0] for name in files} - {"lambdas", "contracts"}
        wanted = (
            {"aws_lambda_powertools", "typing_extensions.py"} if function in ("alerts", "search_indexer") else set()
        ) | ({"kafka"} if function == "topic_setup" else set())
        assert bundled == wanted, function
        assert sum(path.stat().st_size for path in contents(function, ROOT).values()) < 2_000_000
    assert "lambdas/common/records.py" not in packed["application_lifecycle"]
    assert not any(name.startswith("contracts/") for name in packed["application_lifecycle"])
    assert "lambdas/common/custom_resource.py" not in packed["alerts"]


def test_given_the_same_sources_then_two_builds_are_the_same_in_bytes_modes_and_times(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    checkout, other = a_checkout(tmp_path / "checkout"), a_checkout(tmp_path / "other")
    for path in other.rglob("*.py"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        path.chmod(0o600)
    assert build(checkout, first) == build(other, second)
    assert tree(first) == tree(second)
    assert {status[1] & 0o777 for name, status in tree(first).items() if name.endswith(".py")} == {0o644}
    before = tree(first)
    build(checkout, first)
    assert tree(first) == before


def test_given_this_repository_then_two_builds_are_the_same(tmp_path: Path) -> None:
    assert build(ROOT, tmp_path / "first") == build(ROOT, tmp_path / "second")
    assert tree(tmp_path / "first") == tree(tmp_path / "second")


def test_given_another_source_then_only_the_functions_that_hold_it_change(tmp_path: Path) -> None:
    checkout = a_checkout(tmp_path / "checkout")
    before = build(checkout, tmp_path / "out")
    write(checkout / "lambdas" / "alerts" / "handler.py", "import re\n")
    after = build(checkout, tmp_path / "out")
    assert {function for function in FUNCTIONS if before[function] != after[function]} == {"alerts"}
    assert (tmp_path / "out" / "alerts" / "lambdas" / "alerts" / "handler.py").read_text() == "import re\n"


def test_given_a_name_or_a_border_that_moves_then_the_digest_differs(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"ab")
    two.write_bytes(b"c")
    three, four = tmp_path / "three", tmp_path / "four"
    three.write_bytes(b"a")
    four.write_bytes(b"bc")
    digests = {
        digest({"x": one, "y": two}),
        digest({"x": three, "y": four}),
        digest({"x": two, "y": one}),
        digest({"z": one, "y": two}),
    }
    assert len(digests) == 4
    assert digest({"y": two, "x": one}) in digests


def test_given_a_file_of_an_earlier_build_then_it_is_gone(tmp_path: Path) -> None:
    checkout = a_checkout(tmp_path / "checkout")
    build(checkout, tmp_path / "out")
    write(tmp_path / "out" / "alerts" / "lambdas" / "old.py", "")
    build(checkout, tmp_path / "out")
    assert not (tmp_path / "out" / "alerts" / "lambdas" / "old.py").exists()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(FUNCTIONS)


def test_given_a_folder_that_is_as_it_should_be_then_it_is_left_alone(tmp_path: Path) -> None:
    checkout, out = a_checkout(tmp_path / "checkout"), tmp_path / "out"
    build(checkout, out)
    before = {path: path.stat().st_ino for path in out.rglob("*")}
    build(checkout, out)
    assert {path: path.stat().st_ino for path in out.rglob("*")} == before
    write(out / "alerts" / "lambdas" / "__init__.py", "changed")
    build(checkout, out)
    assert (out / "alerts" / "lambdas" / "__init__.py").read_text() == ""


def test_given_two_builds_at_once_then_the_second_finds_what_the_first_has_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given another build that begins while ours puts its first folder there
    checkout, out = a_checkout(tmp_path / "checkout"), tmp_path / "out"
    replace, others, put = Path.replace, [threading.Thread(target=build, args=(checkout, out))], []

    def beside(self: Path, target: Path) -> Path:
        put.append(target.name)
        if len(put) == 1:
            others[0].start()
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", beside)
    # When both have ended
    assert build(checkout, out).keys() == FUNCTIONS.keys()
    others[0].join()
    # Then each folder was put there once: nobody who reads one finds it gone
    assert sorted(put) == sorted(FUNCTIONS)


def test_given_a_folder_that_cannot_be_put_there_then_it_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Path, target: Path) -> Path:
        raise PermissionError(target)

    monkeypatch.setattr(Path, "replace", refused)
    with pytest.raises(PermissionError):
        build(a_checkout(tmp_path / "checkout"), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_the_handlers_are_in_the_modules_that_are_packed() -> None:
    assert {function: {name.rsplit(".", 1)[0] for name in names} for function, names in HANDLERS.items()} == {
        function: set(modules) for function, modules in FUNCTIONS.items()
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("lambdas")
    build(ROOT, target)
    return target


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_built_function_imports_without_the_checkout(built: Path, function: str) -> None:
    arguments = [str(built / function), str(SITE_PACKAGES), str(ROOT), *HANDLERS[function]]
    done = subprocess.run(  # noqa: S603 - our own interpreter and text
        [sys.executable, "-I", "-S", "-B", "-c", IMPORTER, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=built,
    )
    assert done.returncode == 0, done.stderr
    # what is imported of others is what boto3 itself brings
    brought = {"boto3", "botocore", "urllib3", "jmespath", "dateutil", "s3transfer", "six", "certifi", "brotli", "h2"}
    brought.add("zstandard")  # a compression that Kafka takes where it is there
    assert set(done.stdout.split()) <= brought


def test_the_command_line_says_what_it_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout, target = a_checkout(tmp_path / "checkout"), tmp_path / "out"
    monkeypatch.setattr(sys, "argv", ["package_lambdas", "--root", str(checkout), "--target", str(target)])
    package_lambdas.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in lines] == [str(target / function) for function in FUNCTIONS]
    write(checkout / "lambdas" / "alerts" / "handler.py", "import nothing_of_the_kind")
    with pytest.raises(SystemExit, match="nothing_of_the_kind is not part"):
        package_lambdas.main()
