"""The application over a topic of a real Kafka broker and over files, with the ends of :mod:`tests.jobs.live`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from local.oracle.records import LogRecord
from local.standins.kafka_broker import KafkaBroker
from local.standins.moto import Moto
from local.traffic.delivery import Log
from local.traffic.folder_log import FolderLog
from local.traffic.plan import Planned
from local.traffic.topic_log import TopicLog
from tests.events import Output
from tests.jobs.archive_log import ArchiveLog, shard
from tests.jobs.live import Live, Stream

#: Not an event: its rejection tells that the partition is read, and from where.
PROBE = b"{"


class Partitions(Stream):
    """The partitions of another input, named as the source names them; they are never split or merged.

    ``add`` makes the partition of the number that it is given.
    """

    def __init__(self, name: str, names: Iterable[str], target: Log, add: Callable[[int], str]) -> None:
        self.name = name
        self.log = []
        self._names = list(names)
        self._target = target
        self._add = add

    def shards(self) -> list[str]:
        """The partitions."""
        return list(self._names)

    def add(self) -> str:
        """Adds a partition; returns its name."""
        self._names.append(self._add(len(self._names)))
        return self._names[-1]

    def put(self, shard: str, payloads: Iterable[bytes]) -> None:
        """Puts the payloads into a partition."""
        self.put_all({shard: payloads})

    def put_all(self, payloads: Mapping[str, Iterable[bytes]]) -> None:
        """Puts payloads into partitions, at once."""
        self.log += self._target.append(
            [Planned(self._names.index(shard), each) for shard, its in payloads.items() for each in its]
        )

    def parents(self) -> dict[str, list[str]]:
        """None continues another."""
        return {}


class OtherLive(Live):
    """One test's input that is no Kinesis stream, and runs of the application over it."""

    stream: Partitions

    def __init__(
        self, moto: Moto, jar: Path, folder: Path, name: str, stream: Partitions, source: Mapping[str, str]
    ) -> None:
        super().__init__(moto, jar, folder, name, 1)
        self.stream = stream
        self._source = dict(source)

    def source(self) -> dict[str, str]:
        """The input's own keys."""
        return self._source

    def until_read(self, *shards: str) -> None:
        """Waits until the partitions are read, by records that are none, until one of each is rejected."""

        def seen(output: Output) -> bool:
            unread = [each for each in shards if not self.reads(each, output)]
            for each in unread:
                self.stream.put(each, [PROBE])
            return not unread

        self.until(seen, f"{shards} are read")

    def reads(self, shard: str, output: Output) -> bool:
        """Whether a record of the partition was rejected, as a probe is."""
        return any(partition == shard for partition, _ in output.reasons())

    def read(self, output: Output) -> list[LogRecord]:
        """The log without the probes that came too early to be read."""
        seen = output.reasons()
        return [
            record
            for record in self.stream.log
            if record.payload != PROBE or (record.partition, record.position) in seen
        ]


def topic(moto: Moto, jar: Path, folder: Path, name: str, shards: int, broker: KafkaBroker, **config: str) -> OtherLive:
    """A topic of so many partitions; ``config``: the topic's settings, dots written as underscores."""
    broker.create_topic(name, shards, {key.replace("_", "."): value for key, value in config.items()})
    keys = {"source": "msk", "bootstrap_servers": broker.address, "topic": name, "authentication": "none"}

    def add(number: int) -> str:
        broker.enlarge_topic(name, number + 1)
        return str(number)

    stream = Partitions(name, map(str, range(shards)), TopicLog(broker, name), add)
    return OtherLive(moto, jar, folder, name, stream, keys)


def files(moto: Moto, jar: Path, folder: Path, name: str, shards: int) -> OtherLive:
    """A folder of so many folders."""
    log = FolderLog(folder / "events")
    stream = Partitions(name, map("shard-{}".format, range(shards)), log, "shard-{}".format)
    made = OtherLive(moto, jar, folder, name, stream, {"source": "s3", "prefix": log.prefix})
    made.start_grace = "2 s"  # at LATEST it is waited for, until each folder that was there has a new file
    return made


def archive(moto: Moto, jar: Path, folder: Path, name: str, shards: int) -> OtherLive:
    """What Firehose archives of a stream of so many shards."""
    log = ArchiveLog(folder / "archive")
    stream = Partitions(name, map(shard, range(shards)), log, shard)
    made = OtherLive(moto, jar, folder, name, stream, {"source": "s3", "format": "archive", "prefix": log.prefix})
    made.start_grace = "2 s"  # at LATEST it is waited for: an archive's names do not tell its partitions
    return made
