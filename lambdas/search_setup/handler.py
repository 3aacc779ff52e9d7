"""Entry points of the search set-up: ``on_event`` and ``is_complete``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache

from lambdas.common import logs
from lambdas.common.custom_resource import IsCompleteAnswer, OnEventAnswer
from lambdas.common.opensearch import OpenSearchClient
from lambdas.common.settings import region
from lambdas.search_setup.function import SearchSetup

# A domain that does not answer in this time is asked again by the next poll.
_TIMEOUT_SECONDS = 5.0


def on_event(event: Mapping[str, object], context: object) -> OnEventAnswer:
    """Take a request of CloudFormation; raises for a bad property."""
    return resource().on_event(event)


def is_complete(event: Mapping[str, object], context: object) -> IsCompleteAnswer:
    """Write everything, and whether OpenSearch took it; raises what fails the deployment."""
    return resource().is_complete(event)


@cache
def resource() -> SearchSetup:
    """The resource, made at the first call and kept for the life of the process."""
    logs.setup(os.environ)
    name = region(os.environ)
    return SearchSetup(
        connect=lambda endpoint: OpenSearchClient(endpoint, name, _TIMEOUT_SECONDS),
        now=lambda: datetime.now(UTC),
    )
