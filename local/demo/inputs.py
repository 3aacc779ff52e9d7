"""The input of a laptop run, for each source: its keys of the group ``input``, and where the traffic is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flink_jobs.settings import KINESIS, MSK, S3
from lambdas.topic_setup.topic import Wish, connected
from local.demo import application
from local.processes import Supervisor
from local.standins.kafka_broker import KafkaBroker
from local.standins.moto import Moto
from local.traffic.delivery import Log
from local.traffic.folder_log import FolderLog
from local.traffic.kinesis_log import KinesisLog
from local.traffic.topic_log import TopicLog

#: A run is shorter.
_RETENTION_HOURS = 24
KAFKA_LIB = application.ROOT / ".cache" / "kafka" / "lib"
#: What the settings are checked with before anything runs.
PLANNED: Mapping[str, Mapping[str, str]] = {
    KINESIS: application.KINESIS_INPUT,
    MSK: {
        "source": MSK,
        "bootstrap_servers": "127.0.0.1:9092",
        "topic": application.INPUT_STREAM,
        "authentication": "none",
    },
    S3: {"source": S3, "prefix": "file:///tmp/", "format": "lines", "discovery_interval": "500 ms"},
}


@dataclass(frozen=True)
class Input:
    """A source that is there: ``keys`` of the group ``input``, ``log`` to write to; ``broker`` with msk only."""

    keys: Mapping[str, str]
    log: Log
    broker: KafkaBroker | None = None


def make(source: str, supervisor: Supervisor, moto: Moto, shards: int) -> Input:
    """Makes the source with as many partitions; starts a broker for msk (see ``KafkaBroker.start`` for the errors)."""
    if source == MSK:
        broker = KafkaBroker.start(supervisor, KAFKA_LIB)
        with connected(broker.address) as topics:
            topics.make(Wish(application.INPUT_STREAM, shards, _RETENTION_HOURS))
        keys = {**PLANNED[MSK], "bootstrap_servers": broker.address}
        return Input(keys, TopicLog(broker, application.INPUT_STREAM), broker)
    if source == S3:
        folder = FolderLog(supervisor.scratch(application.INPUT_STREAM))
        return Input({**PLANNED[S3], "prefix": folder.prefix}, folder)
    kinesis = moto.client("kinesis")
    kinesis.create_stream(StreamName=application.INPUT_STREAM, ShardCount=shards)
    kinesis.get_waiter("stream_exists").wait(StreamName=application.INPUT_STREAM, WaiterConfig={"Delay": 1})
    return Input(PLANNED[KINESIS], KinesisLog(kinesis, application.INPUT_STREAM, shards))
