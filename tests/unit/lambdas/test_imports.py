"""What a cold start imports: a list that somebody has looked at, not a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import functions
from benchmarks.functions import probe, third_party
from scripts.package_lambdas import build

_SDK = {"boto3", "botocore", "certifi", "dateutil", "jmespath", "s3transfer", "six", "urllib3"}
_POWERTOOLS = {"aws_lambda_powertools", "typing_extensions"}
#: Modules at most, Python's own included: a tenth above what was measured when somebody looked last.
_MOST = {"alerts": 470, "search_indexer": 440, "archive_transform": 60}
#: Heavy, and of no use here: what a careless import of Powertools or boto3 would bring.
_UNWANTED = {
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.utilities.parser",
    "aws_lambda_powertools.utilities.validation",
    "aws_xray_sdk",
    "pydantic",
    "redis",
    "requests",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("lambdas")
    build(functions.ROOT, target)
    return target


@pytest.mark.parametrize(
    ("function", "packages"),
    [("alerts", _SDK | _POWERTOOLS), ("search_indexer", _SDK | _POWERTOOLS), ("archive_transform", set())],
)
def test_a_cold_start_imports_what_it_uses_and_little_more(
    built: Path, function: str, packages: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(functions, "PACKAGES", built)
    _, modules = probe(function, (built / function,))
    assert third_party(modules) == packages
    assert not _UNWANTED & {*modules}
    assert len(modules) <= _MOST[function], len(modules)


#: A process that has nothing but the package and Python itself: no installed package comes to the rescue.
_ALONE = """
import sys
sys.path.append({package!r})
from lambdas.topic_setup import handler, topic
from lambdas.topic_setup.topic import NotYetError
import kafka.net.sasl.msk
topic._MILLISECONDS = 200
try:
    with handler.signed_in("127.0.0.1:1"):
        pass
except NotYetError as error:
    print(error)
"""


def test_the_set_up_of_the_topic_has_all_that_it_needs_in_its_package(built: Path) -> None:
    code = _ALONE.format(package=str(built / "topic_setup"))
    done = subprocess.run(  # noqa: S603 - this interpreter and the code above
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Unable to bootstrap from" in done.stdout
