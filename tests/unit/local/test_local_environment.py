"""What a child process of a run gets of the user's environment."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from local.environment import child_environment, leave_the_users_settings
from local.processes import Supervisor

#: Each of them changed a run, or led it away from this machine.
_MISLEADING = {
    "AWS_PROFILE": "prod",
    "AWS_ENDPOINT_URL_SQS": "https://sqs.example",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "HTTPS_PROXY": "http://proxy.example:3128",
    "JAVA_TOOL_OPTIONS": "-Dhttp.proxyHost=proxy.example",
    "JDK_JAVA_OPTIONS": "-Dhttp.proxyHost=proxy.example",
    "NODE_ENV": "production",
    "PYTHONPATH": "/somewhere/else",
    "PYTHONWARNINGS": "error",
    "PYTHONSAFEPATH": "1",
    "LC_ALL": "ko_KR.EUC-KR",
    "TZ": "Asia/Seoul",
}
_SHOW = "import json, os, time; print(json.dumps({**os.environ, 'zone': time.tzname[0]}))"


@pytest.fixture
def misled(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in _MISLEADING.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("misled")
def test_given_variables_that_mislead_then_a_child_has_none_of_them_and_what_was_added(tmp_path: Path) -> None:
    with Supervisor(tmp_path / "run") as supervisor:
        log = supervisor.run("child", [sys.executable, "-c", _SHOW], timeout=30, env={"PYTHONPATH": "ours"})
        seen = json.loads(log.read_text(encoding="utf-8"))
    assert {name for name in _MISLEADING if name in seen} == {"PYTHONPATH", "LC_ALL", "TZ"}
    assert seen["PYTHONPATH"] == "ours"
    assert seen["LC_ALL"].endswith("UTF-8")
    assert seen["zone"] == "UTC"
    assert seen["AWS_CONFIG_FILE"] == seen["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_given_where_programs_and_files_are_then_a_child_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", "/a/jdk")
    monkeypatch.setenv("TMPDIR", "/a/tmp")
    given = child_environment()
    assert (given["JAVA_HOME"], given["TMPDIR"], given["PATH"]) == ("/a/jdk", "/a/tmp", os.environ["PATH"])


@pytest.mark.usefixtures("misled")
def test_given_a_process_that_leaves_the_users_settings_then_its_environment_is_its_childrens() -> None:
    before = dict(os.environ)
    try:
        leave_the_users_settings()
        assert dict(os.environ) == child_environment()
        assert os.environ.keys().isdisjoint(_MISLEADING.keys() - {"LC_ALL", "TZ"})
    finally:
        os.environ.clear()
        os.environ.update(before)
