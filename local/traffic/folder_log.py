"""The input as files: gzipped JSON lines, a folder a partition, as a producer leaves them in a bucket."""

from __future__ import annotations

import gzip
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from local.oracle.records import LogRecord
from local.traffic.plan import Planned


class FolderLog:
    """Writes a file a batch and partition below ``folder``; each appears whole, as an object in S3 does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: Counter[int] = Counter()

    @property
    def prefix(self) -> str:
        """The folder's address, with a slash at the end."""
        return f"{self._folder.as_uri()}/"

    def append(self, batch: Sequence[Planned]) -> list[LogRecord]:
        """Writes the batch; see :class:`local.traffic.delivery.Log`."""
        lines: defaultdict[int, list[bytes]] = defaultdict(list)
        places: list[tuple[int, int]] = []
        for record in batch:
            if b"\n" in record.payload:
                raise ValueError("a line of a file cannot hold a payload with a line's end")
            places.append((record.shard, len(lines[record.shard])))
            lines[record.shard].append(record.payload)
        names = {shard: self._write(shard, payloads) for shard, payloads in lines.items()}
        arrival = time.time_ns() // 1_000_000
        return [
            LogRecord(self.prefix, f"shard-{shard}", f"{names[shard]}:{number}", arrival, record.payload)
            for record, (shard, number) in zip(batch, places, strict=True)
        ]

    def _write(self, shard: int, payloads: Sequence[bytes]) -> str:
        self._files[shard] += 1
        folder = self._folder / f"shard-{shard}"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{self._files[shard]:08d}.jsonl.gz"
        hidden = folder / f".{name}"
        hidden.write_bytes(gzip.compress(b"".join(payload + b"\n" for payload in payloads), mtime=0))
        hidden.replace(folder / name)
        return name
