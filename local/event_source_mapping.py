"""Polls a Kinesis stream into a Lambda handler, as Lambda's event source mapping does."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from local.batch_policy import MappingSettings
from local.batch_processor import BatchProcessor, Counts, Destination
from local.kinesis_event import ShardName
from local.lambda_function import LambdaFunction
from local.shard_reader import Position, ShardReader

__all__ = [
    "Counts",
    "EventSourceMapping",
    "LambdaFunction",
    "MappingFailed",
    "MappingSettings",
    "sqs_destination",
]

_STOP_SECONDS = 30.0
_LIST_SECONDS = 1.0  # a mapping asks for new shards as often


class MappingFailed(Exception):
    """A polling thread ended by an error of its own (not of the function); the cause is attached."""


def sqs_destination(client: Any, queue_url: str) -> Destination:
    """Return an on-failure destination that sends each message to an SQS queue, as JSON."""

    def send(message: dict[str, Any]) -> None:
        client.send_message(QueueUrl=queue_url, MessageBody=json.dumps(message))

    return send


@dataclass
class _Shard:
    """A shard in work, and its state as the other threads see it."""

    reader: ShardReader
    processor: BatchProcessor
    drained: bool = False
    thread: threading.Thread | None = field(default=None, repr=False)


class EventSourceMapping:
    """One stream, one function, a thread for each shard. Use it as a context manager, or `start` and `stop`.

    A child shard is read, from its beginning, when all its parents that are read here are drained.

    Args:
        client: of Kinesis; used by all threads.
        stream: the stream's name.
        function: what to call; its calls never overlap.
        settings: of the mapping.
        position: where to begin in the shards that exist at the start.
        destination: for records that are given up, see `sqs_destination`.
    """

    def __init__(
        self,
        client: Any,
        stream: str,
        function: LambdaFunction,
        settings: MappingSettings | None = None,
        *,
        position: Position = "TRIM_HORIZON",
        destination: Destination | None = None,
    ) -> None:
        self.function = function
        self._client = client
        self._stream = stream
        self._settings = settings or MappingSettings()
        self._position = position
        self._destination = destination
        self._stop = threading.Event()
        self._lock = threading.RLock()
        self._shards: dict[str, _Shard] = {}
        self._skipped: set[str] = set()
        self._stream_arn = ""
        self._listed: dict[str, dict[str, Any]] = {}
        self._listed_at = 0.0
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        """Do as `start`."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do as `stop`; when the block succeeded, an error of a thread is raised, too."""
        self.stop()
        if error is None:
            self.raise_if_failed()

    def start(self) -> None:
        """Begin to poll. With LATEST, what is put after the return of this call is read.

        Raises:
            botocore.exceptions.ClientError: the stream does not exist.
        """
        summary = self._client.describe_stream_summary(StreamName=self._stream)["StreamDescriptionSummary"]
        self._stream_arn = summary["StreamARN"]
        with self._lock:
            self._refresh()
            if self._position == "LATEST":  # closed shards have nothing new
                self._skipped = {shard_id for shard_id, each in self._listed.items() if _has_end(each)}
            self._start_ready(self._position)

    def stop(self) -> None:
        """Stop at once: waits end, a running call of the function is awaited, nothing is retried.

        Raises:
            MappingFailed: a call of the function did not return within 30 s.
        """
        self._stop.set()
        deadline = time.monotonic() + _STOP_SECONDS
        for shard in self._snapshot():
            if shard.thread is not None:
                shard.thread.join(max(0.0, deadline - time.monotonic()))
                if shard.thread.is_alive():
                    raise MappingFailed(f"{self.function.name}: a call goes on after {_STOP_SECONDS:.0f} s")

    def counts(self) -> Counts:
        """Return the sums over all shards."""
        return sum((shard.processor.counts for shard in self._snapshot()), Counts())

    def behind(self) -> int:
        """Return how many milliseconds the slowest shard's last read was behind its tip."""
        return max((shard.reader.behind for shard in self._snapshot()), default=0)

    @property
    def stream(self) -> str:
        """The stream's name."""
        return self._stream

    def caught_up(self, since: float | None = None) -> bool:
        """Tell whether every shard is read to its tip and nothing is in flight.

        Args:
            since: only reads count that began after this `time.monotonic`. Pass the moment after the last
            put: without
                it the answer is that of the last reads, which may be older than the put.

        Raises:
            MappingFailed: a thread has failed.
        """
        self.raise_if_failed()
        with self._lock:
            if since is not None and self._listed_at < since:
                return False  # there may be new shards; the idle readers will ask
            wanted = self._listed.keys() - self._skipped
            return bool(wanted) and all(self._shard_caught_up(shard_id, since) for shard_id in wanted)

    def raise_if_failed(self) -> None:
        """Raise when a thread has ended by an error.

        Raises:
            MappingFailed: caused by that error.
        """
        if self._error is not None:
            raise MappingFailed(f"{self.function.name} on {self._stream}: {self._error!r}") from self._error

    def _shard_caught_up(self, shard_id: str, since: float | None) -> bool:
        shard = self._shards.get(shard_id)
        if shard is None:
            return False
        if shard.drained:
            return True
        tip_at = shard.reader.tip_at
        closing = _has_end(self._listed[shard_id])  # its children are to come
        return not closing and tip_at is not None and (since is None or tip_at >= since)

    def _snapshot(self) -> list[_Shard]:
        with self._lock:
            return list(self._shards.values())

    def _refresh(self) -> None:
        """List the shards anew. The lock is held."""
        began = time.monotonic()
        shards: list[dict[str, Any]] = []
        request: dict[str, Any] = {"StreamName": self._stream}
        while request:
            answer = self._client.list_shards(**request)
            shards += answer["Shards"]
            request = {"NextToken": answer["NextToken"]} if answer.get("NextToken") else {}
        self._listed = {each["ShardId"]: each for each in shards}
        self._listed_at = began

    def _is_closed(self, shard_id: str) -> bool:
        with self._lock:
            if time.monotonic() - self._listed_at > _LIST_SECONDS:
                self._refresh()
            return _has_end(self._listed.get(shard_id, {}))

    def _start_ready(self, position: Position) -> None:
        """Start a thread for every listed shard whose parents are drained. The lock is held."""
        for shard_id, listed in self._listed.items():
            if shard_id in self._shards or shard_id in self._skipped or self._stop.is_set():
                continue
            parents = {listed.get("ParentShardId"), listed.get("AdjacentParentShardId")}
            read_here = parents & self._listed.keys() - self._skipped  # not those expired or passed over
            if all(parent in self._shards and self._shards[parent].drained for parent in read_here):
                self._start_shard(shard_id, "TRIM_HORIZON" if read_here else position)

    def _start_shard(self, shard_id: str, position: Position) -> None:
        reader = ShardReader(
            self._client,
            self._stream,
            shard_id,
            position,
            self._settings,
            self._stop,
            closed=lambda: self._is_closed(shard_id),
        )
        name = ShardName(self._stream_arn, shard_id)
        processor = BatchProcessor(name, self.function, self._settings, self._destination, self._stop)
        shard = _Shard(reader, processor)
        shard.thread = threading.Thread(
            target=self._work, args=(shard,), name=f"{self.function.name}-{shard_id}", daemon=True
        )
        self._shards[shard_id] = shard
        shard.thread.start()

    def _work(self, shard: _Shard) -> None:
        try:
            while (batch := shard.reader.next_batch()) is not None:
                if not shard.processor.process(batch):
                    return
            if not self._stop.is_set():
                with self._lock:  # in one step: a drained shard without its children must not look caught up
                    self._refresh()
                    shard.drained = True
                    self._start_ready("TRIM_HORIZON")
        except BaseException as error:  # noqa: BLE001 - not swallowed: `raise_if_failed` hands it to the owner
            self._error = self._error or error
            self._stop.set()


def _has_end(listed: dict[str, Any]) -> bool:
    return "EndingSequenceNumber" in listed.get("SequenceNumberRange", {})
