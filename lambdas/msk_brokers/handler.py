"""Entry points of the look-up of brokers: ``on_event`` and ``is_complete``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from lambdas.common import logs
from lambdas.common.custom_resource import IsCompleteAnswer, OnEventAnswer
from lambdas.msk_brokers.function import Brokers

_CONFIG = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 3})


def on_event(event: Mapping[str, object], context: object) -> OnEventAnswer:
    """Take a request of CloudFormation; raises for a bad property."""
    return _resource().on_event(event)


def is_complete(event: Mapping[str, object], context: object) -> IsCompleteAnswer:
    """Look the brokers up; raises what fails the deployment."""
    return _resource().is_complete(event)


def _resource() -> Brokers:
    logs.setup(os.environ)
    return Brokers(kafka, lambda: datetime.now(UTC))


@cache
def kafka() -> Any:
    """MSK's client, made at the first call and kept for the life of the process."""
    return boto3.session.Session().client("kafka", config=_CONFIG)
