"""The topic's set-up: what it asks of Kafka, what it asks again, and what it refuses. tests/jobs has it on a broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kafka import errors

from lambdas.common.custom_resource import RequestError
from lambdas.topic_setup.function import TopicSetup
from lambdas.topic_setup.topic import TopicError, Topics, asked

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
GOOD = {
    "Brokers": "b-1.example.com:9098,b-2.example.com:9098",
    "Topic": "events",
    "Partitions": "4",
    "RetentionHours": "24",
}
CONFIGS = {"message.timestamp.type": "LogAppendTime", "retention.ms": "86400000"}


@dataclass
class Admin:
    """Kafka as its admin client shows it: topics by name with their partitions. ``failing`` are the next answers."""

    topics: dict[str, int] = field(default_factory=dict)
    configs: dict[str, str] = field(default_factory=dict)
    failing: list[errors.KafkaError] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def describe_topics(self, names: Sequence[str]) -> list[dict[str, Any]]:
        self._ask("describe_topics")
        (name,) = names
        known = self.topics.get(name)
        code = errors.UnknownTopicOrPartitionError.errno if known is None else 0
        return [{"name": name, "error_code": code, "partitions": [{}] * (known or 0)}]

    def create_topics(self, topics: Mapping[str, Mapping[str, Any]]) -> None:
        self._ask("create_topics")
        for name, options in topics.items():
            assert options["replication_factor"] == -1
            self.topics[name] = options["num_partitions"]
            self.configs.update(options["configs"])

    def create_partitions(self, partitions: Mapping[str, int]) -> None:
        self._ask("create_partitions")
        self.topics.update(partitions)

    def describe_configs(self, resources: Sequence[Any], config_filter: str) -> dict[str, Any]:
        self._ask("describe_configs")
        (resource,) = resources
        told = {key: {"value": self.configs.get(key, "the broker's")} for key in resource.configs}
        return {"topic": {resource.name: told}}

    def alter_configs(self, resources: Sequence[Any]) -> None:
        self._ask("alter_configs")
        for resource in resources:
            self.configs.update(resource.configs)

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.failing:
            raise self.failing.pop(0)


def setup(admin: Admin, connecting: Callable[[], None] = lambda: None, waited: float = 0.0) -> TopicSetup:
    @contextmanager
    def connect(brokers: str) -> Iterator[Topics]:
        assert brokers == GOOD["Brokers"]
        asked(connecting)
        yield Topics(admin)

    return TopicSetup(connect, lambda: NOW + timedelta(minutes=waited))


def event(kind: str = "Create", **changes: str) -> dict[str, object]:
    return {
        "RequestType": kind,
        "StackId": "stack",
        "RequestId": "1",
        "PhysicalResourceId": "events-topic",
        "ResourceProperties": GOOD | changes,
        "Since": NOW.timestamp(),
    }


def test_a_topic_that_is_not_there_is_made_with_the_arrival_of_the_broker() -> None:
    admin = Admin()
    assert setup(admin).is_complete(event())["IsComplete"] is True
    assert (admin.topics, admin.configs) == ({"events": 4}, CONFIGS)


def test_a_topic_that_is_as_wished_is_left_alone() -> None:
    admin = Admin({"events": 4}, dict(CONFIGS))
    assert setup(admin).is_complete(event())["IsComplete"] is True
    assert admin.asked == ["describe_topics", "describe_configs"]


def test_what_differs_is_changed_and_nothing_else() -> None:
    admin = Admin({"events": 2}, CONFIGS | {"message.timestamp.type": "CreateTime", "cleanup.policy": "compact"})
    assert setup(admin).is_complete(event())["IsComplete"] is True
    assert admin.topics == {"events": 4}
    assert admin.configs == CONFIGS | {"cleanup.policy": "compact"}


def test_partitions_are_never_taken_away() -> None:
    admin = Admin({"events": 6}, dict(CONFIGS))
    with pytest.raises(TopicError, match=r"has 6 partitions, .* set source.msk.partitions to 6 or more"):
        setup(admin).is_complete(event())
    assert admin.topics == {"events": 6}


PASSING = [
    errors.KafkaTimeoutError("no broker answers"),
    errors.NotControllerError("another one"),
    errors.TopicAuthorizationFailedError("rights spread"),
    errors.SaslAuthenticationFailedError("rights spread"),
]


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
def test_what_passes_is_asked_again_for_a_quarter_of_an_hour(error: errors.KafkaError) -> None:
    admin = Admin(failing=[error, error])
    assert setup(admin).is_complete(event()) == {"IsComplete": False}
    with pytest.raises(TopicError, match=f"not there after 0:15:00 h:mm:ss: {type(error).__name__}"):
        setup(admin, waited=16).is_complete(event())


def test_brokers_that_cannot_be_reached_yet_are_asked_again() -> None:
    def refuse() -> None:
        raise errors.KafkaTimeoutError("unable to bootstrap")

    assert setup(Admin(), refuse).is_complete(event()) == {"IsComplete": False}


def test_what_kafka_refuses_for_good_fails_the_deployment_with_its_reason() -> None:
    admin = Admin(failing=[errors.PolicyViolationError("too many partitions")])
    with pytest.raises(TopicError, match=r"PolicyViolationError: .*too many partitions"):
        setup(admin).is_complete(event())


def test_delete_leaves_the_topic() -> None:
    admin = Admin({"events": 4})
    assert setup(admin).on_event(event("Delete"))["PhysicalResourceId"] == "events-topic"
    assert setup(admin).is_complete(event("Delete"))["IsComplete"] is True
    assert admin.asked == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"Brokers": "somewhere"}, "property Brokers is 'somewhere'"),
        ({"Topic": "a topic"}, "property Topic is 'a topic'"),
        ({"Partitions": "0"}, "property Partitions is '0'"),
        ({"RetentionHours": "9000"}, "property RetentionHours is '9000'"),
    ],
)
def test_a_bad_property_fails_before_anything_is_asked(changes: dict[str, str], told: str) -> None:
    admin = Admin()
    with pytest.raises(RequestError, match=told):
        setup(admin).on_event(event(**changes))
    assert admin.asked == []
