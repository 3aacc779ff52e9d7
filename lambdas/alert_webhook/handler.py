"""Entry point of the webhook function: ``lambdas.alert_webhook.handler.handler``."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import cache

import boto3

from lambdas.alert_webhook.function import LONGEST_DELIVERY, Webhook
from lambdas.alert_webhook.messages import FORMATS
from lambdas.alert_webhook.secret import SecretAddress
from lambdas.alert_webhook.settings import Settings
from lambdas.common import logs
from lambdas.common.alert_queue import AlertQueue
from lambdas.common.clients import ONE_ATTEMPT
from lambdas.common.invocation import remaining
from lambdas.common.patience import Patience
from lambdas.common.response import BatchResponse


def handler(event: Mapping[str, object], context: object) -> BatchResponse:
    """Post a batch of alerts from SQS. Raises :class:`~lambdas.common.errors.SettingError` for a bad environment."""
    return function().handle(event, Patience(remaining(context), reserve=LONGEST_DELIVERY))


@cache
def function() -> AlertQueue:
    """The function with its clients, made at the first call and kept for the life of the process."""
    logs.setup(os.environ)
    settings = Settings.from_env(os.environ)
    session = boto3.session.Session()
    address = SecretAddress(session.client("secretsmanager", config=ONE_ATTEMPT), settings.secret_arn, time.monotonic)
    return AlertQueue(
        deliver=Webhook(address, FORMATS[settings.form]).deliver,
        sqs=session.client("sqs", config=ONE_ATTEMPT),
        dead_letters=settings.queue_url,
    )
