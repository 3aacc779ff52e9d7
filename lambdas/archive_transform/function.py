"""The transformation of the archive's Firehose: raw records in, JSON lines out, nothing lost.

A record's own place (shard, sequence number, arrival) is in the metadata that Firehose hands to the function and in
nothing that it delivers, so the function writes it into the line.

**Size.** Lambda takes an answer of 6 MB. A payload of n bytes becomes a line of 4/3 n + 270 bytes (base64, and its
place, with a stream's name of the longest), which the answer holds as base64 again: 16/9 n + 510 bytes with the
record's id. A buffer of 1 MB (``BufferSizeInMBs``, the default) of events of 165 bytes is 6,355 records and 5.1 MB; it
fits down to 127 bytes an event on the average, a buffer of 0.5 MB down to 53, and few large records fit always (1.9 MB
and 0.9 MB). What does not fit is answered as ``ProcessingFailed``: Firehose delivers it, as it came and without its
place, to the error prefix. So is what has no metadata. That answer always fits: it is smaller than the record was in
the request, which has the same limit.
"""

from __future__ import annotations

import base64
import logging
from collections import Counter
from collections.abc import Mapping
from typing import TypedDict

from lambdas.archive_transform.line import line_of
from lambdas.archive_transform.place import Source, source_of
from lambdas.common.errors import EventError, RecordError
from lambdas.common.logs import fields

LOGGER = logging.getLogger(__name__)

#: Bytes of an answer. Lambda's limit is 6 MB = 6,291,456; the rest is for what is around the records.
MAX_ANSWER = 6_200_000

OK, FAILED = "Ok", "ProcessingFailed"

# '{"recordId": "", "result": "ProcessingFailed", "": ""}, ', as Lambda's runtime writes a record but its data's name
_FRAME = 56


class Answer(TypedDict):
    """What Firehose wants: one entry a record, with ``recordId``, ``result`` and, in base64, the data."""

    records: list[dict[str, str]]


def transform(event: Mapping[str, object], topic: str = "") -> Answer:
    """One line of the archive for each record of a Firehose event; ``topic`` is that of the delivery, if it reads one.

    No data raises. What is no Firehose event raises :class:`EventError`: Firehose then invokes again, and delivers
    the whole batch to the error prefix in the end.
    """
    records = event.get("records")
    if not isinstance(records, list):
        raise EventError("not a Firehose event: `records` is not a list")
    source = source_of(event, topic)
    named = [(_record_id(record), record) for record in records]
    # what every record takes in the answer at least; the lines have what is left
    room = MAX_ANSWER - sum(_FRAME + len(source.words.data) + len(name) for name, _ in named)
    answers: list[dict[str, str]] = []
    reasons: Counter[str] = Counter()
    for name, record in named:
        result, data = _transformed(record, source, reasons)
        if len(data) <= room:
            room -= len(data)
            answers.append({"recordId": name, "result": result, source.words.data: data})
        else:
            reasons["it does not fit into the answer"] += 1
            answers.append({"recordId": name, "result": FAILED})
    for reason, count in reasons.items():
        LOGGER.warning("records go to the error prefix", extra=fields(reason=reason, records=count))
    LOGGER.info("batch transformed", extra=fields(records=len(answers), failed=_failed(answers)))
    return {"records": answers}


def _transformed(record: Mapping[str, object], source: Source, reasons: Counter[str]) -> tuple[str, str]:
    """Result and data of a record, as base64: its line, or itself where there can be none."""
    try:
        return OK, base64.b64encode(line_of(record, source)).decode()
    except Exception as error:  # noqa: BLE001 - a mistake of ours in one record must not hold up the others
        reasons[str(error) if isinstance(error, RecordError) else f"unexpected {type(error).__name__}"] += 1
        data = source.data(record)
        return FAILED, data if isinstance(data, str) else ""


def _record_id(record: object) -> str:
    name = record.get("recordId") if isinstance(record, Mapping) else None
    if not isinstance(name, str):
        raise EventError("not a Firehose event: a record without `recordId`")
    return name


def _failed(answers: list[dict[str, str]]) -> int:
    return sum(answer["result"] == FAILED for answer in answers)
