"""Sends planned records to a log, in order per shard, and keeps what the log has taken."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Protocol

from local.oracle.records import LogRecord
from local.traffic.plan import Planned

#: Limits of PutRecords: 500 records, 5 MB; half of it leaves room for keys.
_MAX_RECORDS = 500
_MAX_BYTES = 2_500_000


class DeliveryFailed(Exception):
    """The log refused records; retrying would change their order."""


class Log(Protocol):
    """Where events are written to: partitions that keep their order."""

    def append(self, batch: Sequence[Planned]) -> list[LogRecord]:
        """Appends the batch, in order per shard; returns each record as it stands in its partition's log.

        DeliveryFailed when the log refuses any.
        """
        ...


class Delivery:
    """A producer. One thread sends; others may read ``sent`` and ``log``.

    Args:
        target: takes the records.
        stop: set to end early.
    """

    def __init__(self, target: Log, stop: threading.Event) -> None:
        self.log: list[LogRecord] = []
        self.planned: list[Planned] = []
        self._target = target
        self._stop = stop

    @property
    def sent(self) -> int:
        """Records that the log has taken."""
        return len(self.log)

    def send(self, records: Sequence[Planned], rate: int = 0) -> None:
        """Sends all, at most ``rate`` a second (0: no limit); DeliveryFailed when the log refuses any."""
        began, done = time.monotonic(), 0
        for batch in _batches(records, _MAX_RECORDS if rate == 0 else max(1, min(_MAX_RECORDS, rate // 5))):
            if rate and self._stop.wait(max(0.0, began + done / rate - time.monotonic())):
                return
            taken = self._target.append(batch)
            self.planned += batch
            self.log += taken
            done += len(batch)
            if self._stop.is_set():
                return


def _batches(records: Sequence[Planned], size: int) -> Iterator[list[Planned]]:
    batch: list[Planned] = []
    total = 0
    for record in records:
        if batch and (len(batch) == size or total + len(record.payload) > _MAX_BYTES):
            yield batch
            batch, total = [], 0
        batch.append(record)
        total += len(record.payload)
    if batch:
        yield batch
