"""The page's server: who may ask, who may change something, and what every answer forbids the browser."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.faults.fault import NotNow, Progress
from local.page.server import POLICY, Content, Page


class Run:
    """Stands for a run: counts what was injected."""

    def __init__(self) -> None:
        self.injected: list[str] = []
        self.broken = False

    def live(self) -> dict[str, Any]:
        if self.broken:
            raise OSError("moto does not answer")
        return {"phase": "sending events"}

    def inject(self, name: str) -> Progress:
        if name == "later":
            raise NotNow("a moment")
        if name != "poison":
            raise KeyError(name)
        self.injected.append(name)
        return Progress(1, name, "20 records")


@pytest.fixture
def run() -> Run:
    return Run()


@pytest.fixture
def page(run: Run) -> Iterator[Page]:
    with Page(Content(run.live, run.live, run.inject)) as served:
        yield served


def ask(page: Page, method: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    host = page.url.removeprefix("http://").rstrip("/")
    connection = http.client.HTTPConnection(host, timeout=10)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers={"Content-Length": "0", **named} if method == "POST" else named)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def origin(page: Page) -> str:
    return page.url.rstrip("/")


@pytest.mark.parametrize("path", ["/", "/page.css", "/main.js", "/charts/uPlot.iife.min.js", "/api/live", "/nothing"])
def test_given_any_answer_then_nothing_from_elsewhere_may_be_loaded_framed_or_kept(page: Page, path: str) -> None:
    status, headers, _ = ask(page, "GET", path)
    assert status == (404 if path == "/nothing" else 200)
    assert headers["Content-Security-Policy"] == POLICY
    assert "default-src 'none'" in POLICY
    assert "unsafe" not in POLICY
    assert "http" not in POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert not any(name.startswith("Access-Control") for name in headers)


def test_given_the_page_then_it_carries_the_token_and_nothing_inline(page: Page) -> None:
    _, _, body = ask(page, "GET", "/")
    assert page.token.encode() in body
    assert b"style=" not in body
    assert b"onclick" not in body
    assert b"<script>" not in body
    assert b"https://" not in body


def test_given_the_token_then_a_fault_is_injected(page: Page, run: Run) -> None:
    status, _, body = ask(page, "POST", "/api/faults/poison", X_Demo_Token=page.token, Origin=origin(page))
    assert (status, run.injected) == (200, ["poison"])
    assert json.loads(body)["said"] == "20 records"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X_Demo_Token": "wrong"},
        {"X_Demo_Token": "TOKEN", "Origin": "http://evil.example"},
        {"X_Demo_Token": "TOKEN", "Origin": "null"},
        {"X_Demo_Token": "TOKEN", "Host": "evil.example"},
    ],
)
def test_given_another_page_then_nothing_is_injected(page: Page, run: Run, headers: dict[str, str]) -> None:
    given = {name: value.replace("TOKEN", page.token) for name, value in headers.items()}
    status, _, _ = ask(page, "POST", "/api/faults/poison", **given)
    assert (status, run.injected) == (403, [])


@pytest.mark.parametrize("headers", [{"Host": "rebound.example"}, {"Origin": "http://evil.example"}])
def test_given_a_rebound_name_or_another_origin_then_nothing_is_told(page: Page, headers: dict[str, str]) -> None:
    for path in ("/", "/api/live"):
        status, _, body = ask(page, "GET", path, **headers)
        assert status == 403
        assert page.token.encode() not in body


def test_given_a_preflight_then_no_method_answers_it(page: Page) -> None:
    status, headers, _ = ask(page, "OPTIONS", "/api/faults/poison", Origin="http://evil.example")
    assert status == 501
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize(("name", "status", "told"), [("later", 409, "a moment"), ("other", 404, "no such fault")])
def test_given_a_fault_that_cannot_be_then_it_says_why(page: Page, name: str, status: int, told: str) -> None:
    found, _, body = ask(page, "POST", f"/api/faults/{name}", X_Demo_Token=page.token)
    assert found == status
    assert told in json.loads(body)["error"]


def test_given_content_that_is_too_long_then_it_is_refused(page: Page, run: Run) -> None:
    status, _, _ = ask(page, "POST", "/api/faults/poison", X_Demo_Token=page.token, Content_Length="99999")
    assert (status, run.injected) == (413, [])


def test_given_a_part_that_does_not_answer_then_the_page_is_told_and_served_on(page: Page, run: Run) -> None:
    run.broken = True
    status, _, body = ask(page, "GET", "/api/live")
    assert status == 503
    assert "moto does not answer" in json.loads(body)["error"]
    run.broken = False
    assert ask(page, "GET", "/api/live")[0] == 200


@pytest.mark.parametrize("path", ["/../server.py", "/%2e%2e/server.py", "/index.html", "//etc/passwd"])
def test_given_another_file_then_it_is_not_served(page: Page, path: str) -> None:
    assert ask(page, "GET", path)[0] == 404
