"""Sends planned records to a log, in order per shard, and keeps what the log has taken."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
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


class DeliveryClosed(Exception):
    """Nothing may come between now: what is sent is the closing of the run."""


class Delivery:
    """A producer. One thread sends; others may read ``sent`` and ``log``, ``inject`` records and ``hold`` a shard.

    Args:
        target: takes the records.
        stop: set to end early.
        clock: answers seconds, of any beginning.
    """

    def __init__(self, target: Log, stop: threading.Event, clock: Callable[[], float] = time.monotonic) -> None:
        self.log: list[LogRecord] = []
        self.planned: list[Planned] = []
        self.bytes_sent = 0
        self._lock = threading.Lock()
        self._open = True
        self._held: list[Planned] = []
        self._held_shard = -1
        self._held_until = 0.0
        self._target = target
        self._stop = stop
        self._clock = clock

    @property
    def sent(self) -> int:
        """Records that the log has taken."""
        return len(self.log)

    @property
    def held(self) -> int:
        """Records that wait for a shard that is held."""
        return len(self._held)

    @property
    def closing(self) -> bool:
        """Whether nothing is injected for now."""
        return not self._open

    def close(self) -> None:
        """From now on nothing is injected: what follows is the closing of the run."""
        with self._lock:
            self._open = False

    def reopen(self) -> None:
        """Injecting is allowed again."""
        with self._lock:
            self._open = True

    def inject(self, make: Callable[[Sequence[LogRecord], Sequence[Planned]], Sequence[Planned]]) -> list[LogRecord]:
        """Sends at once what ``make`` makes of the log so far; nothing comes between. Answers where they lie.

        Raises:
            DeliveryClosed: the run is closing.
            DeliveryFailed: the stream refused a record.
        """
        with self._lock:
            if not self._open:
                raise DeliveryClosed("the run is being closed and reconciled")
            first = len(self.log)
            for batch in _batches(make(self.log, self.planned), _MAX_RECORDS):
                self._put(batch)
            return self.log[first:]

    def hold(self, shard: int, seconds: float) -> None:
        """Keeps a shard's records back for so long, in their order. DeliveryClosed when the run is closing."""
        with self._lock:
            if not self._open:
                raise DeliveryClosed("the run is being closed and reconciled")
            self._held_shard, self._held_until = shard, self._clock() + seconds

    def send(self, records: Sequence[Planned], rate: int = 0) -> None:
        """Sends all, at most ``rate`` a second (0: no limit); DeliveryFailed when the log refuses any."""
        began, done = self._clock(), 0
        for batch in _batches(records, _MAX_RECORDS if rate == 0 else max(1, min(_MAX_RECORDS, rate // 5))):
            if rate and self._stop.wait(max(0.0, began + done / rate - self._clock())):
                return
            self._pass(batch)
            done += len(batch)
            if self._stop.is_set():
                return
        while self._held and not self._stop.wait(max(0.0, self._held_until - self._clock())):
            self._pass([])

    def _pass(self, batch: Sequence[Planned]) -> None:
        """Puts what no hold keeps back, and what one has kept back before it."""
        with self._lock:
            if self._clock() < self._held_until:
                self._held += [record for record in batch if record.shard == self._held_shard]
                batch = [record for record in batch if record.shard != self._held_shard]
            elif self._held:
                batch, self._held = [*self._held, *batch], []
            for part in _batches(batch, _MAX_RECORDS):
                self._put(part)

    def _put(self, batch: Sequence[Planned]) -> None:
        taken = self._target.append(batch)
        self.planned += batch
        self.bytes_sent += sum(len(record.payload) for record in batch)
        self.log += taken


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
