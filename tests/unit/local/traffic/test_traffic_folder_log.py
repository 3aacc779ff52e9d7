"""Events as files: a folder a partition, whole files, and the place where each event stands."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from local.traffic.folder_log import FolderLog
from local.traffic.plan import Planned


def test_given_batches_then_each_folder_holds_its_records_in_order_and_the_log_names_file_and_line(
    tmp_path: Path,
) -> None:
    log = FolderLog(tmp_path)
    batches = [
        [Planned(0, b"a"), Planned(1, b"\xff"), Planned(0, b"")],
        [Planned(0, b"c")],
    ]
    taken = [record for batch in batches for record in log.append(batch)]
    files = {
        path.relative_to(tmp_path).as_posix(): gzip.decompress(path.read_bytes()) for path in tmp_path.rglob("*.gz")
    }
    assert files == {
        "shard-0/00000001.jsonl.gz": b"a\n\n",
        "shard-1/00000001.jsonl.gz": b"\xff\n",
        "shard-0/00000002.jsonl.gz": b"c\n",
    }
    assert [(record.partition, record.position, record.payload) for record in taken] == [
        ("shard-0", "00000001.jsonl.gz:0", b"a"),
        ("shard-1", "00000001.jsonl.gz:0", b"\xff"),
        ("shard-0", "00000001.jsonl.gz:1", b""),
        ("shard-0", "00000002.jsonl.gz:0", b"c"),
    ]
    assert {record.source for record in taken} == {log.prefix}
    assert log.prefix == f"{tmp_path.as_uri()}/"


def test_given_a_payload_of_two_lines_then_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="line's end"):
        FolderLog(tmp_path).append([Planned(0, b"a"), Planned(0, b"b\nc")])
    assert list(tmp_path.iterdir()) == []
