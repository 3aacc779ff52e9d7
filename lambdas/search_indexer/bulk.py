"""Bulk requests, and what became of each document."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from lambdas.common.chunks import chunks
from lambdas.common.logs import fields
from lambdas.common.records import Failure, failed
from lambdas.search_indexer.client import OpenSearchClient, OpenSearchError, error_text, json_object
from lambdas.search_indexer.documents import Action

LOGGER = logging.getLogger(__name__)

#: Limits of one request of ours. OpenSearch advises 5-15 MB; its small instances refuse above 10 MB.
MAX_DOCUMENTS = 1000
MAX_BYTES = 5 * 1024 * 1024

_OK = 200
_CONFLICT = 409

#: Fate of a document by its ``_id``: None is indexed, a text says why it is not.
Fates = Mapping[str, str | None]


def index(client: OpenSearchClient, actions: Iterable[Action]) -> list[Failure]:
    """Send ``actions``, no two with one ``_id``; the failures are the records of what was not indexed.

    A version conflict counts as indexed: the document is there already. A request that is refused or not
    answered fails all its records, and the next one is sent all the same.
    """
    failures: list[Failure] = []
    for chunk in chunks(actions, max_items=MAX_DOCUMENTS, max_bytes=MAX_BYTES, size_of=lambda action: action.size):
        try:
            fates = _send(client, chunk)
        except OpenSearchError as error:
            LOGGER.exception("OpenSearch took no document of a request", extra=fields(documents=len(chunk)))
            fates = {action.result.result_id: str(error) for action in chunk}
        for action in chunk:
            # an answer that leaves a document out does not say that it is indexed
            reason = fates.get(action.result.result_id, "OpenSearch's answer does not name the document")
            if reason is not None:
                failures.extend(
                    failed(LOGGER, action.result.shard, sequence, reason) for sequence in action.result.sequences
                )
    return failures


def _send(client: OpenSearchClient, actions: Iterable[Action]) -> Fates:
    body = b"".join(action.lines for action in actions)
    answer = client.request("POST", "/_bulk", body, "application/x-ndjson")
    if answer.status != _OK:
        raise OpenSearchError(f"OpenSearch refused the bulk request with status {answer.status}")
    items = json_object(answer).get("items")
    if not isinstance(items, list):
        raise OpenSearchError("OpenSearch's answer to a bulk request has no list of items")
    # By `_id`, never by position: an answer need not keep the request's order.
    return dict(_fate(item) for item in items)


def _fate(item: object) -> tuple[str, str | None]:
    outcome = item.get("index") if isinstance(item, dict) else None
    if not isinstance(outcome, dict):
        raise OpenSearchError("OpenSearch's answer to a bulk request has an item that is no `index`")
    status, document_id = outcome.get("status"), outcome.get("_id")
    if not isinstance(status, int) or not isinstance(document_id, str):
        raise OpenSearchError("OpenSearch's answer to a bulk request has an item without `status` or `_id`")
    if 200 <= status < 300 or status == _CONFLICT:
        return document_id, None
    return document_id, f"OpenSearch answered {status}: {error_text(outcome.get('error'))}"
