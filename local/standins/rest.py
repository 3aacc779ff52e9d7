"""JSON over HTTP to a server of this machine: no proxy, no redirect, no retry."""

from __future__ import annotations

import http.client
import json
from typing import Any

from local.ports import HOST

_SECONDS = 10.0


class RestError(Exception):
    """The server answered with an error status; the message holds method, path, status and the answer."""


class RestClient:
    """Talks to `http://127.0.0.1:<port>`. One connection a request: any thread may use it."""

    def __init__(self, port: int, *, seconds: float = _SECONDS) -> None:
        self._port = port
        self._seconds = seconds

    @property
    def url(self) -> str:
        """The base address, without a slash at the end."""
        return f"http://{HOST}:{self._port}"

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Send a request, `body` as JSON unless None; return the decoded answer, None when it is empty.

        Raises:
            RestError: the status is not 2xx, or the answer is not JSON.
            OSError: the server cannot be reached.
        """
        connection = http.client.HTTPConnection(HOST, self._port, timeout=self._seconds)
        try:
            payload = None if body is None else json.dumps(body)
            connection.request(method, path, payload, {"Content-Type": "application/json"} if payload else {})
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except http.client.HTTPException as error:
            raise ConnectionError(f"{method} {self.url}{path}: {error!r}") from error
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise RestError(f"{method} {self.url}{path}: {answer.status} {text[:2000]}")
        try:
            return json.loads(text) if text else None
        except json.JSONDecodeError as error:
            raise RestError(f"{method} {self.url}{path}: not JSON: {text[:200]}") from error

    def probe(self, path: str) -> Any:
        """Return the answer to a GET, None while the server is not there or not ready (for health checks)."""
        try:
            return self.call("GET", path)
        except (OSError, RestError):
            return None
