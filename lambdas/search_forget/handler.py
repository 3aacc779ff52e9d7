"""Entry point of the forget function: ``lambdas.search_forget.handler.handler``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache

from lambdas.common import logs
from lambdas.common.opensearch import OpenSearchClient
from lambdas.search_forget.function import Forget
from lambdas.search_indexer.settings import Settings

# Deleting by query takes as long as there are documents; the function has a minute more.
_TIMEOUT_SECONDS = 240.0


def handler(event: Mapping[str, object], context: object) -> dict[str, int]:
    """Delete a user's documents: ``{"user_id": 42}`` to ``{"deleted": 7}``. Raises what went wrong."""
    return function().handle(event)


@cache
def function() -> Forget:
    """The function with its connections, made at the first call and kept for the life of the process."""
    logs.setup(os.environ)
    settings = Settings.from_env(os.environ)
    return Forget(OpenSearchClient(settings.endpoint, settings.region, _TIMEOUT_SECONDS), settings.prefix)
