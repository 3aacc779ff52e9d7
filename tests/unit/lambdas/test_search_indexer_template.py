"""Index templates: derived from the contracts, and put into OpenSearch."""

from __future__ import annotations

import json
from inspect import signature
from typing import TYPE_CHECKING, Any

import pytest

from contracts.columns import ColumnType
from contracts.rejections import REJECTED, REJECTION_COLUMNS
from contracts.results import ENVELOPE, SCHEMAS, ResultType
from lambdas.common.errors import SettingError
from lambdas.common.opensearch import OpenSearchError
from lambdas.search_indexer.template import put_templates, template, templates

if TYPE_CHECKING:
    from tests.unit.lambdas.conftest import Kinesis, OpenSearchStub

TYPES = [*(member.value for member in ResultType), REJECTED]
MAPPED = {
    ColumnType.TIMESTAMP: "date",
    ColumnType.LONG: "long",
    ColumnType.DOUBLE: "double",
    ColumnType.DECIMAL: "double",
    ColumnType.STRING: "keyword",
    ColumnType.BOOLEAN: "boolean",
    ColumnType.STRINGS: "keyword",
}


def properties(result_type: str) -> dict[str, dict[str, object]]:
    body: dict[str, Any] = template("p", result_type)
    found: dict[str, dict[str, object]] = body["template"]["mappings"]["properties"]
    return found


@pytest.mark.parametrize("result_type", TYPES)
def test_every_column_of_a_document_has_its_type(kinesis: Kinesis, result_type: str) -> None:
    own = REJECTION_COLUMNS if result_type == REJECTED else SCHEMAS[ResultType(result_type)].columns
    mapped = properties(result_type)
    assert {name: mapping["type"] for name, mapping in mapped.items()} == {
        **{column.name: MAPPED[column.type] for column in (*ENVELOPE, *own)},
        "@timestamp": "date",
        "processed_by": "keyword",
        **({"user_id": "long"} if result_type == REJECTED else {}),
    }
    assert set(kinesis.result(result_type)) <= set(mapped)


def test_a_payload_is_kept_and_not_searchable() -> None:
    assert properties(REJECTED)["payload"] == {"type": "keyword", "index": False, "doc_values": False}


def test_a_long_keyword_is_not_indexed_rather_than_refused() -> None:
    assert properties("behavior")["event_sequence"] == {"type": "keyword", "ignore_above": 8191}


def test_patterns_match_the_index_and_its_successors_and_no_other_types() -> None:
    bodies = templates("p")
    assert list(bodies) == [f"p-{result_type}" for result_type in TYPES]
    for name, body in bodies.items():
        assert body["index_patterns"] == [name, f"{name}-*"]
        assert not any(other.startswith(f"{name}-") for other in bodies)


def test_an_unknown_column_is_kept_unindexed() -> None:
    body: dict[str, Any] = template("p", "fraud")
    assert body["template"]["mappings"]["dynamic"] is False


def test_putting_sends_every_template_signed(opensearch: OpenSearchStub) -> None:
    names = put_templates(opensearch.endpoint, "p")
    assert names == tuple(templates("p"))
    assert [(request.method, request.path) for request in opensearch.requests] == [
        ("PUT", f"/_index_template/{name}") for name in names
    ]
    assert [json.loads(request.body) for request in opensearch.requests] == list(templates("p").values())
    assert all("/us-east-1/es/" in request.headers["Authorization"] for request in opensearch.requests)


def test_the_default_prefix_is_the_indexers() -> None:
    assert signature(put_templates).parameters["prefix"].default == "realtime-analytics"


def test_a_refused_template_is_an_error_with_opensearchs_reason(opensearch: OpenSearchStub) -> None:
    opensearch.request_statuses = [200, 403]
    with pytest.raises(OpenSearchError, match="template p-anomaly with status 403: refused: told to"):
        put_templates(opensearch.endpoint, "p")


@pytest.mark.parametrize(("endpoint", "prefix"), [("http://search.example", "p"), ("https://x.example", "P*")])
def test_a_bad_argument_is_refused(endpoint: str, prefix: str) -> None:
    with pytest.raises(SettingError, match=r"OPENSEARCH_ENDPOINT is|INDEX_PREFIX is"):
        put_templates(endpoint, prefix)
