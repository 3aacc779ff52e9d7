"""Entry point of the search indexer: ``lambdas.search_indexer.handler.handler``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache

import boto3

from lambdas.common import logs
from lambdas.common.clients import LONGEST_CALL, ONE_ATTEMPT
from lambdas.common.dead_letters import DeadLetterQueue
from lambdas.common.invocation import remaining
from lambdas.common.opensearch import OpenSearchClient
from lambdas.common.patience import Patience
from lambdas.common.response import BatchResponse
from lambdas.common.sink_settings import dead_letter_queue
from lambdas.search_indexer.function import SearchIndexer
from lambdas.search_indexer.settings import Settings


def handler(event: Mapping[str, object], context: object) -> BatchResponse:
    """Index a batch of results from Kinesis.

    ``event`` is what the event source mapping sends. Raises
    :class:`~lambdas.common.errors.SettingError` for a bad environment and
    :class:`~lambdas.common.errors.EventError` for what is no Kinesis event; no record's content raises.
    """
    indexer, timeout = function()
    # After the last try there must be time for its answer, and for the dead letters.
    return indexer.handle(event, Patience(remaining(context), reserve=timeout + LONGEST_CALL))


@cache
def function() -> tuple[SearchIndexer, float]:
    """The function with its connections, made at the first call and kept for the life of the process; its timeout."""
    logs.setup(os.environ)
    settings = Settings.from_env(os.environ)
    indexer = SearchIndexer(
        OpenSearchClient(settings.endpoint, settings.region, settings.timeout),
        settings.prefix,
        DeadLetterQueue(boto3.session.Session().client("sqs", config=ONE_ATTEMPT), dead_letter_queue(os.environ)),
        now=lambda: datetime.now(UTC),
        namespace=settings.namespace,
    )
    return indexer, settings.timeout
