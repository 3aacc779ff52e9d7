"""Entry points of the topic's set-up: ``on_event`` and ``is_complete``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from lambdas.common import logs
from lambdas.common.custom_resource import IsCompleteAnswer, OnEventAnswer
from lambdas.topic_setup.function import TopicSetup
from lambdas.topic_setup.topic import Topics, connected


def on_event(event: Mapping[str, object], context: object) -> OnEventAnswer:
    """Take a request of CloudFormation; raises for a bad property."""
    return _resource().on_event(event)


def is_complete(event: Mapping[str, object], context: object) -> IsCompleteAnswer:
    """Make the topic; raises what fails the deployment."""
    return _resource().is_complete(event)


def _resource() -> TopicSetup:
    logs.setup(os.environ)
    return TopicSetup(signed_in, lambda: datetime.now(UTC))


def signed_in(brokers: str) -> AbstractContextManager[Topics]:
    """A connection that signs in by IAM as this function's role; signing is local, no call goes to another service."""
    return connected(brokers, security_protocol="SASL_SSL", sasl_mechanism="AWS_MSK_IAM")
