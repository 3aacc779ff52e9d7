"""Entry point of the alerts function: ``lambdas.alerts.handler.handler``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache

import boto3
from botocore.config import Config

from lambdas.alerts.event_types import EventTypes, TableRegistry
from lambdas.alerts.function import AlertsFunction, Rules
from lambdas.alerts.settings import Settings
from lambdas.common import logs
from lambdas.common.clients import ONE_ATTEMPT, TIMEOUTS
from lambdas.common.dead_letters import DeadLetterQueue
from lambdas.common.invocation import remaining
from lambdas.common.once import store
from lambdas.common.patience import Patience
from lambdas.common.response import BatchResponse

_CONFIG = Config(**TIMEOUTS, retries={"mode": "standard", "total_max_attempts": 3})
#: Seconds that a call may hang in the end: its attempts with their timeouts. None begins when less is left.
_LONGEST_CALL = 25.0


def handler(event: Mapping[str, object], context: object) -> BatchResponse:
    """Count and alert a batch of results from Kinesis.

    ``event`` is what the event source mapping sends. Raises
    :class:`~lambdas.common.errors.SettingError` for a bad environment and
    :class:`~lambdas.common.errors.EventError` for what is no Kinesis event; no record's content raises.
    """
    return function().handle(event, Patience(remaining(context), reserve=_LONGEST_CALL))


@cache
def function() -> AlertsFunction:
    """The function with its clients, made at the first call and kept for the life of the process.

    boto3 takes another endpoint from ``AWS_ENDPOINT_URL``, which is how the same code runs on a laptop.
    """
    logs.setup(os.environ)
    settings = Settings.from_env(os.environ)
    session = boto3.session.Session()  # not the default one, which threads would share while it is made
    dynamodb = session.client("dynamodb", config=_CONFIG)
    return AlertsFunction(
        topic_arn=settings.topic_arn,
        namespace=settings.namespace,
        sns=session.client("sns", config=ONE_ATTEMPT),
        cloudwatch=session.client("cloudwatch", config=ONE_ATTEMPT),
        now=lambda: datetime.now(UTC),
        store=store(settings.table, settings.remember, dynamodb),
        event_types=EventTypes(TableRegistry(dynamodb, settings.table), settings.event_types),
        dead_letters=DeadLetterQueue(session.client("sqs", config=ONE_ATTEMPT), settings.queue_url),
        rules=Rules(timedelta(seconds=settings.max_age), settings.digest_above, settings.categories, settings.of_jobs),
    )
