"""Reads one Kinesis shard and forms its batches."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

from botocore.exceptions import ClientError

from local.batch_policy import MappingSettings, StreamRecord

Position = Literal["TRIM_HORIZON", "LATEST"]

_READ_RECORDS = 10_000  # the most that GetRecords takes
_PAYLOAD_BYTES = 6 * 1024 * 1024  # of an event; the service ends a batch there
_RECORD_BYTES = 500  # of an event's JSON around the data, generously
_THROTTLED = "ProvisionedThroughputExceededException"
_EXPIRED = "ExpiredIteratorException"


class ShardReader:
    """The reader of one shard, for one thread.

    Args:
        client: of Kinesis.
        stream: the stream's name.
        shard_id: the shard.
        position: where to begin.
        settings: batch size, window, poll interval.
        stop: ends waits at once.
        closed: tells whether the shard is closed; asked before reads.
    """

    def __init__(
        self,
        client: Any,
        stream: str,
        shard_id: str,
        position: Position,
        settings: MappingSettings,
        stop: threading.Event,
        closed: Callable[[], bool],
    ) -> None:
        self._client = client
        self._stream = stream
        self._shard_id = shard_id
        self._settings = settings
        self._stop = stop
        self._closed = closed
        self._position = position
        self._buffer: deque[StreamRecord] = deque()
        self._buffered_at = 0.0
        self._last: str | None = None
        self._ended = False
        self._tip_at: float | None = None
        #: Milliseconds that the last read was behind the shard's tip.
        self.behind = 0
        # Asked for at once: LATEST means from now, not from the first read.
        self._iterator: str | None = self._new_iterator()

    @property
    def tip_at(self) -> float | None:
        """When (`time.monotonic`) the read began that last found nothing, None while records wait or work."""
        return self._tip_at

    def next_batch(self) -> tuple[StreamRecord, ...] | None:
        """Wait for the next batch; None when the shard is closed and drained, or the reader is stopped.

        Complete is a batch with the batch size, at the end of the window, or at 6 MB.

        Raises:
            botocore.exceptions.ClientError: reading failed for another reason than throttling.
        """
        while not self._stop.is_set():
            size = self._complete()
            if size:
                return tuple(self._buffer.popleft() for _ in range(size))
            if self._ended:
                return None
            if not self._read():
                self._stop.wait(self._pause())
        return None

    def _complete(self) -> int:
        """Return how many records the batch has that is complete now, 0 for none."""
        size, payload = 0, 0
        for record in self._buffer:
            payload += (len(record.data) + 2) // 3 * 4 + len(record.partition_key) + _RECORD_BYTES
            if size and payload > _PAYLOAD_BYTES:
                return size
            size += 1
            if size == self._settings.batch_size:
                return size
        return size if self._ended or self._window_left() <= 0 else 0

    def _window_left(self) -> float:
        return self._buffered_at + self._settings.maximum_batching_window_in_seconds - time.monotonic()

    def _pause(self) -> float:
        """Return the seconds to the next read: the interval, or less when a window ends before."""
        interval = self._settings.poll_interval
        return max(0.0, min(interval, self._window_left())) if self._buffer else interval

    def _read(self) -> bool:
        """Read once; True when it found something."""
        closed_before = self._closed()
        began = time.monotonic()
        try:
            answer = self._client.get_records(ShardIterator=self._iterator, Limit=_READ_RECORDS)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code")
            if code == _EXPIRED:
                self._iterator = self._new_iterator()
                return True  # read again at once
            if code == _THROTTLED:
                return False
            raise
        self._iterator = answer.get("NextShardIterator")
        found = [
            StreamRecord(
                sequence_number=record["SequenceNumber"],
                partition_key=record["PartitionKey"],
                data=record["Data"],
                arrived=record["ApproximateArrivalTimestamp"].timestamp(),
            )
            for record in answer["Records"]
        ]
        if found:
            self._tip_at = None  # before they are in the buffer: nobody may see them in neither place
            if not self._buffer:
                self._buffered_at = time.monotonic()
            self._buffer.extend(found)
            self._last = found[-1].sequence_number
        self.behind = int(answer.get("MillisBehindLatest", 0))
        at_tip = not found and answer.get("MillisBehindLatest", 0) == 0
        # Kinesis ends a drained shard by sending no next iterator; moto never does, so its closing is asked
        # for.
        if self._iterator is None or (at_tip and closed_before):
            self._ended = True
        if at_tip and not self._buffer:
            self._tip_at = began
        return bool(found)

    def _new_iterator(self) -> str:
        where: dict[str, str] = {"ShardIteratorType": self._position}
        if self._last is not None:
            where = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": self._last}
        answer = self._client.get_shard_iterator(StreamName=self._stream, ShardId=self._shard_id, **where)
        return str(answer["ShardIterator"])
