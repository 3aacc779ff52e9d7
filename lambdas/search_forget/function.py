"""Deleting a user's documents from OpenSearch."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from contracts.rejections import REJECTED
from lambdas.common.logs import fields
from lambdas.common.opensearch import OpenSearchClient, error_text, json_object
from lambdas.common.person import USER_ID
from lambdas.search_indexer.settings import index_name

LOGGER = logging.getLogger(__name__)

_OK = 200
_LONG_MIN, _LONG_MAX = -(2**63), 2**63 - 1


class ForgetError(Exception):
    """The index may still hold something of the user; the text says why and holds nothing of a document."""


@dataclass(frozen=True)
class Forget:
    """``prefix`` begins the names of the indices that are searched."""

    client: OpenSearchClient
    prefix: str

    def handle(self, event: Mapping[str, object]) -> dict[str, int]:
        """Deletes the documents whose ``user_id`` is the event's; answers ``{"deleted": count, "unnamed": count}``.

        ``unnamed`` are the rejections that name no user: their payload is not an event's JSON, or they were indexed
        before rejections had the field. Documents that change meanwhile are met by the next call.
        Raises :class:`ForgetError`, and
        :class:`~lambdas.common.opensearch.OpenSearchError` when OpenSearch does not answer.
        """
        user = event.get("user_id")
        if isinstance(user, bool) or not isinstance(user, int) or not _LONG_MIN <= user <= _LONG_MAX:
            raise ForgetError('the event is not {"user_id": N} with a 64-bit number')
        answer = self.client.request(
            "POST",
            f"/{self.prefix}-*/_delete_by_query?conflicts=proceed&refresh=true",
            json.dumps({"query": {"term": {USER_ID: user}}}).encode(),
            "application/json",
        )
        body = json_object(answer)
        if answer.status != _OK:
            raise ForgetError(f"OpenSearch answered {answer.status}: {error_text(body.get('error'))}")
        deleted, failures = body.get("deleted"), body.get("failures")
        conflicts = body.get("version_conflicts")
        if not isinstance(deleted, int) or failures or conflicts or body.get("timed_out"):
            failed = len(failures) if isinstance(failures, list) else 0
            raise ForgetError(
                f"OpenSearch deleted {deleted} documents and left some ({failed} failures, {conflicts} changed "
                "meanwhile): run it again"
            )
        unnamed = self._unnamed()
        LOGGER.info("a user was forgotten", extra=fields(deleted=deleted))  # who it was is what must not be kept
        return {"deleted": deleted, "unnamed": unnamed}

    def _unnamed(self) -> int:
        answer = self.client.request(
            "POST",
            f"/{index_name(self.prefix, REJECTED)}-*/_count",
            json.dumps({"query": {"bool": {"must_not": {"exists": {"field": USER_ID}}}}}).encode(),
            "application/json",
        )
        body = json_object(answer)
        count = body.get("count")
        if answer.status != _OK or not isinstance(count, int):
            raise ForgetError(f"OpenSearch answered {answer.status}: {error_text(body.get('error'))}")
        return count
