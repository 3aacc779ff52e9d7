"""From a record of Firehose to a line of the archive."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from contracts.archive import ARRIVAL_TIME, PARTITION, PAYLOAD, POSITION, SOURCE
from lambdas.archive_transform.place import Source
from lambdas.common.errors import RecordError


def line_of(record: Mapping[str, object], source: Source) -> bytes:
    """The line, with its end, of a record that came from ``source``: ASCII, whatever the payload holds.

    Raises :class:`RecordError` without the record's place, or when the data is not base64.
    """
    partition, position, arrival = source.place(record)
    document = {
        SOURCE: source.name,
        PARTITION: partition,
        POSITION: position,
        ARRIVAL_TIME: arrival,
        PAYLOAD: _payload(source.data(record)),
    }
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def _payload(data: object) -> str:
    if not isinstance(data, str):
        raise RecordError("data is not a string")
    try:
        payload = base64.b64decode(data, validate=True)
    except ValueError as error:
        raise RecordError("data is not base64") from error
    return base64.b64encode(payload).decode()  # in the one form that every reader takes
