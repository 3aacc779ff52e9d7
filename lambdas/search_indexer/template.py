"""Index templates, derived from the contracts, and putting them into OpenSearch."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from contracts.columns import Column, ColumnType
from contracts.rejections import REJECTED, REJECTION_COLUMNS
from contracts.results import ENVELOPE, SCHEMAS
from lambdas.common.opensearch import OpenSearchClient, OpenSearchError, error_text, json_object
from lambdas.common.person import USER_ID
from lambdas.common.settings import endpoint as checked_endpoint
from lambdas.common.settings import region
from lambdas.search_indexer.documents import PROCESSED_BY, TIMESTAMP
from lambdas.search_indexer.settings import DEFAULT_PREFIX, ENDPOINT_VARIABLE, index_name, index_prefix

# Lucene refuses a term above 32,766 bytes, and with it the document; 8,191 characters of four bytes fit. A
# longer text (a sequence of a hundred long steps) is kept in the document and not found by its value.
_IGNORE_ABOVE = 8191

_DATE = {"type": "date", "format": "strict_date_optional_time"}
_KEYWORD: Mapping[str, object] = {"type": "keyword", "ignore_above": _IGNORE_ABOVE}
# What a producer sent may be personal, and nobody looks a broken payload up by value: kept, not searchable.
_NOT_INDEXED: Mapping[str, object] = {"type": "keyword", "index": False, "doc_values": False}

_MAPPINGS: Mapping[ColumnType, Mapping[str, object]] = {
    ColumnType.TIMESTAMP: _DATE,
    ColumnType.LONG: {"type": "long"},
    ColumnType.DOUBLE: {"type": "double"},
    ColumnType.DECIMAL: {"type": "double"},  # for ranges and sums; the document keeps the exact digits
    ColumnType.STRING: _KEYWORD,
    ColumnType.BOOLEAN: {"type": "boolean"},
    ColumnType.STRINGS: _KEYWORD,  # every field of OpenSearch may hold a list
}

_COLUMNS: Mapping[str, tuple[Column, ...]] = {
    **{result_type.value: ENVELOPE + schema.columns for result_type, schema in SCHEMAS.items()},
    REJECTED: ENVELOPE + REJECTION_COLUMNS,
}

_PAYLOAD = "payload"
# Above templates that a cluster may come with.
_PRIORITY = 200
_CONNECT_SECONDS = 30.0
_CREATED = (200, 201)


def template(prefix: str, result_type: str) -> dict[str, object]:
    """Body of the index template for the results of one type (or ``rejected``).

    It matches the index that the indexer writes, and later ones named ``<index>-...`` (by time or rollover).
    """
    name = index_name(prefix, result_type)
    properties: dict[str, Mapping[str, object]] = {
        column.name: _NOT_INDEXED if column.name == _PAYLOAD else _MAPPINGS[column.type]
        for column in _COLUMNS[result_type]
    }
    properties[TIMESTAMP] = _DATE
    properties[PROCESSED_BY] = _KEYWORD
    if result_type == REJECTED:
        properties[USER_ID] = _MAPPINGS[ColumnType.LONG]
    return {
        "index_patterns": [name, f"{name}-*"],
        "priority": _PRIORITY,
        "template": {
            # A replica as soon as there is a second node, so that one node alone is green.
            "settings": {"index": {"number_of_shards": 1, "auto_expand_replicas": "0-1"}},
            # A column that the template does not know yet is kept and not indexed. Guessing its type (true)
            # would fix a wrong one for the life of the index, refusing it (strict) lose results in a deploy.
            "mappings": {"dynamic": False, "properties": properties},
        },
        "_meta": {"description": f"{result_type} results, derived from the contracts"},
    }


def templates(prefix: str) -> dict[str, dict[str, object]]:
    """Body by name of every index template: one for each result type, and one for rejections."""
    return {index_name(prefix, result_type): template(prefix, result_type) for result_type in _COLUMNS}


def put_templates(endpoint: str, prefix: str = DEFAULT_PREFIX) -> tuple[str, ...]:
    """Create or replace the index templates at ``endpoint``; their names.

    ``endpoint`` is ``https://host[:port]`` (``http://`` to a loopback host). Signs with the process's
    credentials for ``AWS_REGION`` (or ``AWS_DEFAULT_REGION``). A template changes indices made after it, not
    those that exist. Raises :class:`~lambdas.common.errors.SettingError` for a bad argument and
    :class:`OpenSearchError` for the first template that is not taken.
    """
    client = OpenSearchClient(checked_endpoint(ENDPOINT_VARIABLE, endpoint), region(os.environ), _CONNECT_SECONDS)
    bodies = templates(index_prefix(prefix))
    for name, body in bodies.items():
        answer = client.request("PUT", f"/_index_template/{name}", json.dumps(body).encode(), "application/json")
        if answer.status not in _CREATED:
            reason = error_text(json_object(answer).get("error"))
            raise OpenSearchError(f"OpenSearch refused template {name} with status {answer.status}: {reason}")
    return tuple(bodies)
