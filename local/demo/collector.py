"""Reads what the application writes: every document of the results and rejected streams, by result_id."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from typing import Any

_POLL_SECONDS = 0.5
#: Documents of a type that are kept parsed.
_LATEST = 12


class Collector:
    """Reads a stream from its beginning in a thread of its own. ``documents``: result_id to JSON text.

    ``latest`` are the last documents of each type. ``on_new`` is told of each new one, in this thread.
    A document that comes again with the same text counts in ``repeats``; with another text, in ``conflicts``.
    """

    def __init__(self, client: Any, stream: str, on_new: Callable[[dict[str, Any]], None] = lambda _: None) -> None:
        self.documents: dict[str, str] = {}
        self.latest: defaultdict[str, deque[dict[str, Any]]] = defaultdict(lambda: deque(maxlen=_LATEST))
        self.read = 0
        self.bytes_read = 0
        self._on_new = on_new
        self.types: Counter[str] = Counter()
        self.repeats = 0
        self.conflicts: list[str] = []
        self.first: str | None = None
        self._client = client
        self._stream = stream
        self._stop = threading.Event()
        self._tip_at = 0.0
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"collector-{stream}", daemon=True)

    def start(self) -> None:
        """Begins to read."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stop.set()
        self._thread.join(10)

    def caught_up(self, since: float) -> bool:
        """Whether a read that began after ``since`` (time.monotonic) found nothing more. Raises the thread's error."""
        if self._error is not None:
            raise RuntimeError(f"reading {self._stream} failed") from self._error
        return self._tip_at >= since

    def _run(self) -> None:
        try:
            shards = self._client.list_shards(StreamName=self._stream)["Shards"]
            iterators = {
                shard["ShardId"]: self._client.get_shard_iterator(
                    StreamName=self._stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
                )["ShardIterator"]
                for shard in shards
            }
            while not self._stop.is_set():
                began = time.monotonic()
                read = 0
                for shard_id, iterator in iterators.items():
                    answer = self._client.get_records(ShardIterator=iterator, Limit=10_000)
                    iterators[shard_id] = answer["NextShardIterator"]
                    read += len(answer["Records"])
                    for record in answer["Records"]:
                        self._take(record["Data"].decode())
                if read == 0:
                    self._tip_at = began
                    self._stop.wait(_POLL_SECONDS)
        except Exception as error:  # noqa: BLE001 - told by caught_up, in the owner's thread
            self._error = error

    def _take(self, text: str) -> None:
        document: dict[str, Any] = json.loads(text)
        self.read += 1
        self.bytes_read += len(text)
        identity = document["result_id"]
        known = self.documents.get(identity)
        if known is None:
            self.documents[identity] = text
            self.types[document["result_type"]] += 1
            self.first = self.first or text
            self.latest[document["result_type"]].append(document)
            self._on_new(document)
        elif known == text:
            self.repeats += 1
        else:
            self.conflicts.append(f"{known} / {text}")
