"""The function that makes the topic, on a real broker: made, grown, brought to the settings, never shrunk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from kafka.admin import ConfigResource, ConfigResourceType

from lambdas.topic_setup.function import TopicSetup
from lambdas.topic_setup.topic import TopicError, connected
from local.demo.inputs import KAFKA_LIB
from local.processes import Supervisor
from local.standins.kafka_broker import KafkaBroker
from local.waiting import wait_until


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    with Supervisor(tmp_path_factory.mktemp("kafka")) as supervisor:
        yield KafkaBroker.start(supervisor, KAFKA_LIB)


def deployed(broker: KafkaBroker, kind: str = "Create", **changes: str) -> bool:
    """Whether the deployment would be through with the topic."""
    now = datetime.now(UTC)
    properties = {"Brokers": broker.address, "Topic": "events", "Partitions": "3", "RetentionHours": "24"}
    event: dict[str, Any] = {
        "RequestType": kind,
        "PhysicalResourceId": "events-topic",
        "ResourceProperties": properties | changes,
        "Since": now.timestamp(),
    }
    setup = TopicSetup(connected, lambda: now)
    setup.on_event(event)
    return setup.is_complete(event)["IsComplete"]


def found(broker: KafkaBroker, topic: str) -> tuple[int, dict[str, str]]:
    """Partitions of a topic, and what is set of it."""
    wanted = {"message.timestamp.type": None, "retention.ms": None}
    with connected(broker.address) as topics:
        (told,) = topics.admin.describe_topics([topic])
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, wanted)
        configs = topics.admin.describe_configs([resource], config_filter="all")["topic"][topic]
    return len(told["partitions"]), {key: configs[key]["value"] for key in wanted}


def test_a_deployment_makes_the_topic_and_the_next_ones_bring_it_to_the_settings(broker: KafkaBroker) -> None:
    assert deployed(broker)
    assert found(broker, "events") == (3, {"message.timestamp.type": "LogAppendTime", "retention.ms": "86400000"})
    # What came meanwhile bears the broker's time.
    (first,) = broker.write("events", [(0, b"{}")])
    assert abs(first.arrival - datetime.now(UTC).timestamp() * 1000) < 60_000
    assert deployed(broker, "Update", Partitions="5", RetentionHours="48")
    # The controller has the change; the broker, which is asked, follows its log.
    changed = (5, {"message.timestamp.type": "LogAppendTime", "retention.ms": "172800000"})
    wait_until(lambda: found(broker, "events") == changed, 30, f"the topic to be {changed}")
    assert deployed(broker, "Update", Partitions="5", RetentionHours="48")
    with pytest.raises(TopicError, match="has 5 partitions"):
        deployed(broker, "Update")
    assert deployed(broker, "Delete")
    assert found(broker, "events")[0] == 5


def test_a_topic_that_somebody_made_before_gets_the_brokers_time(broker: KafkaBroker) -> None:
    with connected(broker.address) as topics:
        topics.admin.create_topics({"clicks": {"num_partitions": 1, "replication_factor": 1, "configs": {}}})
    assert found(broker, "clicks")[1]["message.timestamp.type"] == "CreateTime"
    assert deployed(broker, Topic="clicks", Partitions="1")
    wait_until(lambda: found(broker, "clicks")[1]["message.timestamp.type"] == "LogAppendTime", 30, "the broker's time")
