"""What Lambda's event source mapping for Kinesis does with a batch, as pure functions.

From the Lambda guide: with ReportBatchItemFailures the retry begins at the lowest failed sequence number; a
malformed answer fails the whole batch, an empty one none of it; a failed call is retried, split in two first
when bisecting is on; splitting takes nothing from the retry quota; after the quota, or past the maximum age,
records are given up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Limits of the service.
_MOST_RECORDS = 10_000
_LONGEST_WINDOW = 300.0
_MOST_RETRIES = 10_000
_OLDEST = 604_800.0


@dataclass(frozen=True)
class MappingSettings:
    """The options of a mapping, with the service's names, defaults and limits.

    `maximum_retry_attempts` and `maximum_record_age_in_seconds`: -1 means no limit. Waits between retries
    grow from `first_backoff` to `longest_backoff`; `poll_interval` lies between two reads of a shard that has
    no more (seconds; these three are ours, the service does not tell its own). `filters` are patterns of which a
    record must match one to be delivered; none: all are.

    Raises:
        ValueError: an option is out of the service's range; the message names it and what is allowed.
    """

    batch_size: int = 100
    maximum_batching_window_in_seconds: float = 0.0
    bisect_batch_on_function_error: bool = False
    maximum_retry_attempts: int = -1
    maximum_record_age_in_seconds: float = -1.0
    report_batch_item_failures: bool = True
    filters: tuple[Mapping[str, Any], ...] = ()
    first_backoff: float = 0.1
    longest_backoff: float = 10.0
    poll_interval: float = 0.25

    def __post_init__(self) -> None:
        """Check the ranges, see the class."""
        _in_range("batch_size", self.batch_size, 1, _MOST_RECORDS)
        _in_range("maximum_batching_window_in_seconds", self.maximum_batching_window_in_seconds, 0, _LONGEST_WINDOW)
        _in_range("maximum_retry_attempts", self.maximum_retry_attempts, -1, _MOST_RETRIES)
        if self.maximum_record_age_in_seconds != -1:
            _in_range("maximum_record_age_in_seconds (or -1)", self.maximum_record_age_in_seconds, 0, _OLDEST)
        _in_range("first_backoff", self.first_backoff, 0, self.longest_backoff)
        _in_range("poll_interval", self.poll_interval, 0.01, 60)


@dataclass(frozen=True)
class StreamRecord:
    """A record as read: `data` raw bytes, `arrived` in seconds since 1970."""

    sequence_number: str
    partition_key: str
    data: bytes
    arrived: float


@dataclass(frozen=True)
class Batch:
    """Records of one shard in order, and how many of the allowed retries they have used."""

    records: tuple[StreamRecord, ...]
    retries: int = 0


@dataclass(frozen=True)
class Step:
    """What follows a call: `done` (checkpointed), then `retry` or `given_up`. All in shard order."""

    done: tuple[StreamRecord, ...] = ()
    retry: tuple[Batch, ...] = ()
    given_up: tuple[StreamRecord, ...] = ()


def first_failure(records: Sequence[StreamRecord], answer: object) -> int | None:
    """Return the index of the first record to retry by a function's answer, None when all succeeded.

    An answer of the wrong shape, an empty, unknown or non-text identifier fail the batch as a whole: 0.
    """
    if answer is None:
        return None
    if not isinstance(answer, Mapping):
        return 0
    failures = answer.get("batchItemFailures")
    if failures is None:
        return None
    if not isinstance(failures, Sequence) or isinstance(failures, str):
        return 0
    places = {record.sequence_number: index for index, record in enumerate(records)}
    found = []
    for failure in failures:
        name = failure.get("itemIdentifier") if isinstance(failure, Mapping) else None
        if not isinstance(name, str) or name not in places:
            return 0
        found.append(places[name])
    return min(found, default=None)


def next_step(batch: Batch, failed_at: int | None, settings: MappingSettings) -> Step:
    """Decide what follows a call with `batch`.

    Args:
        batch: at least one record.
        failed_at: the index of the first record to retry: 0 after an error, None after a success.
        settings: of the mapping.
    """
    if failed_at is None:
        return Step(done=batch.records)
    done, rest = batch.records[:failed_at], batch.records[failed_at:]
    if settings.bisect_batch_on_function_error:
        if done:  # split at the reported record: what is before it is done
            return Step(done=done, retry=(Batch(rest, batch.retries),))
        if len(rest) > 1:
            middle = len(rest) // 2
            halves = (Batch(rest[:middle], batch.retries), Batch(rest[middle:], batch.retries))
            return Step(retry=halves)
    if 0 <= settings.maximum_retry_attempts <= batch.retries:
        return Step(done=done, given_up=rest)
    return Step(done=done, retry=(Batch(rest, batch.retries + 1),))


def split_by_age(batch: Batch, now: float, settings: MappingSettings) -> tuple[tuple[StreamRecord, ...], Batch]:
    """Return the records older than allowed at `now` (seconds since 1970), and the batch without them."""
    limit = settings.maximum_record_age_in_seconds
    if limit == -1:
        return (), batch
    old = tuple(record for record in batch.records if now - record.arrived > limit)
    young = tuple(record for record in batch.records if now - record.arrived <= limit)
    return old, Batch(young, batch.retries)


def backoff(retries: int, settings: MappingSettings) -> float:
    """Return the seconds to wait before calling with a batch that has used `retries`; 0 before the first."""
    if retries == 0:
        return 0.0
    doublings = min(retries - 1, 60)  # beyond, the power would only overflow
    return float(min(settings.longest_backoff, settings.first_backoff * 2**doublings))


def _in_range(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ValueError(f"{name} is {value}: allowed is {least:g} to {most:g}")
