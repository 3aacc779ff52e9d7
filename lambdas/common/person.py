"""The person that a record is about: the `user_id` of an event or result, or of the event in a rejection's payload."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from decimal import Decimal

from contracts.rejections import REJECTED
from lambdas.common.errors import RecordError
from lambdas.common.json_text import json_object, utf8

#: The field of events, results and indexed rejections.
USER_ID = "user_id"
_LONG = 2**63
#: Of a number below 2**63; asked first, because a decimal's exponent may be huge.
_MOST_DIGITS = 19
_DIGITS = re.compile(r"[+-]?[0-9]{1,19}")


def user_of(payload: bytes) -> int | None:
    """The user that a record's bytes name, None where they name none.

    The bytes are parsed: 42 is not found in 4242. Raises :class:`RecordError` for bytes of which nobody can tell whose
    they are: not a JSON object in UTF-8, or a rejection of such an event, whole or cut.
    """
    return user_in(_event(payload))


def user_in(document: Mapping[str, object]) -> int | None:
    """As :func:`user_of`, of a record that is parsed already."""
    if document.get("result_type") == REJECTED and USER_ID not in document:
        payload, encoding = document.get("payload"), document.get("payload_encoding")
        if not isinstance(payload, str) or not isinstance(encoding, str):
            raise RecordError("`payload` or `payload_encoding` is missing or not a string")
        return _number(_event(original(payload, encoding)).get(USER_ID))
    return _number(document.get(USER_ID))


def _event(payload: bytes) -> dict[str, object]:
    """As the application's decoder reads it: behind a byte order mark, and of equal keys the last one."""
    return json_object(utf8(payload).removeprefix("\ufeff"), repeated_keys=True)


def original(payload: str, encoding: str) -> bytes:
    """A rejected record's bytes from the rejection's ``payload``; :class:`RecordError` where they cannot be read."""
    try:
        return base64.b64decode(payload, validate=True) if encoding == "base64" else payload.encode()
    except ValueError as error:
        raise RecordError("`payload` is not what `payload_encoding` says") from error


def _number(value: object) -> int | None:
    """An id as an event may have it, also one that was rejected for its type: 42, "42" and 42.0 are one person."""
    if (isinstance(value, str) and _DIGITS.fullmatch(value.strip())) or (
        isinstance(value, Decimal) and value.adjusted() < _MOST_DIGITS and value == value.to_integral_value()
    ):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -_LONG <= value < _LONG:
        return None
    return value
