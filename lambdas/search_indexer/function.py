"""The search indexer without its surroundings: client and index prefix are given."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from lambdas.common.errors import RecordError
from lambdas.common.logs import fields
from lambdas.common.records import decode, failed, merge_repeats
from lambdas.common.response import BatchResponse, batch_item_failures
from lambdas.search_indexer import bulk
from lambdas.search_indexer.client import OpenSearchClient
from lambdas.search_indexer.documents import Action, action_of

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class SearchIndexer:
    """Indexes every result and rejection of a batch, live or backfill."""

    client: OpenSearchClient
    prefix: str

    def handle(self, event: Mapping[str, object]) -> BatchResponse:
        """Process one Kinesis event; the answer names the records to deliver again."""
        batch = decode(event)
        failures = list(batch.failures)
        actions: list[Action] = []
        for result in merge_repeats(batch.results):
            try:
                actions.append(action_of(result, self.prefix))
            except RecordError as error:
                failures.extend(failed(LOGGER, result.shard, sequence, str(error)) for sequence in result.sequences)
        failures += bulk.index(self.client, actions)
        LOGGER.info(
            "batch processed",
            extra=fields(results=len(batch.results), documents=len(actions), failures=len(failures)),
        )
        return batch_item_failures(failure.sequence for failure in failures)
