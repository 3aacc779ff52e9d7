"""The laptop's Firehose: every record of a stream is a line of some file, with the place where it stood."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from contracts.archive import ARCHIVE_COLUMNS, position
from lambdas.archive_transform.function import transform
from local.delivery_stream import DeliveryStream, TransformFailed
from local.packed import packed


@pytest.fixture
def kinesis(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("kinesis", region_name="us-east-1")
        client.create_stream(StreamName="events", ShardCount=2)
        yield client


def _put(client: Any, payloads: list[bytes]) -> dict[tuple[str, str], bytes]:
    answer = client.put_records(
        StreamName="events", Records=[{"Data": each, "PartitionKey": str(len(each))} for each in payloads]
    )
    return {
        (taken["ShardId"], taken["SequenceNumber"]): payload
        for taken, payload in zip(answer["Records"], payloads, strict=True)
    }


def _lines(folder: Path) -> list[bytes]:
    return [line for path in sorted(folder.rglob("*.gz")) for line in gzip.decompress(path.read_bytes()).splitlines()]


def test_given_the_archives_function_then_each_line_holds_a_record_and_its_place(kinesis: Any, tmp_path: Path) -> None:
    put = _put(kinesis, [b"{}", b"\xff\n\x00", *(b"%d" % number + b"x" * 400_000 for number in range(5))])
    with DeliveryStream(kinesis, "events", tmp_path, transform) as stream:
        put |= _put(kinesis, [b"after the start"])
        stream.finish()
    rows = [json.loads(line) for line in _lines(tmp_path)]
    assert {(row["partition"], row["position"]): base64.b64decode(row["payload"]) for row in rows} == put
    assert len(rows) == len(put)
    assert all(set(row) == {column.name for column in ARCHIVE_COLUMNS} for row in rows)
    assert {row["source"] for row in rows} == {"events"}
    assert all(len(path.relative_to(tmp_path).parts) == 5 for path in tmp_path.rglob("*.gz")), "yyyy/MM/dd/HH/file"


def test_given_a_packed_record_then_each_of_its_records_is_a_line_of_its_own_place(
    kinesis: Any, tmp_path: Path
) -> None:
    payloads = [b'{"n":%d}' % number for number in range(10)]
    ((shard, sequence),) = _put(kinesis, [packed(payloads, "0")])
    with DeliveryStream(kinesis, "events", tmp_path, transform) as stream:
        stream.finish()
    rows = [json.loads(line) for line in _lines(tmp_path)]
    assert [(row["partition"], row["position"], base64.b64decode(row["payload"])) for row in rows] == [
        (shard, position(sequence, sub), payload) for sub, payload in enumerate(payloads)
    ]


def test_given_no_function_then_each_record_is_a_line(kinesis: Any, tmp_path: Path) -> None:
    put = _put(kinesis, [b'{"a":1}', b'{"a":2}'])
    with DeliveryStream(kinesis, "events", tmp_path) as stream:
        stream.finish()
    assert sorted(_lines(tmp_path)) == sorted(put.values())


def test_given_a_function_that_refuses_a_record_then_the_end_tells_it(kinesis: Any, tmp_path: Path) -> None:
    _put(kinesis, [b"x"])

    def refuse(event: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"records": [{"recordId": event["records"][0]["recordId"], "result": "ProcessingFailed"}]}

    with (
        DeliveryStream(kinesis, "events", tmp_path, refuse) as stream,
        pytest.raises(TransformFailed, match="ProcessingFailed"),
    ):
        stream.finish()
    assert _lines(tmp_path) == []
