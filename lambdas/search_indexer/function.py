"""The search indexer without its surroundings: client, index prefix and clock are given."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts.metrics import NAMESPACE
from lambdas.common.dead_letters import DeadLetterQueue
from lambdas.common.errors import RecordError
from lambdas.common.logs import fields
from lambdas.common.opensearch import OpenSearchClient
from lambdas.common.patience import Patience
from lambdas.common.poison import bury
from lambdas.common.records import decode, failures_of, merge_repeats, unreadable
from lambdas.common.response import BatchResponse, batch_item_failures
from lambdas.common.telemetry import Counts, oldest_age
from lambdas.search_indexer import bulk
from lambdas.search_indexer.documents import Action, action_of

LOGGER = logging.getLogger(__name__)

#: The function's package: in dead letters, metrics and logs.
NAME = "search_indexer"


@dataclass(frozen=True)
class SearchIndexer:
    """Indexes every result and rejection of a batch, live or backfill. ``now`` answers the time in UTC."""

    client: OpenSearchClient
    prefix: str
    dead_letters: DeadLetterQueue
    now: Callable[[], datetime]
    namespace: str = NAMESPACE

    def handle(self, event: Mapping[str, object], patience: Patience) -> BatchResponse:
        """Process one Kinesis event; the answer names the records to deliver again.

        Documents that OpenSearch refuses for good, and records that cannot be decoded, go to the dead letters: last,
        and only those before the lowest record that comes again, so that none is buried with each delivery.
        """
        batch = decode(event)
        poison = list(batch.failures)
        actions: list[Action] = []
        for result in merge_repeats(batch.results):
            try:
                actions.append(action_of(result, self.prefix))
            except RecordError as error:
                poison += failures_of(LOGGER, result, str(error))
            except Exception as error:  # noqa: BLE001 - a mistake of ours in one record must not hold up its shard
                poison += failures_of(LOGGER, result, unreadable(LOGGER, error))
        outcome = bulk.index(self.client, actions, patience)
        poison += outcome.poison
        below = batch.again_from(outcome.again)
        burial = bury(self.dead_letters, NAME, batch, poison, patience, below=below)
        failures = [*outcome.again, *burial.again]
        again = {failure.sequence for failure in failures}
        told = Counts(
            processed=len(batch.raw) - len(again),
            duplicate=len(batch.results) - len(actions),
            retried=len(again),
            dead_lettered=burial.buried,
            oldest_age=oldest_age(batch.results, self.now()),
        )
        LOGGER.info(
            "batch processed",
            extra=fields(
                results=len(batch.results),
                documents=len(actions),
                failures=len(failures),
                **told.members(self.namespace, NAME),
            ),
        )
        return batch_item_failures(again)
