"""The parts of the stand-ins that need no JVM."""

from __future__ import annotations

import http.server
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.processes import Supervisor
from local.standins import flink, java
from local.standins.flink import FlinkCluster, SubmitError
from local.standins.flink_distribution import FlinkDistribution, FlinkMissing
from local.standins.opensearch import OpenSearch, OpenSearchMissing
from local.standins.rest import RestClient, RestError


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, _, body = self.path.strip("/").partition("/")
        self.send_response(int(status))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def client() -> Iterator[RestClient]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield RestClient(server.server_port, seconds=5)
        server.shutdown()
        thread.join()


def test_rest_answers_and_errors(client: RestClient) -> None:
    assert client.call("GET", '/200/{"a":1}') == {"a": 1}
    assert client.call("GET", "/200/") is None
    assert client.call("PUT", "/x", {"b": [2]}) == {"b": [2]}
    with pytest.raises(RestError, match="503"):
        client.call("GET", "/503/busy")
    with pytest.raises(RestError, match="not JSON"):
        client.call("GET", "/200/text")
    assert client.probe("/503/busy") is None
    assert client.probe("/200/7") == 7


def test_a_server_that_is_not_there() -> None:
    client = RestClient(1, seconds=1)
    assert client.probe("/") is None
    with pytest.raises(OSError, match="refused"):
        client.call("GET", "/")


def fake_java(home: Path, version: str) -> None:
    path = home / "bin/java"
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-01-01' >&2\n")
    path.chmod(0o755)


@pytest.mark.parametrize("version", ["11.0.2", "21", "1.8.0_402"])
def test_another_java_is_refused_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    fake_java(tmp_path, version)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    java.java_command.cache_clear()
    with pytest.raises(java.JavaMissing, match=f"{version}.*JDK 17"):
        java.java_command()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "missing"))
    with pytest.raises(java.JavaMissing, match="no java in JAVA_HOME"):
        java.java_command()


def test_java_17_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_java(tmp_path, "17.0.15")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    java.java_command.cache_clear()
    assert java.java_command() == tmp_path / "bin/java"
    java.java_command.cache_clear()


def test_missing_jars_are_told_with_the_command(tmp_path: Path) -> None:
    with (
        Supervisor(tmp_path / "run") as supervisor,
        pytest.raises(OpenSearchMissing, match="copy-dependencies"),
    ):
        OpenSearch.start(supervisor, tmp_path)


def fake_distribution(home: Path) -> FlinkDistribution:
    for name in ("lib/flink-dist-1.jar", "lib/a.jar", "lib/z.jar", "opt/flink-python-1.jar"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).touch()
    (home / "conf").mkdir()
    (home / "conf/config.yaml").write_text("env:\n  java:\n    opts:\n      all: --add-opens=a --add-exports=b\n")
    return FlinkDistribution(home)


def test_the_class_path_ends_with_flink_dist(tmp_path: Path) -> None:
    distribution = fake_distribution(tmp_path)
    names = [Path(each).name for each in distribution.classpath(with_python=True).split(":")]
    assert names == ["a.jar", "z.jar", "flink-python-1.jar", "flink-dist-1.jar"]
    assert "flink-python" not in distribution.classpath(with_python=False)
    assert distribution.java_options() == ["--add-opens=a", "--add-exports=b"]
    (tmp_path / "lib/flink-dist-1.jar").unlink()
    with pytest.raises(FlinkMissing, match="flink-dist"):
        distribution.classpath(with_python=False)


def client_of(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, home: Path, script: str) -> FlinkCluster:
    """Return a cluster whose client is a shell script."""
    command = ["/bin/sh", "-c", script]
    monkeypatch.setattr(FlinkDistribution, "java", lambda *_, **__: command)
    return FlinkCluster(supervisor, FlinkDistribution(home), home, 1, 1)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo Traceback; echo '09:00:00,000 INFO noise'; echo 'ValueError: mine'; exit 1", "failed:.*mine"),
        ("echo nothing", "submitted 0 jobs"),
        (f"for job in {'a' * 32} {'b' * 32}; do echo Job has been submitted with JobID $job; done", "2 jobs"),
    ],
)
def test_a_failed_submission_tells_what_the_program_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, message: str
) -> None:
    with Supervisor(tmp_path / "run") as supervisor:
        cluster = client_of(supervisor, monkeypatch, tmp_path, script)
        with pytest.raises(SubmitError, match=f"(?s){message}") as caught:
            cluster.submit(["-py", "main.py"])
        assert "noise" not in str(caught.value)


def test_a_submission_returns_the_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Supervisor(tmp_path / "run") as supervisor:
        script = f"echo Job has been submitted with JobID {'c' * 32}"
        assert client_of(supervisor, monkeypatch, tmp_path, script).submit([]) == "c" * 32


def test_the_configuration_is_yaml_of_json_scalars(tmp_path: Path) -> None:
    options = flink._options(tmp_path / "with space", 8081)
    flink._write_configuration(tmp_path / "conf", options)
    lines = (tmp_path / "conf/config.yaml").read_text().splitlines()
    assert 'rest.bind-port: "8081"' in lines
    assert f'python.executable: "{sys.executable}"' in lines
    assert f'execution.checkpointing.dir: "file://{tmp_path}/with space/checkpoints"' in lines
    assert all("localhost" not in line and "0.0.0.0" not in line for line in lines)  # noqa: S104


def test_a_jvm_knows_this_machine_by_the_loopback_and_no_other_name(tmp_path: Path) -> None:
    option = java.loopback_option(tmp_path)
    assert option == f"-Djdk.net.hosts.file={tmp_path}/hosts"
    assert (tmp_path / "hosts").read_text().split() == ["127.0.0.1", "localhost", socket.gethostname()]
