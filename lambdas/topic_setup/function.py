"""The custom resource that makes the topic of events, or brings one that is there to what the settings say.

It speaks Kafka's own protocol, from inside of the network: MSK's API for topics, and with it ``AWS::MSK::Topic``, knows
provisioned clusters only (MSK developer guide, "Topic operations"). Every step can be made again, so each poll simply
makes them all. Delete leaves the topic: it goes with its cluster, or is kept with its events.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from lambdas.common.custom_resource import (
    IsCompleteAnswer,
    OnEventAnswer,
    RequestType,
    ResourceRequest,
    accepted,
    complete,
    incomplete,
)
from lambdas.common.logs import fields
from lambdas.topic_setup.topic import NotYetError, TopicError, Topics, Wish

LOGGER = logging.getLogger(__name__)

#: A new cluster's IAM rights spread within minutes.
_PATIENCE = timedelta(minutes=15)


@dataclass(frozen=True)
class TopicSetup:
    """Makes the topic. ``connect`` opens a connection to brokers, host:port separated by commas; it may raise NotYet.

    Properties: Brokers, Topic, Partitions (1 to 2400), RetentionHours (1 to 8760).
    """

    connect: Callable[[str], AbstractContextManager[Topics]]
    now: Callable[[], datetime]

    def on_event(self, event: Mapping[str, object]) -> OnEventAnswer:
        """Check the properties; calls nothing. Raises :class:`~lambdas.common.custom_resource.RequestError`."""
        request = ResourceRequest.of(event)
        if request.type is RequestType.DELETE:
            return accepted(request.physical_id or "", self.now())
        _brokers(request)
        return accepted(f"{_wish(request).name}-topic", self.now())

    def is_complete(self, event: Mapping[str, object]) -> IsCompleteAnswer:
        """Make the topic; complete when it is as wished.

        Raises :class:`~lambdas.topic_setup.topic.TopicError` with Kafka's reason for what it refused, and when it takes
        too long.
        """
        request = ResourceRequest.of(event)
        if request.type is RequestType.DELETE:
            return complete()
        wish = _wish(request)
        try:
            with self.connect(_brokers(request)) as topics:
                topics.make(wish)
        except NotYetError as error:
            LOGGER.warning("asking again later", extra=fields(reason=str(error)))
            if request.waited(self.now()) > _PATIENCE:
                raise TopicError(f"topic {wish.name} is not there after {_PATIENCE} h:mm:ss: {error}") from error
            return incomplete()
        return complete()


def _brokers(request: ResourceRequest) -> str:
    return request.text("Brokers", r"[\w.-]+:\d{1,5}(,[\w.-]+:\d{1,5})*", "allowed are host:port, separated by commas")


def _wish(request: ResourceRequest) -> Wish:
    return Wish(
        name=request.text("Topic", r"[a-zA-Z0-9_.-]{1,249}", "allowed is a topic's name"),
        partitions=request.number("Partitions", 1, 2400),
        retention_hours=request.number("RetentionHours", 1, 8760),
    )
