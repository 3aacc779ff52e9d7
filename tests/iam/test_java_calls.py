"""The listed calls of Flink's Java are those that the classes in the application's jar refer to."""

from __future__ import annotations

from pathlib import Path

import botocore.session
import pytest

from tests.iam.java_calls import client_calls
from tests.iam.service_calls import FILES_SOURCE, KINESIS_PROXY, KINESIS_SINK, KINESIS_SOURCE, Source, lines

ROOT = Path(__file__).resolve().parents[2]
#: Where the classes of a source are. The proxy makes the reader's calls, the writer the sink's.
_CLASSES = {
    KINESIS_PROXY: r"org/apache/flink/streaming/connectors/kinesis/proxy/KinesisProxy\.class",
    KINESIS_SINK: r"org/apache/flink/connector/kinesis/sink/",
    KINESIS_SOURCE: r"realtime/analytics/(?!source/S3Objects)",
}
#: Methods of the client of S3 and the actions that IAM makes of them.
_S3_ACTIONS = {"listObjectsV2Paginator": "s3:ListBucket", "getObjectAsBytes": "s3:GetObject"}


def _operations() -> dict[str, str]:
    """Method of a Java client to the operation of the API."""
    names = botocore.session.get_session().get_service_model("kinesis").operation_names
    return {name[0].lower() + name[1:]: name for name in names}


@pytest.mark.parametrize("source", _CLASSES, ids=lambda source: source.title)
def test_the_list_has_the_calls_of_the_classes(source: Source) -> None:
    found = client_calls(_CLASSES[source])
    assert found
    assert {service for service, _ in found} == {"kinesis"}
    known = _operations()
    called = {f"kinesis:{known[method]}" for _, method in found if method in known}
    assert called == {action for line in lines() if line.source == source for action in line.actions}


def test_the_source_of_files_lists_and_reads_and_does_nothing_else() -> None:
    found = client_calls(r"realtime/analytics/source/S3Objects")
    assert found == {("s3", method) for method in (*_S3_ACTIONS, "builder", "close")}
    assert set(_S3_ACTIONS.values()) == {
        action for line in lines() if line.source == FILES_SOURCE for action in line.actions
    }


def test_the_source_polls() -> None:
    """An enhanced fan-out source would make calls of its own, through other classes."""
    for path in (ROOT / "flink_jobs").rglob("*.py"):
        assert "recordpublisher" not in path.read_text(encoding="utf-8").lower(), path
