"""Accepts or rejects the records of shard logs, as the design words it. Slow and plain on purpose."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from contracts.columns import Column, ColumnType
from contracts.events import (
    DECIMAL_SCALE,
    HEARTBEAT,
    MAX_ABS_VALUE,
    MAX_DEPTH,
    MAX_FIELDS,
    MAX_NUMBER_LENGTH,
    MAX_PAYLOAD_BYTES,
    MAX_STRING_LENGTH,
    TIME_FIELDS,
    own_fields,
)
from contracts.identity import event_ref
from contracts.rejections import Reason
from flink_jobs.settings import TimeSettings
from local.oracle.records import Event, LogRecord

_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?"
    r"(?: ?(?:([Zz]|UTC|GMT)|([+-])(\d\d)(?::?(\d\d))?))?",
    re.ASCII,
)
#: Without its end, too: a search for that would begin anew at each quote.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_YEAR_10000 = 253_402_300_800_000
_OWN = own_fields()


class Rejected(Exception):
    """The record is not an event; carries the reason."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True)
class Number:
    """A JSON number as it was written."""

    text: str

    @property
    def whole(self) -> bool:
        """Whether it is written without fraction and exponent."""
        return not any(mark in self.text for mark in ".eE")


@dataclass
class Verdicts:
    """Accepted events (heartbeats apart) and, per rejected record, its reason."""

    events: list[Event] = field(default_factory=list)
    heartbeats: int = 0
    rejected: dict[tuple[str, str], Reason] = field(default_factory=dict)

    @property
    def accepted(self) -> int:
        """Accepted records, heartbeats included."""
        return len(self.events) + self.heartbeats


@dataclass(frozen=True)
class Tolerance:
    """How far event_time may be after and before the arrival, milliseconds; ``past`` 0 is no limit."""

    future: int
    past: int

    @classmethod
    def of(cls, time: TimeSettings) -> Tolerance:
        """The application's."""
        return cls(time.future_tolerance, time.past_tolerance)


def decode(payload: bytes, arrival: int, tolerance: Tolerance, own: Sequence[Column] = _OWN) -> Event:
    """The event of a payload; Rejected for everything else."""
    fields = _object(payload)
    time = _time(fields)
    user_id = _user_id(fields.get("user_id"))
    event_type = _text(fields.get("event_type"))
    if not event_type:
        raise Rejected(Reason.MISSING_FIELD)
    value, amount = _value(fields.get("value"))
    session_id = _id(fields.get("session_id"))
    _id(fields.get("ip_address"))
    category = _id(fields.get("category"))
    event_id = _id(fields.get("event_id"))
    added = {column.name: _OWN_KINDS[column.type](fields.get(column.name)) for column in own}
    if time - arrival > tolerance.future:
        raise Rejected(Reason.FUTURE)
    if tolerance.past and arrival - time > tolerance.past:
        raise Rejected(Reason.PAST)
    ref = event_ref(event_id, payload)
    return Event(time, user_id, event_type, value, amount, session_id, category, event_id, ref, added)


def judge(
    logs: Iterable[LogRecord],
    *,
    watermark_delay: int,
    tolerance: Tolerance,
    duplicate_window: int,
    after_idle: frozenset[tuple[str, str]] = frozenset(),
    parents: Mapping[str, Sequence[str]] | None = None,
) -> Verdicts:
    """Verdicts over records that stand in their shards' order, a shard's after those of its ``parents``.

    ``after_idle`` names the records (partition, position) of which the caller knows that they came when the
    watermark had passed without their shard: the one verdict that a log alone does not hold.
    """
    verdicts = Verdicts()
    clocks: dict[str, int] = {}
    first_time: dict[str, int] = {}
    for record in logs:
        place = (record.partition, record.position)
        try:
            event = decode(record.payload, record.arrival, tolerance)
        except Rejected as rejected:
            verdicts.rejected[place] = rejected.reason
            continue
        before = clocks.get(record.partition)
        if before is None and parents is not None:
            before = max((clocks[each] for each in parents.get(record.partition, ()) if each in clocks), default=None)
        if before is not None and event.time <= before - watermark_delay:
            verdicts.rejected[place] = Reason.LATE
            continue
        moved = min(event.time, record.arrival)  # no device's clock moves the shard's beyond what is true
        clocks[record.partition] = moved if before is None else max(before, moved)
        if place in after_idle:
            verdicts.rejected[place] = Reason.LATE_AFTER_IDLE
            continue
        if event.event_id is not None and duplicate_window > 0:
            first = first_time.get(event.event_id)
            if first is not None and abs(event.time - first) < duplicate_window:
                verdicts.rejected[place] = Reason.DUPLICATE
                continue
            first_time[event.event_id] = event.time if first is None else max(first, event.time)
        if event.event_type == HEARTBEAT:
            verdicts.heartbeats += 1
        else:
            verdicts.events.append(event)
    return verdicts


def _object(payload: bytes) -> dict[str, Any]:
    names = 0

    def no_constant(text: str) -> None:
        raise ValueError(text)

    def counted(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal names
        names += len(pairs)
        return dict(pairs)

    def number(text: str) -> Number:
        if len(text) > MAX_NUMBER_LENGTH:
            raise ValueError(text[:10])
        return Number(text)

    try:
        text = payload.decode("utf-8").removeprefix("\ufeff")
        if len(payload) > MAX_PAYLOAD_BYTES or _depth(text) > MAX_DEPTH:
            raise Rejected(Reason.MALFORMED)
        fields = json.loads(
            text, parse_int=number, parse_float=number, parse_constant=no_constant, object_pairs_hook=counted
        )
    except ValueError:
        raise Rejected(Reason.MALFORMED) from None
    if not isinstance(fields, dict) or names > MAX_FIELDS:
        raise Rejected(Reason.MALFORMED)
    return fields


def _depth(text: str) -> int:
    """Most brackets that are open at once outside of texts."""
    deepest = depth = 0
    for bracket in re.findall(r"[\[\]{}]", _QUOTED.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _time(fields: dict[str, Any]) -> int:
    for name in TIME_FIELDS:
        value = fields.get(name)
        if value is None:
            continue
        if value == "":
            raise Rejected(Reason.MISSING_FIELD)
        if isinstance(value, str):
            millis = _iso_millis(value)
        elif isinstance(value, Number):
            millis = int(value.text) if value.whole and len(value.text) <= 16 else None
        else:
            raise Rejected(Reason.INVALID_TYPE)
        if millis is None or not 0 <= millis < _YEAR_10000:
            raise Rejected(Reason.INVALID_TIME)
        return millis
    raise Rejected(Reason.MISSING_FIELD)


def _iso_millis(text: str) -> int | None:
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    day, hour, minute, second, fraction, _, sign, offset_hours, offset_minutes = match.groups()
    if int(offset_hours or 0) > 18 or int(offset_minutes or 0) > 59:
        return None
    try:
        moment = datetime.fromisoformat(f"{day}T{hour}:{minute}:{second or '00'}").replace(tzinfo=UTC)
    except ValueError:
        return None
    offset = timedelta(hours=int(offset_hours or 0), minutes=int(offset_minutes or 0))
    since = moment - datetime(1970, 1, 1, tzinfo=UTC) - (-offset if sign == "-" else offset)
    return since // timedelta(milliseconds=1) + int((fraction or "").ljust(3, "0")[:3])


def _user_id(value: Any) -> int:
    number = _whole(value)
    if number is None:
        raise Rejected(Reason.MISSING_FIELD)
    return number


def _whole(value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, Number) or not value.whole:
        raise Rejected(Reason.INVALID_TYPE)
    if not -(2**63) <= int(value.text) < 2**63:
        raise Rejected(Reason.OUT_OF_RANGE)
    return int(value.text)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise Rejected(Reason.INVALID_TYPE)
    if len(value.encode("utf-16-le", "surrogatepass")) // 2 > MAX_STRING_LENGTH:
        raise Rejected(Reason.OUT_OF_RANGE)
    if any("\ud800" <= character <= "\udfff" for character in value):  # half a surrogate pair
        raise Rejected(Reason.MALFORMED)
    return value or None


def _id(value: Any) -> str | None:
    """A text, or a whole number as it is written."""
    return _text(value.text if isinstance(value, Number) and value.whole else value)


def _value(value: Any) -> tuple[float | None, Decimal | None]:
    if value is None:
        return None, None
    if not isinstance(value, Number):
        raise Rejected(Reason.INVALID_TYPE)
    number = float(value.text)
    if not math.isfinite(number) or abs(number) > MAX_ABS_VALUE:
        raise Rejected(Reason.OUT_OF_RANGE)
    if abs(number) == MAX_ABS_VALUE and abs(Decimal(value.text)) > Decimal(MAX_ABS_VALUE):
        raise Rejected(Reason.OUT_OF_RANGE)  # the double nearest to it is the limit itself
    return number, _amount(value.text, number)


def _amount(text: str, number: float) -> Decimal:
    with localcontext() as context:
        context.prec = 1200  # more than a number may have digits: nothing is rounded but by quantize
        if abs(number) < 1e-7:
            return Decimal(0).scaleb(-DECIMAL_SCALE)
        return Decimal(text).quantize(Decimal(1).scaleb(-DECIMAL_SCALE), rounding=ROUND_HALF_UP)


def _number(value: Any) -> float | None:
    return _value(value)[0]


def _flag(value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise Rejected(Reason.INVALID_TYPE)
    return value


_OWN_KINDS: Mapping[ColumnType, Callable[[Any], str | int | float | bool | None]] = {
    ColumnType.STRING: _id,
    ColumnType.LONG: _whole,
    ColumnType.DOUBLE: _number,
    ColumnType.BOOLEAN: _flag,
}
