"""Topics of one cluster, through Kafka's admin protocol."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kafka import KafkaAdminClient, errors
from kafka.admin import ConfigResource, ConfigResourceType

from contracts.kafka import LOG_APPEND_TIME, RETENTION, TIMESTAMP_TYPE
from lambdas.common.logs import fields

LOGGER = logging.getLogger(__name__)

_HOUR_MS = 3_600_000
_MILLISECONDS = 20_000
#: What the broker is set to: three copies on MSK.
_BROKERS_DEFAULT = -1
#: Errors that pass although Kafka calls them final: IAM's rights of a new role spread within minutes.
_SPREADING = (
    errors.ClusterAuthorizationFailedError,
    errors.SaslAuthenticationFailedError,
    errors.TopicAuthorizationFailedError,
)


class TopicError(Exception):
    """Kafka refused, or the topic cannot be what is wished; the text says why."""


class NotYetError(Exception):
    """The brokers cannot be asked now, or do not say yes yet: asking again may help."""


@dataclass(frozen=True)
class Wish:
    """The topic as the settings have it."""

    name: str
    partitions: int
    retention_hours: int

    @property
    def configs(self) -> dict[str, str]:
        """What is set of the topic itself."""
        return {TIMESTAMP_TYPE: LOG_APPEND_TIME, RETENTION: str(self.retention_hours * _HOUR_MS)}


@dataclass(frozen=True)
class Topics:
    """``admin`` is kafka-python's KafkaAdminClient."""

    admin: Any

    def make(self, wish: Wish) -> None:
        """Make the topic, or change what is not as wished. Raises TopicError and NotYetError."""
        found = self._partitions(wish.name)
        if found is None:
            self._create(wish)
            return
        if found > wish.partitions:
            raise TopicError(
                f"topic {wish.name} has {found} partitions, and a topic never loses any: set source.msk.partitions to "
                f"{found} or more"
            )
        if found < wish.partitions:
            asked(lambda: self.admin.create_partitions({wish.name: wish.partitions}))
            LOGGER.info("partitions added", extra=fields(topic=wish.name, partitions=wish.partitions))
        self._configure(wish)

    def _create(self, wish: Wish) -> None:
        options = {
            "num_partitions": wish.partitions,
            "replication_factor": _BROKERS_DEFAULT,
            "configs": wish.configs,
        }
        asked(lambda: self.admin.create_topics({wish.name: options}))
        LOGGER.info("topic made", extra=fields(topic=wish.name, partitions=wish.partitions))

    def _partitions(self, name: str) -> int | None:
        """How many partitions the topic has; None when there is none of the name."""
        (told,) = asked(lambda: self.admin.describe_topics([name]))
        if told["error_code"] == errors.UnknownTopicOrPartitionError.errno:
            return None
        if told["error_code"]:
            raise _sorted(errors.for_code(told["error_code"])(name))
        return len(told["partitions"])

    def _configure(self, wish: Wish) -> None:
        resource = ConfigResource(ConfigResourceType.TOPIC, wish.name, dict.fromkeys(wish.configs))
        told = asked(lambda: self.admin.describe_configs([resource], config_filter="all"))
        ((_, known),) = told["topic"].items()
        differ = {key: value for key, value in wish.configs.items() if known[key]["value"] != value}
        if differ:
            changed = ConfigResource(ConfigResourceType.TOPIC, wish.name, dict(differ))
            asked(lambda: self.admin.alter_configs([changed]))
            LOGGER.info("topic changed", extra=fields(topic=wish.name, **differ))


@contextmanager
def connected(brokers: str, **sign_in: str) -> Iterator[Topics]:
    """A connection to brokers, host:port separated by commas; ``sign_in`` are kafka-python's options for that, if any.

    Raises NotYetError while nobody answers.
    """
    admin = asked(
        lambda: KafkaAdminClient(
            bootstrap_servers=brokers.split(","),
            bootstrap_timeout_ms=_MILLISECONDS,
            request_timeout_ms=_MILLISECONDS,
            **sign_in,
        )
    )
    try:
        yield Topics(admin)
    finally:
        admin.close()


def asked(call: Callable[[], Any]) -> Any:
    """What the call returns; Kafka's errors as TopicError, or NotYetError for those that pass."""
    try:
        return call()
    except errors.KafkaError as error:
        raise _sorted(error) from error


def _sorted(error: errors.KafkaError) -> Exception:
    """The error as one of ours."""
    text = f"{type(error).__name__}: {error}"
    return NotYetError(text) if error.retriable or isinstance(error, _SPREADING) else TopicError(text)
