"""From a record of Firehose to a line of the archive."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from contracts.archive import ARRIVAL_TIME, PARTITION, PAYLOAD, POSITION, SOURCE
from lambdas.common.errors import RecordError

_METADATA = "kinesisRecordMetadata"


def line_of(record: Mapping[str, object], stream: str) -> bytes:
    """The line, with its end, of a record that came from ``stream``: ASCII, whatever the payload holds.

    Raises :class:`RecordError` without the metadata of a Kinesis stream, or when the data is not base64.
    """
    if not stream:
        raise RecordError("`sourceKinesisStreamArn` is missing: the records do not come from a Kinesis stream")
    metadata = record.get(_METADATA)
    if not isinstance(metadata, Mapping):
        raise RecordError(f"`{_METADATA}` is missing: the record does not come from a Kinesis stream")
    document = {
        SOURCE: stream,
        PARTITION: _text(metadata, "shardId"),
        POSITION: _text(metadata, "sequenceNumber"),
        ARRIVAL_TIME: _milliseconds(metadata, "approximateArrivalTimestamp"),
        PAYLOAD: _payload(record.get("data")),
    }
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def _text(metadata: Mapping[str, object], name: str) -> str:
    value = metadata.get(name)
    if not isinstance(value, str) or not value:
        raise RecordError(f"`{_METADATA}.{name}` is missing or not a string")
    return value


def _milliseconds(metadata: Mapping[str, object], name: str) -> int:
    value = metadata.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise RecordError(f"`{_METADATA}.{name}` is missing or not a number of milliseconds")
    return value


def _payload(data: object) -> str:
    if not isinstance(data, str):
        raise RecordError("data is not a string")
    try:
        payload = base64.b64decode(data, validate=True)
    except ValueError as error:
        raise RecordError("data is not base64") from error
    return base64.b64encode(payload).decode()  # in the one form that every reader takes
