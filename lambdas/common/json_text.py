"""Reading JSON that somebody else wrote: one object, with limits that have a reason.

The limits do not depend on Python's: its parser ends at some thousand levels, depending on its caller, and at integers
of 4,300 digits. OpenSearch refuses a number of more than 1,000 characters, and its documents are flat.
"""

from __future__ import annotations

import json
from decimal import Decimal, DecimalException
from typing import NoReturn

from lambdas.common.errors import RecordError

#: Levels of objects and lists, the outermost one included.
MAX_DEPTH = 100
#: Characters of a number.
MAX_NUMBER = 1000

_TOO_DEEP = f"data nests deeper than {MAX_DEPTH} levels"


def json_object(text: str, *, repeated_keys: bool = False) -> dict[str, object]:
    """The object that ``text`` is, decimals as :class:`~decimal.Decimal`.

    ``repeated_keys``: the last of equal keys counts, as in an event; without it the text is refused. Raises
    :class:`RecordError` with the reason where it is none.
    """
    try:
        document: object = json.loads(
            text,
            parse_int=_integer,
            parse_float=_decimal,  # 12.340000 stays 12.340000, and 0.1 stays 0.1
            parse_constant=_refuse_constant,
            object_pairs_hook=dict if repeated_keys else _object,
        )
    except RecordError:
        raise
    except RecursionError as error:
        raise RecordError(_TOO_DEEP) from error
    except ValueError as error:
        raise RecordError("data is not JSON") from error
    if not isinstance(document, dict):
        raise RecordError("data is not a JSON object")
    # Counting brackets is quick, and enough for what is flat.
    if text.count("{") + text.count("[") > MAX_DEPTH and _deeper_than(document, MAX_DEPTH):
        raise RecordError(_TOO_DEEP)
    return document


def utf8(data: bytes) -> str:
    """``data`` as text; :class:`RecordError` where it is not UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RecordError("data is not UTF-8") from error


def _deeper_than(document: object, levels: int) -> bool:
    level: list[object] = [document]
    while level and levels:
        levels -= 1
        level = [
            inner
            for value in level
            for inner in (value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
        ]
    return any(isinstance(value, dict | list) for value in level)


def _bounded(text: str) -> str:
    if len(text) > MAX_NUMBER:
        raise RecordError(f"data holds a number of more than {MAX_NUMBER} characters")
    return text


def _integer(text: str) -> int:
    return int(_bounded(text))


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(_bounded(text))
    except DecimalException as error:
        raise RecordError("data holds a number with an exponent beyond what a decimal has") from error


def _refuse_constant(_: str) -> NoReturn:
    raise RecordError("data holds NaN or Infinity, which is no JSON")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # OpenSearch refuses a repeated key, and which value counts would depend on the reader.
    document = dict(pairs)
    if len(document) != len(pairs):
        raise RecordError("data is a JSON object with a repeated key")
    return document
