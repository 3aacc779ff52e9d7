"""Makes topics of the laptop's broker with the function that makes them on AWS; only the sign-in differs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kafka import KafkaAdminClient

from lambdas.topic_setup.topic import Topics, asked

_MILLISECONDS = 20_000


@contextmanager
def connected(brokers: str) -> Iterator[Topics]:
    """A connection in plain text, as the laptop's broker takes it. NotYetError while it does not answer."""
    admin = asked(
        lambda: KafkaAdminClient(
            bootstrap_servers=brokers.split(","),
            bootstrap_timeout_ms=_MILLISECONDS,
            request_timeout_ms=_MILLISECONDS,
        )
    )
    try:
        yield Topics(admin)
    finally:
        admin.close()
