"""Bulk requests, and what became of each document."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lambdas.common.chunks import chunks
from lambdas.common.logs import fields
from lambdas.common.opensearch import OpenSearchClient, OpenSearchError, error_text, json_object
from lambdas.common.patience import Patience
from lambdas.common.records import Failure, failures_of
from lambdas.search_indexer.documents import Action

LOGGER = logging.getLogger(__name__)

#: Limits of one request of ours. OpenSearch advises 5-15 MB; its small instances refuse above 10 MB.
MAX_DOCUMENTS = 1000
MAX_BYTES = 5 * 1024 * 1024

_OK = 200
_CONFLICT = 409
_TOO_MANY = 429
_SERVER_ERROR = 500
#: Types of the errors that name the document: it would be refused for ever. Every other error is the store's state,
#: such as a closed index (`index_closed_exception`), a block, or a cluster with all the shards that it may have
#: (`validation_exception`). Some of them have the status 400, too. Tried on OpenSearch 2.19.
_OF_THE_DOCUMENT = frozenset({"mapper_parsing_exception", "strict_dynamic_mapping_exception"})
#: Lucene's refusal of one document; the type alone (`illegal_argument_exception`) is that of full mappings, too.
_IMMENSE_TERM = "Document contains at least one immense term"


class OpenSearchBusyError(OpenSearchError):
    """OpenSearch has no room for a request just now."""


@dataclass(frozen=True)
class Refused:
    """Why a document was not indexed; ``final``: it will never be."""

    reason: str
    final: bool


#: Fate of a document by its ``_id``: None is indexed.
Fates = Mapping[str, Refused | None]


@dataclass
class Outcome:
    """Failures of one call: to be delivered again, and never to be indexed."""

    again: list[Failure] = field(default_factory=list)
    poison: list[Failure] = field(default_factory=list)


def index(client: OpenSearchClient, actions: Iterable[Action], patience: Patience) -> Outcome:
    """Send ``actions``, no two with one ``_id``.

    A version conflict counts as indexed: the document is there already. What OpenSearch has no room for is tried again
    while there is time. A request that is refused or not answered fails all its records, and the next one is sent all
    the same.
    """
    outcome = Outcome()
    sent = chunks(actions, max_items=MAX_DOCUMENTS, max_bytes=MAX_BYTES, size_of=lambda action: action.size)
    for number, chunk in enumerate(sent):
        if number and not patience.lasts():
            ended = [(action, Refused("no time left for OpenSearch", final=False)) for action in chunk]
        else:
            ended = _tried(client, chunk, patience)
        for action, refused in ended:
            into = outcome.poison if refused.final else outcome.again
            into += failures_of(LOGGER, action.result, refused.reason)
    return outcome


def _tried(client: OpenSearchClient, chunk: Sequence[Action], patience: Patience) -> list[tuple[Action, Refused]]:
    """What was not indexed in the end."""
    ended: list[tuple[Action, Refused]] = []
    left, tries = list(chunk), 0
    while True:
        try:
            fates = _send(client, left)
        except OpenSearchError as error:
            if isinstance(error, OpenSearchBusyError) and patience.next(tries):
                LOGGER.info("trying a refused request again", extra=fields(documents=len(left), tries=tries + 1))
                tries += 1
                continue
            # A cluster that does not answer at all stays so for longer than an invocation lasts.
            LOGGER.exception("OpenSearch took no document of a request", extra=fields(documents=len(left)))
            return ended + [(action, Refused(str(error), final=False)) for action in left]
        # an answer that leaves a document out does not say that it is indexed
        unknown = Refused("OpenSearch's answer does not name the document", final=False)
        refused = [(action, fates.get(action.result.result_id, unknown)) for action in left]
        ended += [(action, fate) for action, fate in refused if fate is not None and fate.final]
        waiting = [(action, fate) for action, fate in refused if fate is not None and not fate.final]
        if not waiting or not patience.next(tries):
            return ended + waiting
        LOGGER.info("trying refused documents again", extra=fields(documents=len(waiting), tries=tries + 1))
        left, tries = [action for action, _ in waiting], tries + 1


def _send(client: OpenSearchClient, actions: Iterable[Action]) -> Fates:
    body = b"".join(action.lines for action in actions)
    answer = client.request("POST", "/_bulk", body, "application/x-ndjson")
    if answer.status != _OK:
        busy = answer.status == _TOO_MANY or answer.status >= _SERVER_ERROR
        kind = OpenSearchBusyError if busy else OpenSearchError
        raise kind(f"OpenSearch refused the bulk request with status {answer.status}")
    items = json_object(answer).get("items")
    if not isinstance(items, list):
        raise OpenSearchError("OpenSearch's answer to a bulk request has no list of items")
    # By `_id`, never by position: an answer need not keep the request's order.
    return dict(_fate(item) for item in items)


def _fate(item: object) -> tuple[str, Refused | None]:
    outcome = item.get("index") if isinstance(item, dict) else None
    if not isinstance(outcome, dict):
        raise OpenSearchError("OpenSearch's answer to a bulk request has an item that is no `index`")
    status, document_id = outcome.get("status"), outcome.get("_id")
    if not isinstance(status, int) or not isinstance(document_id, str):
        raise OpenSearchError("OpenSearch's answer to a bulk request has an item without `status` or `_id`")
    if 200 <= status < 300 or status == _CONFLICT:
        return document_id, None
    error = outcome.get("error")
    return document_id, Refused(f"OpenSearch answered {status}: {error_text(error)}", _of_the_document(error))


def _of_the_document(error: object) -> bool:
    if not isinstance(error, dict):
        return False
    return error.get("type") in _OF_THE_DOCUMENT or str(error.get("reason")).startswith(_IMMENSE_TERM)
