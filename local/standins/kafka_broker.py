"""A real Kafka broker in KRaft mode on 127.0.0.1, its data in the run directory, and a producer for it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from local.ports import HOST, free_port
from local.processes import ManagedProcess, Supervisor, wait_until
from local.standins.java import java_command, loopback_option
from local.standins.rest import RestClient

POM = Path(__file__).parent / "kafka" / "pom.xml"

_GATEWAY = Path(__file__).parent / "kafka" / "TopicGateway.java"
_START_SECONDS = 120.0
#: The producer gives a record up after two minutes without a broker.
_WRITE_SECONDS = 150.0
#: Any 16 bytes in base64: there is one cluster a run.
_CLUSTER_ID = "bG9jYWwtYW5hbHl0aWNzMA"


class KafkaMissing(Exception):
    """The jars are not there; the message says how to get them."""


@dataclass(frozen=True)
class Written:
    """Where a record stands: its offset, and when the broker took it, epoch milliseconds."""

    offset: int
    arrival: int


@dataclass(frozen=True)
class Message:
    """A record to write; without a ``payload`` it is a tombstone. ``timestamp``: the producer's, epoch milliseconds."""

    partition: int
    payload: bytes | None
    key: bytes | None = None
    headers: Mapping[str, bytes] = field(default_factory=dict)
    timestamp: int | None = None

    def body(self) -> dict[str, object]:
        """As the gateway takes it."""
        return {
            "partition": self.partition,
            "payload": _base64(self.payload),
            "key": _base64(self.key),
            "headers": {name: _base64(value) for name, value in self.headers.items()},
            "timestamp": self.timestamp,
        }


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


class KafkaBroker:
    """A running broker; `start` makes one, the supervisor ends it."""

    def __init__(
        self, launch: Callable[[], ManagedProcess], supervisor: Supervisor, address: str, gateway: RestClient
    ) -> None:
        self.process = launch()
        self.address = address
        self._launch = launch
        self._supervisor = supervisor
        self._gateway = gateway

    @classmethod
    def start(cls, supervisor: Supervisor, lib: Path, *, heap: str = "256m") -> KafkaBroker:
        """Format the storage, start a broker and its producer, and wait until it answers.

        Args:
            supervisor: owns the processes; the data goes to its `scratch/kafka/`.
            lib: the directory that `mvn dependency:copy-dependencies` filled from `POM`.
            heap: the broker's -Xmx.

        Raises:
            KafkaMissing: `lib` holds no Kafka.
            JavaMissing: there is no Java 17.
            ProcessDied: it ended; the message shows its log.
            WaitTimeout: not ready after 120 s.
        """
        if not list(lib.glob("kafka_2.13-*.jar")):
            raise KafkaMissing(
                f"no kafka_2.13 jar in {lib}; get it with "
                f"mvn -q -B -f {POM} dependency:copy-dependencies -DoutputDirectory={lib}"
            )
        base = supervisor.scratch("kafka")
        port = free_port()
        properties = base / "server.properties"
        properties.write_text(_configuration(base / "data", port, free_port()), encoding="utf-8")
        options = ("-XX:+UseSerialGC", "-XX:-UsePerfData", "-XX:TieredStopAtLevel=1")
        java: list[str | Path] = [java_command(), *options, loopback_option(base)]
        classes: list[str | Path] = ["-cp", f"{lib.resolve()}/*"]
        supervisor.run(
            "kafka-format",
            [*java, *classes, "kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", properties],
            timeout=_START_SECONDS,
        )
        gateway = RestClient(free_port(), seconds=_WRITE_SECONDS)
        command = [*java, f"-Xmx{heap}", *classes, "kafka.Kafka", properties]
        address = f"{HOST}:{port}"
        broker = cls(lambda: supervisor.start("kafka", command), supervisor, address, gateway)
        producer = supervisor.start(
            "kafka-producer",
            [*java, "-Xmx128m", *classes, _GATEWAY, address, gateway.url.rpartition(":")[2]],
        )
        wait_until(lambda: gateway.probe("/"), _START_SECONDS, "Kafka", process=(broker.process, producer))
        return broker

    def create_topic(self, name: str, partitions: int, config: Mapping[str, str] | None = None) -> None:
        """Make a topic whose records bear the time of their arrival, unless ``config``, its settings, says otherwise.

        RestError when the broker refuses it.
        """
        self._gateway.call("POST", "/topics", {"name": name, "partitions": partitions, "config": dict(config or {})})

    def enlarge_topic(self, name: str, partitions: int) -> None:
        """Give a topic more partitions, so many in all. RestError when the broker refuses."""
        self._gateway.call("POST", "/partitions", {"topic": name, "partitions": partitions})

    def write(self, topic: str, records: Sequence[tuple[int, bytes]]) -> list[Written]:
        """Write records, (partition, payload) each, in order; as :meth:`send`."""
        return self.send(topic, [Message(partition, payload) for partition, payload in records])

    def send(
        self,
        topic: str,
        messages: Sequence[Message],
        *,
        compression: str = "",
        transaction: Literal["", "commit", "abort"] = "",
    ) -> list[Written]:
        """Write messages in order; returns when the broker has them all.

        Args:
            topic: to which.
            messages: which.
            compression: a codec of Kafka's.
            transaction: they are one, and this is how it ends.

        Raises:
            RestError: the broker did not take them within two minutes.
        """
        body = {
            "topic": topic,
            "records": [message.body() for message in messages],
            "compression": compression,
            "transaction": transaction,
        }
        answer = self._gateway.call("POST", "/records", body)
        return [Written(place["offset"], place["timestamp"]) for place in answer]

    def kill(self) -> None:
        """End the broker as a crash does, with SIGKILL; its data stays for `resume`."""
        self._supervisor.stop(self.process, grace=0)

    def resume(self) -> None:
        """Start the broker again, at the same address with its data, without waiting until it is ready."""
        self.process = self._launch()


def _configuration(data: Path, port: int, controller: int) -> str:
    settings = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{HOST}:{controller}",
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": data,
        "num.partitions": 1,
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())
