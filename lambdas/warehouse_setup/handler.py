"""Entry points of the warehouse's set-up: ``on_event`` and ``is_complete``."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from lambdas.common import logs
from lambdas.common.custom_resource import IsCompleteAnswer, OnEventAnswer
from lambdas.common.invocation import remaining
from lambdas.warehouse_setup.function import WarehouseSetup, Wish
from lambdas.warehouse_setup.warehouse import Warehouse

_CONFIG = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 3})
#: A statement that is not done when so much is left is asked for by the next poll.
_LAST_MILLISECONDS = 30_000


def on_event(event: Mapping[str, object], context: object) -> OnEventAnswer:
    """Take a request of CloudFormation; raises for a bad property."""
    return _resource(lambda: 0).on_event(event)


def is_complete(event: Mapping[str, object], context: object) -> IsCompleteAnswer:
    """Write everything, and whether Redshift took it; raises what fails the deployment."""
    return _resource(remaining(context)).is_complete(event)


def _resource(left: Callable[[], int]) -> WarehouseSetup:
    logs.setup(os.environ)

    def connect(wish: Wish) -> Warehouse:
        data, serverless = clients()
        return Warehouse(
            data=data,
            serverless=serverless,
            workgroup=wish.workgroup,
            workgroup_arn=wish.workgroup_arn,
            database=wish.database,
            secret_arn=wish.secret_arn,
            more=lambda: left() > _LAST_MILLISECONDS,
        )

    return WarehouseSetup(connect, lambda: datetime.now(UTC))


@cache
def clients() -> tuple[Any, Any]:
    """The Data API's and the service's client, made at the first call and kept for the life of the process."""
    session = boto3.session.Session()
    return session.client("redshift-data", config=_CONFIG), session.client("redshift-serverless", config=_CONFIG)
