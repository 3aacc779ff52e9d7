"""The forget function: every document of a user, or an error that says that some are left."""

from __future__ import annotations

import json

import pytest

from lambdas.common.opensearch import OpenSearchClient, OpenSearchError
from lambdas.search_forget.function import Forget, ForgetError
from lambdas.search_forget.handler import function, handler
from tests.unit.lambdas.conftest import CapturedLogs, OpenSearchStub

USER = 42
DONE = {"deleted": 7, "failures": [], "version_conflicts": 0, "timed_out": False, "count": 2}


@pytest.fixture
def forget(opensearch: OpenSearchStub) -> Forget:
    return Forget(OpenSearchClient(opensearch.endpoint, "us-east-1", 5.0), "kit")


def answer(stub: OpenSearchStub, **changes: object) -> None:
    stub.raw_answer = json.dumps(DONE | changes).encode()


def test_a_users_documents_are_deleted_in_every_index_of_the_kit(forget: Forget, opensearch: OpenSearchStub) -> None:
    answer(opensearch)
    assert forget.handle({"user_id": USER}) == {"deleted": 7, "unnamed": 2}
    request, count = opensearch.requests
    assert request.method == "POST"
    assert request.path == "/kit-*/_delete_by_query?conflicts=proceed&refresh=true"
    assert json.loads(request.body) == {"query": {"term": {"user_id": USER}}}
    assert "/us-east-1/es/aws4_request, " in request.headers["Authorization"]
    # And the rejections that name no user are counted
    assert (count.method, count.path) == ("POST", "/kit-rejected-*/_count")
    assert json.loads(count.body) == {"query": {"bool": {"must_not": {"exists": {"field": "user_id"}}}}}


@pytest.mark.parametrize("event", [{}, {"user_id": "42"}, {"user_id": True}, {"user_id": 2**63}, {"user_id": 4.2}])
def test_what_is_no_user_is_refused_and_nothing_is_asked(
    forget: Forget, opensearch: OpenSearchStub, event: dict[str, object]
) -> None:
    with pytest.raises(ForgetError, match="64-bit number"):
        forget.handle(event)
    assert opensearch.requests == []


@pytest.mark.parametrize(
    "left",
    [{"failures": [{"id": "a"}]}, {"version_conflicts": 1}, {"timed_out": True}, {"deleted": None}],
)
def test_documents_that_are_left_are_an_error(
    forget: Forget, opensearch: OpenSearchStub, left: dict[str, object]
) -> None:
    answer(opensearch, **left)
    with pytest.raises(ForgetError, match="run it again"):
        forget.handle({"user_id": USER})


def test_a_count_that_is_not_answered_is_an_error(forget: Forget, opensearch: OpenSearchStub) -> None:
    answer(opensearch, count=None)
    with pytest.raises(ForgetError, match="OpenSearch answered 200"):
        forget.handle({"user_id": USER})


def test_an_error_of_opensearch_is_told(forget: Forget, opensearch: OpenSearchStub) -> None:
    opensearch.request_statuses = [403]
    with pytest.raises(ForgetError, match="OpenSearch answered 403: refused: told to"):
        forget.handle({"user_id": USER})


def test_no_answer_is_an_error() -> None:
    with pytest.raises(OpenSearchError, match="no answer"):
        Forget(OpenSearchClient("http://127.0.0.1:9", "us-east-1", 1.0), "kit").handle({"user_id": USER})


def test_the_log_does_not_say_who_was_forgotten(
    forget: Forget, opensearch: OpenSearchStub, captured_logs: CapturedLogs
) -> None:
    answer(opensearch)
    forget.handle({"user_id": 987654321})
    (line,) = captured_logs.lines("a user was forgotten")
    assert line["deleted"] == 7
    assert "987654321" not in "".join(captured_logs.text)


def test_the_handler_reads_its_environment(opensearch: OpenSearchStub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSEARCH_ENDPOINT", opensearch.endpoint)
    monkeypatch.setenv("INDEX_PREFIX", "pipeline")
    function.cache_clear()
    answer(opensearch)
    assert handler({"user_id": USER}, None) == {"deleted": 7, "unnamed": 2}
    assert opensearch.requests[0].path.startswith("/pipeline-*/")
    function.cache_clear()
