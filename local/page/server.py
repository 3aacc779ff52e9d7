"""Serves the page on 127.0.0.1: fixed files, two snapshots, and one request that changes something.

A browser lets any page post to the loopback. So a request must name this server as its host (against DNS rebinding),
and one that changes something must carry the token that only the page itself has been given, in a header that another
origin may not send without asking first, which is never answered.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local.faults.fault import NotNow, Progress
from local.ports import HOST, free_port

_log = logging.getLogger(__name__)

ASSETS = Path(__file__).parent / "assets"
#: uPlot, as npm installed it.
CHARTS = Path(__file__).resolve().parents[2] / "node_modules" / "uplot" / "dist"
TOKEN_HEADER = "X-Demo-Token"  # noqa: S105 - a header's name
_TOKEN_MARK = b"TOKEN-OF-THIS-RUN"
_FAULTS = "/api/faults/"
_MOST_BODY = 1024
#: The policy: everything from this server, no inline script or style, no frame, no form that goes elsewhere.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class AssetsMissing(Exception):
    """The chart library is not installed; the message says how to get it."""


@dataclass(frozen=True)
class Content:
    """What the page asks for: snapshots as JSON, and how a fault is injected (KeyError, NotNow)."""

    live: Callable[[], dict[str, Any]]
    dashboard: Callable[[], dict[str, Any]]
    inject: Callable[[str], Progress]


class Page:
    """A server in threads of its own. Use it as a context manager; ``url`` is what a person opens.

    Raises:
        AssetsMissing: npm has not installed the charts.
        OSError: no port could be had.
    """

    def __init__(self, content: Content) -> None:
        self.token = secrets.token_urlsafe(24)
        self._files = _files(self.token)
        self._server = ThreadingHTTPServer((HOST, free_port()), _handler(content, self._files, self.token))
        self._server.daemon_threads = True
        self.url = f"http://{HOST}:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, name="page", daemon=True)

    def __enter__(self) -> Self:
        """Begins to serve."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops serving."""
        self._server.shutdown()
        self._server.server_close()


def _files(token: str) -> dict[str, tuple[str, bytes]]:
    """Path to type and content of everything that is served as it is."""
    charts = {f"/charts/{name}": CHARTS / name for name in ("uPlot.iife.min.js", "uPlot.min.css")}
    missing = [str(path.name) for path in charts.values() if not path.is_file()]
    if missing:
        raise AssetsMissing(f"{', '.join(missing)} of uPlot is not there; get it with: npm ci")
    paths = {f"/{path.name}": path for path in sorted(ASSETS.iterdir())} | charts
    files = {name: (_TYPES[path.suffix], path.read_bytes()) for name, path in paths.items()}
    kind, page = files.pop("/index.html")
    files["/"] = (kind, page.replace(_TOKEN_MARK, token.encode()))
    return files


def _handler(content: Content, files: dict[str, tuple[str, bytes]], token: str) -> type[BaseHTTPRequestHandler]:
    snapshots = {"/api/live": content.live, "/api/dashboard": content.dashboard}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "demo"
        sys_version = ""
        timeout = 30

        def do_GET(self) -> None:
            """Files and snapshots."""
            if not self._is_for_us():
                return
            path = self.path.partition("?")[0]
            if path in files:
                self._answer(HTTPStatus.OK, *files[path])
            elif path in snapshots:
                self._snapshot(snapshots[path])
            else:
                self._tell(HTTPStatus.NOT_FOUND, "there is no such page")

        def do_POST(self) -> None:
            """Injects a fault."""
            length = self.headers.get("Content-Length", "0")
            if not length.isdigit() or int(length) > _MOST_BODY:
                self.close_connection = True
                self._tell(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "a fault needs no content")
                return
            self.rfile.read(int(length))
            if not self._is_for_us():
                return
            if not secrets.compare_digest(self.headers.get(TOKEN_HEADER, "").encode(), token.encode()):
                self._tell(HTTPStatus.FORBIDDEN, "only the page of this run may do that")
                return
            try:
                progress = content.inject(self.path.removeprefix(_FAULTS) if self.path.startswith(_FAULTS) else "")
            except KeyError:
                self._tell(HTTPStatus.NOT_FOUND, "there is no such fault")
            except NotNow as why:
                self._tell(HTTPStatus.CONFLICT, str(why))
            except Exception as error:  # noqa: BLE001 - the edge: told to who asked, the trace into the log
                self._broken(error)
            else:
                self._answer(HTTPStatus.OK, "application/json", json.dumps(progress.as_json()).encode())

        def _is_for_us(self) -> bool:
            port = self.connection.getsockname()[1]
            ours = {f"{host}:{port}" for host in (HOST, "localhost")}
            origin = self.headers.get("Origin")
            if self.headers.get("Host") in ours and (origin is None or origin.removeprefix("http://") in ours):
                return True
            self._tell(HTTPStatus.FORBIDDEN, "this server answers to its own page only")
            return False

        def _snapshot(self, make: Callable[[], dict[str, Any]]) -> None:
            try:
                told = json.dumps(make(), separators=(",", ":"), allow_nan=False).encode()
            except Exception as error:  # noqa: BLE001 - the edge: told to who asked, the trace into the log
                self._broken(error)
            else:
                self._answer(HTTPStatus.OK, "application/json", told)

        def _broken(self, error: Exception) -> None:
            _log.error("page: %s", self.path, exc_info=error)
            self._tell(HTTPStatus.SERVICE_UNAVAILABLE, f"{type(error).__name__}: {error}")

        def _tell(self, status: HTTPStatus, why: str) -> None:
            self._answer(status, "application/json", json.dumps({"error": why}).encode())

        def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            for name, value in _HEADERS.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            _log.debug(format, *args)

    return Handler
