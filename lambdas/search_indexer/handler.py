"""Entry point of the search indexer: ``lambdas.search_indexer.handler.handler``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache

from lambdas.common import logs
from lambdas.common.response import BatchResponse
from lambdas.search_indexer.client import OpenSearchClient
from lambdas.search_indexer.function import SearchIndexer
from lambdas.search_indexer.settings import Settings


def handler(event: Mapping[str, object], context: object) -> BatchResponse:
    """Index a batch of results from Kinesis.

    ``event`` is what the event source mapping sends. Raises
    :class:`~lambdas.common.errors.SettingError` for a bad environment and
    :class:`~lambdas.common.errors.EventError` for what is no Kinesis event; no record's content raises.
    """
    return function().handle(event)


@cache
def function() -> SearchIndexer:
    """The function with its connections, made at the first call and kept for the life of the process."""
    logs.setup(os.environ)
    settings = Settings.from_env(os.environ)
    return SearchIndexer(OpenSearchClient(settings.endpoint, settings.region, settings.timeout), settings.prefix)
