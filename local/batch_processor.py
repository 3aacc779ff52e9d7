"""Takes the batches of one shard through a function until each record is processed or given up."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from local.batch_policy import (
    Batch,
    MappingSettings,
    StreamRecord,
    backoff,
    first_failure,
    next_step,
    split_by_age,
)
from local.event_filter import EventFilter
from local.kinesis_event import Condition, ShardName, failure_message, kinesis_event
from local.lambda_function import LambdaFunction

_log = logging.getLogger(__name__)

Destination = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Counts:
    """What a mapping did so far.

    `invocations` of the function, of which `errors` raised and `partial` reported failed records;
    `delivered`: records in all of these calls, repeats included; `done`, `given_up` and `filtered` (passed over by
    the mapping's filters): records, each counted once.
    """

    invocations: int = 0
    errors: int = 0
    partial: int = 0
    delivered: int = 0
    done: int = 0
    given_up: int = 0
    filtered: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Return the sums."""
        return Counts(
            self.invocations + other.invocations,
            self.errors + other.errors,
            self.partial + other.partial,
            self.delivered + other.delivered,
            self.done + other.done,
            self.given_up + other.given_up,
            self.filtered + other.filtered,
        )


class BatchProcessor:
    """Calls the function with one batch at a time, in order, as the service does for a shard.

    Args:
        shard: what the events say they come from.
        function: to call.
        settings: of the mapping.
        destination: gets a message for records that are given up; None drops them with a log line only.
        stop: ends waits and retries at once.
        clock: seconds since 1970.
        sleep: waits some seconds and returns True when stopped meanwhile; `stop.wait` when None.
    """

    def __init__(
        self,
        shard: ShardName,
        function: LambdaFunction,
        settings: MappingSettings,
        destination: Destination | None,
        stop: threading.Event,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], bool] | None = None,
    ) -> None:
        self.counts = Counts()
        self._shard = shard
        self._function = function
        self._settings = settings
        self._destination = destination
        self._stop = stop
        self._clock = clock
        self._sleep = sleep or stop.wait
        self._filter = EventFilter(settings.filters)
        self._calls: dict[str, int] = {}  # by sequence number, for those in work only

    def process(self, records: Sequence[StreamRecord]) -> bool:
        """Process records that lie one after the other in the shard; False when stopped before the end.

        Raises:
            Exception: what the destination raised. The function's own exceptions are failures of the batch.
        """
        self._calls = {}
        wanted = tuple(record for record in records if self._filter.wakes(record))
        self.counts += Counts(filtered=len(records) - len(wanted))
        work = deque([Batch(wanted)] if wanted else [])
        request_id, error = "", False
        while work:
            batch = work.popleft()
            wait = backoff(batch.retries, self._settings)
            if self._stop.is_set() or (wait > 0 and self._sleep(wait)):
                return False
            old, batch = split_by_age(batch, self._clock(), self._settings)
            self._give_up(old, "RecordAgeExceeded", request_id, error)
            if not batch.records:
                continue
            request_id = str(uuid.uuid4())
            failed_at, error = self._invoke(batch, request_id)
            step = next_step(batch, failed_at, self._settings)
            self.counts += Counts(done=len(step.done))
            self._give_up(step.given_up, "RetryAttemptsExhausted", request_id, error)
            work.extendleft(reversed(step.retry))
        return True

    def _invoke(self, batch: Batch, request_id: str) -> tuple[int | None, bool]:
        """Call the function; return where to retry from (None: nowhere), and whether it raised."""
        for record in batch.records:
            self._calls[record.sequence_number] = self._calls.get(record.sequence_number, 0) + 1
        self.counts += Counts(invocations=1, delivered=len(batch.records))
        try:
            event = kinesis_event(batch.records, self._shard, self._function)
            answer = self._function.invoke(event, request_id)
        except (Exception, SystemExit):  # noqa: BLE001 - an outcome here: counted, logged, retried
            _log.warning(
                "%s failed on %d records of %s from %s",
                *(self._function.name, len(batch.records), self._shard.shard_id),
                batch.records[0].sequence_number,
                exc_info=True,
            )
            self.counts += Counts(errors=1)
            return 0, True
        if not self._settings.report_batch_item_failures:
            return None, False
        failed_at = first_failure(batch.records, answer)
        if failed_at is not None:
            self.counts += Counts(partial=1)
        return failed_at, False

    def _give_up(self, records: Sequence[StreamRecord], condition: Condition, request_id: str, error: bool) -> None:
        if not records:
            return
        _log.error(
            "%s: gave up %d records of %s from %s (%s)",
            *(self._function.name, len(records), self._shard.shard_id, records[0].sequence_number, condition),
        )
        if self._destination is not None:
            self._destination(
                failure_message(
                    records,
                    self._shard,
                    self._function,
                    condition=condition,
                    request_id=request_id,
                    invocations=max(self._calls.get(record.sequence_number, 0) for record in records),
                    function_error=error,
                    now=self._clock(),
                )
            )
        self.counts += Counts(given_up=len(records))  # after the message, which must not be lost
