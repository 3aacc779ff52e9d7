"""The application over a topic of a real Kafka broker and over files, with the ends of :mod:`tests.jobs.live`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from local.standins.kafka_broker import KafkaBroker
from local.standins.moto import Moto
from local.traffic.delivery import Log
from local.traffic.folder_log import FolderLog
from local.traffic.plan import Planned
from local.traffic.topic_log import TopicLog
from tests.jobs.live import Live, Stream


class Partitions(Stream):
    """The partitions of another input, named as the source names them; they are never split or merged."""

    def __init__(self, name: str, names: Iterable[str], target: Log) -> None:
        self.name = name
        self.log = []
        self._names = list(names)
        self._target = target

    def shards(self) -> list[str]:
        """The partitions."""
        return self._names

    def put(self, shard: str, payloads: Iterable[bytes]) -> None:
        """Puts the payloads into a partition."""
        number = self._names.index(shard)
        self.log += self._target.append([Planned(number, payload) for payload in payloads])

    def parents(self) -> dict[str, list[str]]:
        """None continues another."""
        return {}


class OtherLive(Live):
    """One test's input that is no Kinesis stream, and runs of the application over it."""

    def __init__(
        self, moto: Moto, jar: Path, folder: Path, name: str, stream: Partitions, source: Mapping[str, str]
    ) -> None:
        super().__init__(moto, jar, folder, name, 1)
        self.stream = stream
        self._source = dict(source)

    def source(self) -> dict[str, str]:
        """The input's own keys."""
        return self._source


def topic(moto: Moto, jar: Path, folder: Path, name: str, shards: int, broker: KafkaBroker) -> OtherLive:
    """A topic of so many partitions."""
    broker.create_topic(name, shards)
    keys = {"source": "msk", "bootstrap_servers": broker.address, "topic": name, "authentication": "none"}
    stream = Partitions(name, map(str, range(shards)), TopicLog(broker, name))
    return OtherLive(moto, jar, folder, name, stream, keys)


def files(moto: Moto, jar: Path, folder: Path, name: str, shards: int) -> OtherLive:
    """A folder of so many folders."""
    log = FolderLog(folder / "events")
    stream = Partitions(name, (f"shard-{number}" for number in range(shards)), log)
    return OtherLive(moto, jar, folder, name, stream, {"source": "s3", "prefix": log.prefix})
