"""The event contract: one JSON object a record."""

from __future__ import annotations

import re
from typing import Annotated, Any, NamedTuple, get_args, get_type_hints

from contracts.columns import Column, ColumnType


class Event(NamedTuple):
    """An accepted event, as the rules of jobs see it.

    A field of a team's own is one line at the end: ``device: Annotated[str | None, "what it was seen on"] = None``. Its
    type is ``str``, ``int``, ``float`` or ``bool``, or None; docs/add-a-field.md says what follows from it.
    """

    event_time: Annotated[int, "epoch milliseconds"]
    user_id: int
    event_type: str
    value: float | None = None
    amount: Annotated[int, "value in millionths, for exact sums"] = 0
    session_id: str | None = None
    category: str | None = None
    event_ref: Annotated[str, "the event's id, or the digest of its payload"] = ""


class ContractError(Exception):
    """An entry of the contracts is not what it may be; the message says how to write it. Trying again does not help."""


#: Either name carries the event's time; ISO 8601 (zone-less is UTC) or epoch milliseconds.
TIME_FIELDS = ("event_time", "timestamp")

#: Fields that a producer sends, whatever the team. ``event_time``, ``user_id`` and ``event_type`` are required.
KNOWN_FIELDS = (
    Column("event_time", ColumnType.TIMESTAMP, "when it happened (or `timestamp`)"),
    Column("user_id", ColumnType.LONG, "who did it, a signed 64-bit integer"),
    Column("event_type", ColumnType.STRING, "what happened: view, click, purchase, ..."),
    Column("value", ColumnType.DOUBLE, "the amount, |value| <= 1e18", nullable=True),
    Column("session_id", ColumnType.STRING, "the producer's session; a whole number counts as text", nullable=True),
    Column("ip_address", ColumnType.STRING, "read by no job, dropped after decoding", nullable=True),
    Column("category", ColumnType.STRING, "product category", nullable=True),
    Column("event_id", ColumnType.STRING, "the producer's id, for duplicates", nullable=True),
)

_BASE = Event._fields.index("event_ref") + 1
_TYPES = {str: ColumnType.STRING, int: ColumnType.LONG, float: ColumnType.DOUBLE, bool: ColumnType.BOOLEAN}
#: The first is what the row calls the event's time (flink_jobs/java/.../intake/Events.java); tuples have the last two.
_TAKEN = {"event_millis", *TIME_FIELDS, *(column.name for column in KNOWN_FIELDS), "count", "index"}


def own_fields(event: type[Any] = Event, known: int = _BASE) -> tuple[Column, ...]:
    """The fields that a team has added to ``event`` behind its first ``known`` ones.

    Raises:
        ContractError: one is not written as it must be, or its name is taken.
    """
    columns = []
    hints = get_type_hints(event, include_extras=True)
    for name in event._fields[known:]:
        if name in _TAKEN or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise ContractError(
                f"contracts/events.py: {name} cannot be the name of a field: write one of a-z, 0-9 and _, other than "
                f"{', '.join(sorted(_TAKEN))}"
            )
        kind, *meaning = get_args(hints[name]) or (hints[name],)
        plain = [each for each in get_args(kind) if each is not type(None)]
        written = len(plain) == 1 and len(get_args(kind)) == 2 and len(meaning) == 1 and isinstance(meaning[0], str)
        if not written or plain[0] not in _TYPES or event._field_defaults.get(name, name) is not None:
            raise ContractError(
                f'contracts/events.py: write {name}: Annotated[str | None, "its meaning"] = None, with str, int, float '
                f"or bool; got {hints[name]} = {event._field_defaults.get(name)!r}"
            )
        columns.append(Column(name, _TYPES[plain[0]], meaning[0], nullable=True))
    return tuple(columns)


#: Fields that a producer sends.
EVENT_FIELDS = (*KNOWN_FIELDS, *own_fields())

#: Accepted, moves the watermark, counted as ``records_heartbeats`` and read by no job. Closes the windows of a stream
#: that ends. The underscores keep it apart from the event types of producers: content trackers send ``heartbeat``.
HEARTBEAT = "__heartbeat__"

#: Limits of a whole record; beyond them it is ``malformed``. They bound the time and memory that any bytes cost.
MAX_PAYLOAD_BYTES = 1_048_576
#: Objects and arrays within each other, the record's own object included.
MAX_DEPTH = 100
#: Names of fields, nested ones included.
MAX_FIELDS = 2_000
#: Characters of a number, in any field.
MAX_NUMBER_LENGTH = 1_000

#: Largest absolute ``value``; keeps DECIMAL(38,6) sums exact for 10^13 events a window.
MAX_ABS_VALUE = 1e18
#: Longest text of a string field, in UTF-16 code units; bounds the state and the size of a result.
MAX_STRING_LENGTH = 256
#: Decimal places that sums keep; a value is rounded half up to it once, at decoding.
DECIMAL_SCALE = 6
