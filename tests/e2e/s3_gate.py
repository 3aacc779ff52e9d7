"""A gate before moto's S3: hears every request, says what IAM makes of it, and refuses as S3 does what is not allowed.

moto's own enforcement denies correct statements (see tests/iam/policies.py), so requests are judged here, against the
synthesized policies. A request of which nobody has written down what IAM makes is answered with 501 and told.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from tests.iam.policies import NO_CONTEXT, Call

_XML = '<?xml version="1.0" encoding="UTF-8"?>'
_DENIED = "<Code>AccessDenied</Code><Message>Access Denied</Message>"
_SECONDS = 60.0
_HOP_BY_HOP = {"connection", "content-length", "transfer-encoding"}
#: Method and what the query has to the action on an object (S3 user guide, required permissions for API operations).
_OBJECT_ACTIONS = {
    ("GET", False): "s3:GetObject",
    ("HEAD", False): "s3:GetObject",
    ("PUT", False): "s3:PutObject",
    ("POST", True): "s3:PutObject",  # begins and completes an upload
    ("PUT", True): "s3:PutObject",
    ("DELETE", False): "s3:DeleteObject",
    ("DELETE", True): "s3:AbortMultipartUpload",
    ("GET", True): "s3:ListMultipartUploadParts",
}


@dataclass
class S3Gate:
    """``calls`` came, ``denied`` are those that were refused, ``unknown`` requests that nobody has thought of."""

    endpoint: str
    calls: set[Call] = field(default_factory=set)
    denied: set[Call] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)
    #: How many completed uploads the client is not told of. S3 forgets them: it must find out that the file is there.
    answers_to_lose: int = 0
    forgotten: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class _Request:
    method: str
    bucket: str
    key: str
    query: Mapping[str, Sequence[str]]
    body: bytes

    @property
    def is_upload(self) -> bool:
        """Whether it is about an upload of parts."""
        return "uploads" in self.query or "uploadId" in self.query

    @property
    def completes(self) -> str | None:
        """The upload that it ends."""
        return next(iter(self.query.get("uploadId", ())), None) if self.method == "POST" else None

    @property
    def deleted(self) -> list[str]:
        """Keys of a request that deletes several."""
        return [unquote(key) for key in re.findall(r"<Key>([^<]*)</Key>", self.body.decode())]

    def calls(self) -> list[Call]:
        """What IAM judges; nothing for a request that is not known."""
        arn = f"arn:aws:s3:::{self.bucket}"
        if self.method == "POST" and "delete" in self.query:
            return [Call("s3:DeleteObject", f"{arn}/{key}") for key in self.deleted]
        if self.key:
            action = _OBJECT_ACTIONS.get((self.method, self.is_upload))
            return [] if action is None else [Call(action, f"{arn}/{self.key}")]
        if self.method == "GET" and "list-type" in self.query:
            return [_listing(arn, self.query.get("prefix", [""])[0])]
        return []


def _listing(bucket: str, prefix: str) -> Call:
    return Call("s3:ListBucket", bucket, frozenset({("s3:prefix", prefix)}) if prefix else NO_CONTEXT)


@contextmanager
def s3_gate(target: str, allowed: Callable[[Call], bool]) -> Iterator[S3Gate]:
    """The gate before the server at ``target`` (http://host:port); buckets stand in the path, not in the host."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    gate = S3Gate(f"http://127.0.0.1:{server.server_port}")
    server.RequestHandlerClass = _handler(gate, target, allowed)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield gate
    finally:
        server.shutdown()
        server.server_close()


def _handler(gate: S3Gate, target: str, allowed: Callable[[Call], bool]) -> type[BaseHTTPRequestHandler]:
    host, port = urlsplit(target).hostname or "", urlsplit(target).port

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the test tells what matters."""

        def serve(self) -> None:
            """One request."""
            url = urlsplit(self.path)
            bucket, _, key = unquote(url.path).lstrip("/").partition("/")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = _Request(self.command, bucket, key, parse_qs(url.query, keep_blank_values=True), body)
            calls = request.calls()
            gate.calls.update(calls)
            refused = [call for call in calls if not allowed(call)]
            gate.denied.update(refused)
            if not calls or "x-amz-copy-source" in self.headers:
                gate.unknown.append(f"{self.command} {self.path}")
                self.answer(501, b"", {})
            elif refused and request.deleted:
                self.answer(200, _refused_deletes(refused), {})
            elif refused:
                self.answer(403, f"{_XML}<Error>{_DENIED}</Error>".encode(), {})
            elif request.completes in gate.forgotten:
                self.answer(404, f"{_XML}<Error><Code>NoSuchUpload</Code></Error>".encode(), {})
            else:
                self.forward(request)

        def forward(self, request: _Request) -> None:
            """To moto and back. Whether an object is not there, S3 tells only who may list its prefix."""
            connection = HTTPConnection(host, port, timeout=_SECONDS)
            connection.request(self.command, self.path, request.body, dict(self.headers.items()))
            response = connection.getresponse()
            content = response.read()
            headers = {key: value for key, value in response.getheaders() if key.lower() not in _HOP_BY_HOP}
            if response.status == 404 and self.command in ("GET", "HEAD"):
                listing = _listing(f"arn:aws:s3:::{request.bucket}", request.key)
                gate.calls.add(listing)
                if not allowed(listing):
                    gate.denied.add(listing)
                    self.answer(403, f"{_XML}<Error>{_DENIED}</Error>".encode(), {})
                    return
            if request.completes and response.status == 200 and gate.answers_to_lose:
                gate.answers_to_lose -= 1
                gate.forgotten.add(request.completes)
                self.answer(500, f"{_XML}<Error><Code>InternalError</Code></Error>".encode(), {})
                return
            length = response.getheader("Content-Length") if self.command == "HEAD" else None
            self.answer(response.status, content, headers, length)

        def answer(self, status: int, content: bytes, headers: dict[str, str], length: str | None = None) -> None:
            """The answer; a HEAD has no content, whatever its length."""
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", length or str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = serve

    return Handler


def _refused_deletes(refused: list[Call]) -> bytes:
    keys = (call.resource.partition(":::")[2].partition("/")[2] for call in refused)
    errors = "".join(f"<Error><Key>{key}</Key>{_DENIED}</Error>" for key in keys)
    return f'{_XML}<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{errors}</DeleteResult>'.encode()
