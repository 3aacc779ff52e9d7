"""OpenSearch as the set-up sees it: what was taken, what to ask again, what will never be taken."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from lambdas.common.logs import fields
from lambdas.common.opensearch import Answer, OpenSearchError, error_text

LOGGER = logging.getLogger(__name__)

_JSON = "application/json"
_NOT_FOUND = 404
# 401 and 403: the master user is not known yet, or rights still spread. 409: another change of the same thing.
_LATER = frozenset({401, 403, 408, 409, 429})
_REASON_MAX = 300
# What ISM says of an index that needs no change: it has a policy already, or none that could be changed.
_EXPECTED = ("already has a policy", "not being managed")


class SetupError(Exception):
    """OpenSearch will not take what it is given; the text is its own."""


class NotYetError(Exception):
    """OpenSearch does not answer, or not with yes, which may change: roles spread, a domain comes up."""


class Client(Protocol):
    """What is used of :class:`~lambdas.common.opensearch.OpenSearchClient`."""

    def request(self, method: str, path: str, body: bytes, content_type: str) -> Answer:
        """Send a signed request."""
        ...


@dataclass(frozen=True)
class Cluster:
    """Requests to one domain. Every method raises :class:`NotYetError` or :class:`SetupError`."""

    client: Client

    def put(self, path: str, body: Mapping[str, object]) -> None:
        """Create or replace what is at ``path``."""
        self._request("PUT", path, body)

    def put_policy(self, name: str, body: Mapping[str, object]) -> None:
        """Create or replace an ISM policy: the one that was read is the one that is replaced."""
        path = f"/_plugins/_ism/policies/{name}"
        known = self._request("GET", path, absent_is_fine=True)
        if known is None:
            self.put(path, body)
            return
        sequence, term = known.get("_seq_no"), known.get("_primary_term")
        if not isinstance(sequence, int) or not isinstance(term, int):
            raise SetupError(f"OpenSearch tells no version of policy {name}")
        self.put(f"{path}?if_seq_no={sequence}&if_primary_term={term}", body)

    def apply_policy(self, name: str, patterns: list[str]) -> None:
        """Have the indices that exist follow the policy as it is now.

        An index follows none before it is given one, and the version that it was given until it is given another.
        An index that does not take it is logged: the next ones follow the policy all the same.
        """
        indices = ",".join(patterns)
        for action in ("add", "change_policy"):
            answer = self._request(
                "POST", f"/_plugins/_ism/{action}/{indices}", {"policy_id": name}, absent_is_fine=True
            )
            failures = answer.get("failed_indices") if answer else None
            for failure in failures if isinstance(failures, list) else ():
                reason = str(failure.get("reason")) if isinstance(failure, dict) else str(failure)
                if not any(expected in reason for expected in _EXPECTED):
                    LOGGER.warning("an index does not follow the policy", extra=fields(policy=name, reason=reason))

    def _request(
        self, method: str, path: str, body: Mapping[str, object] | None = None, *, absent_is_fine: bool = False
    ) -> Mapping[str, object] | None:
        """The answer's JSON object, or None for a 404 where that is fine."""
        what = f"{method} {path.partition('?')[0]}"
        data = b"" if body is None else json.dumps(body).encode()
        try:
            answer = self.client.request(method, path, data, _JSON)
        except OpenSearchError as error:
            raise NotYetError(f"{what}: {error}") from error
        if answer.status in (200, 201):
            return _object(answer)
        if answer.status == _NOT_FOUND and absent_is_fine:
            return None
        text = f"{what}: OpenSearch answered {answer.status}: {_reason(answer)}"
        if answer.status in _LATER or answer.status >= 500:
            raise NotYetError(text)
        raise SetupError(text)


def _object(answer: Answer) -> Mapping[str, object]:
    try:
        found: object = json.loads(answer.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _reason(answer: Answer) -> str:
    """What OpenSearch, its security plugin or the service in front of it says; none of it holds a document."""
    found = _object(answer)
    if isinstance(found.get("error"), dict):
        return error_text(found["error"])
    for name in ("message", "Message", "reason", "error"):
        if isinstance(found.get(name), str):
            return str(found[name])[:_REASON_MAX]
    return answer.body[:_REASON_MAX].decode("utf-8", "replace") or "no reason given"
