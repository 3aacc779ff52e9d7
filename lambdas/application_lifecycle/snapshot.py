"""Entry points of the custom resource before the application: ``on_event`` and ``is_complete``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache

import boto3

from lambdas.application_lifecycle.client import CONFIG
from lambdas.application_lifecycle.snapshotter import Snapshotter
from lambdas.common import logs
from lambdas.common.custom_resource import IsCompleteAnswer, OnEventAnswer


def on_event(event: Mapping[str, object], context: object) -> OnEventAnswer:
    """Take a request of CloudFormation; raises for a bad property."""
    return resource().on_event(event)


def is_complete(event: Mapping[str, object], context: object) -> IsCompleteAnswer:
    """One step, and whether it was the last; raises what fails the deployment."""
    return resource().is_complete(event)


@cache
def resource() -> Snapshotter:
    """The resource with its clients, made at the first call and kept for the life of the process."""
    logs.setup(os.environ)
    session = boto3.session.Session()
    return Snapshotter(
        client=session.client("kinesisanalyticsv2", config=CONFIG),
        cloudformation=session.client("cloudformation", config=CONFIG),
        now=lambda: datetime.now(UTC),
    )
