"""From a Lambda Kinesis event to results: base64, UTF-8, JSON, envelope."""

from __future__ import annotations

import base64
import logging
import math
import re
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from contracts.rejections import REJECTED
from contracts.results import ResultType
from lambdas.common.errors import EventError, RecordError
from lambdas.common.json_text import json_object, utf8
from lambdas.common.logs import fields
from lambdas.common.result import Result

LOGGER = logging.getLogger(__name__)

#: Every ``result_type`` that the contract knows.
RESULT_TYPES = frozenset({*(member.value for member in ResultType), REJECTED})

#: Member of an event beside its records, true where it is no mapping's but `make redrive`'s.
REPLAYED = "replayed"

# 512 bytes is OpenSearch's limit of an `_id`; ids of the contract are ASCII and far shorter.
_YEAR_9999 = 253_370_764_800
_RESULT_ID = re.compile(r"[!-~]{1,512}")
_SEQUENCE = re.compile(r"[0-9]{1,256}")


@dataclass(frozen=True)
class Failure:
    """A record that was not processed: where it is in its shard, and why, without its content."""

    shard: str
    sequence: str
    reason: str


@dataclass(frozen=True)
class RawRecord:
    """A record as the stream delivered it: where it was, when the stream took it (ISO 8601, UTC), and its bytes."""

    stream: str
    shard: str
    sequence: str
    arrived: str
    payload: bytes


@dataclass(frozen=True)
class Batch:
    """One invocation's records, in shard order: the results, and what is no result.

    ``raw`` holds every record by its sequence number: what a dead letter is made of. ``replayed``: these are dead
    letters, which `make redrive` sent again.
    """

    results: tuple[Result, ...]
    failures: tuple[Failure, ...]
    raw: Mapping[str, RawRecord]
    replayed: bool = False

    def again_from(self, failures: Iterable[Failure]) -> float:
        """The sequence number from which on records come again after ``failures``; infinity where none does.

        Lambda delivers every record behind the lowest failed one again, done or not. `make redrive` takes each record's
        answer for itself.
        """
        if self.replayed:
            return math.inf
        return min((int(failure.sequence) for failure in failures), default=math.inf)


def decode(event: Mapping[str, object]) -> Batch:
    """Results and failures of a Lambda Kinesis event; each failure is logged once, as a warning.

    Nothing that a record's data may hold raises. An event that is no Kinesis event raises
    :class:`EventError`, since there is no sequence number that could be reported.
    """
    entries = event.get("Records")
    if not isinstance(entries, list):
        raise EventError("not a Kinesis event: `Records` is not a list")
    results: list[Result] = []
    failures: list[Failure] = []
    raw: dict[str, RawRecord] = {}
    for entry in entries:
        shard, sequence, data = _place(entry)
        raw[sequence] = _raw(entry, shard, sequence, data)
        try:
            results.append(_result(shard, sequence, data))
        except RecordError as error:
            failures.append(failed(LOGGER, shard, sequence, str(error)))
        except Exception as error:  # noqa: BLE001 - a mistake of ours in one record must not hold up its shard
            failures.append(failed(LOGGER, shard, sequence, unreadable(LOGGER, error)))
    return Batch(tuple(results), tuple(failures), raw, event.get(REPLAYED) is True)


def failed(logger: logging.Logger, shard: str, sequence: str, reason: str, result_id: str | None = None) -> Failure:
    """A :class:`Failure`, logged as a warning with shard, sequence number, reason, and the result's id where known."""
    logger.warning("record failed", extra=fields(shard=shard, sequence=sequence, result_id=result_id, reason=reason))
    return Failure(shard, sequence, reason)


def failures_of(logger: logging.Logger, result: Result, reason: str) -> list[Failure]:
    """A logged :class:`Failure` for every record that the result stands for."""
    return [failed(logger, result.shard, sequence, reason, result.result_id) for sequence in result.sequences]


def unreadable(logger: logging.Logger, error: Exception) -> str:
    """Reason of a record that a function of ours could not handle; logged with where, for whoever repairs it.

    Without the error's text, which may quote the record.
    """
    where = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
    logger.error("a mistake of ours in handling a record", extra=fields(error=type(error).__name__, place=place))
    return f"unexpected {type(error).__name__} at {place}"


def merge_repeats(results: Iterable[Result]) -> tuple[Result, ...]:
    """One result per ``result_id``, in order of first appearance: the last content, all sequence numbers.

    The sinks are at least once, so a batch may hold a result twice. Whatever becomes of the merged result
    becomes of every record it stands for.
    """
    merged: dict[str, Result] = {}
    for result in results:
        known = merged.get(result.result_id)
        merged[result.result_id] = result if known is None else result.standing_for(known)
    return tuple(merged.values())


def _place(entry: Any) -> tuple[str, str, object]:
    """Shard, sequence number and base64 data of one entry of ``Records``."""
    kinesis = entry.get("kinesis") if isinstance(entry, Mapping) else None
    sequence = kinesis.get("sequenceNumber") if isinstance(kinesis, Mapping) else None
    event_id = entry.get("eventID") if isinstance(entry, Mapping) else None
    if not isinstance(kinesis, Mapping) or not isinstance(sequence, str) or not isinstance(event_id, str):
        raise EventError("not a Kinesis event: a record without `kinesis.sequenceNumber` or `eventID`")
    if _SEQUENCE.fullmatch(sequence) is None:
        raise EventError("not a Kinesis event: a `kinesis.sequenceNumber` that is not a decimal number")
    return event_id.partition(":")[0], sequence, kinesis.get("data")


def _raw(entry: Mapping[str, object], shard: str, sequence: str, data: object) -> RawRecord:
    kinesis = entry["kinesis"]
    arrived = kinesis.get("approximateArrivalTimestamp") if isinstance(kinesis, Mapping) else None
    return RawRecord(
        stream=str(entry.get("eventSourceARN", "")).rpartition("/")[2],
        shard=shard,
        sequence=sequence,
        arrived=_utc(arrived),
        payload=_bytes(data),
    )


def _utc(seconds: object) -> str:
    """ISO 8601 in UTC of seconds since 1970; 1970 itself where Lambda told none."""
    known = seconds if isinstance(seconds, int | float) and 0 <= seconds < _YEAR_9999 else 0
    return datetime.fromtimestamp(known, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _bytes(data: object) -> bytes:
    """A record's bytes; what is no base64 stays as it came."""
    if not isinstance(data, str):
        return str(data).encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(data, validate=True)
    except ValueError:
        return data.encode("utf-8", "surrogatepass")


def _result(shard: str, sequence: str, data: object) -> Result:
    text = _text(data)
    document = json_object(text)
    result_type = document.get("result_type")
    if not isinstance(result_type, str):
        raise RecordError("`result_type` is missing or not a string")
    if result_type not in RESULT_TYPES:
        raise RecordError("`result_type` is not one of the contract")
    result_id = document.get("result_id")
    if not isinstance(result_id, str):
        raise RecordError("`result_id` is missing or not a string")
    # The prefix makes ids of different types differ, so that an `_id` alone names a document.
    if not result_id.startswith(result_type + "-") or _RESULT_ID.fullmatch(result_id) is None:
        raise RecordError("`result_id` is not `<result_type>-` and up to 512 printable ASCII characters in all")
    return Result(shard, (sequence,), result_type, result_id, text, document)


def _text(data: object) -> str:
    if not isinstance(data, str):
        raise RecordError("data is not a string")
    try:
        payload = base64.b64decode(data, validate=True)
    except ValueError as error:
        raise RecordError("data is not base64") from error
    return utf8(payload)
