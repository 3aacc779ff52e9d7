"""Signed requests to OpenSearch: botocore's SigV4 over urllib3, which boto3 brings along.

opensearch-py would do the same at 1.4 times the CPU of a cold start and 25 MB more (docs/benchmarks/functions.md).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.session import Session

# Name of the OpenSearch service in signatures and IAM, from its former name.
_SERVICE = "es"


class OpenSearchError(Exception):
    """OpenSearch did not answer, or not as asked. The text holds no document."""


@dataclass(frozen=True)
class Answer:
    """Status and body of an HTTP answer."""

    status: int
    body: bytes


class OpenSearchClient:
    """Sends signed requests to one endpoint. Threads may share it."""

    def __init__(self, endpoint: str, region: str, timeout: float) -> None:
        self._endpoint = endpoint
        self._region = region
        self._session = Session()
        # Retries belong to the caller: a bulk request sent twice by the pool would hide the first one's fate.
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=timeout, read=timeout), retries=False, maxsize=4
        )

    def request(self, method: str, path: str, body: bytes, content_type: str) -> Answer:
        """Send ``body`` to ``path`` (which needs no escaping); the answer, whatever its status.

        Raises :class:`OpenSearchError` when there are no credentials or no answer in time.
        """
        url = self._endpoint + path
        try:
            answer = self._pool.request(
                method, url, body=body, headers=self._signed(method, url, body, content_type), redirect=False
            )
        except BotoCoreError as error:
            raise OpenSearchError(f"the request could not be signed: {error}") from error
        except urllib3.exceptions.HTTPError as error:
            raise OpenSearchError(f"no answer from OpenSearch: {type(error).__name__}") from error
        return Answer(answer.status, answer.data)

    def _signed(self, method: str, url: str, body: bytes, content_type: str) -> dict[str, str]:
        credentials = self._session.get_credentials()
        if credentials is None:
            raise OpenSearchError("no AWS credentials to sign with: give the function a role")
        request = AWSRequest(method=method, url=url, data=body, headers={"Content-Type": content_type})
        SigV4Auth(credentials.get_frozen_credentials(), _SERVICE, self._region).add_auth(request)
        return dict(request.headers.items())


def json_object(answer: Answer) -> dict[str, object]:
    """Body of an answer as a JSON object; :class:`OpenSearchError` when it is none."""
    try:
        body = json.loads(answer.body)
    except ValueError as error:
        raise OpenSearchError(f"OpenSearch answered {answer.status} without JSON") from error
    if not isinstance(body, dict):
        raise OpenSearchError(f"OpenSearch answered {answer.status} without a JSON object")
    return body


# What follows these words in a reason is taken from the document.
_QUOTES = ("Preview of field's value", "The prefix of the first immense term", "For input string")
_REASON_MAX = 300


def error_text(error: object) -> str:
    """``type: reason`` of an OpenSearch error object, without the parts that quote the document."""
    if not isinstance(error, dict):
        return "no reason given"
    reason = str(error.get("reason", ""))
    for quote in _QUOTES:
        reason = reason.partition(quote)[0]
    return f"{error.get('type')}: {reason.strip()[:_REASON_MAX]}"
