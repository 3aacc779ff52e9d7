"""Events and results as columns, as flink_jobs/java/.../slots/EventColumns.java and ResultColumns.java say.

A column is read and written by a few calls into C, whatever its length.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from itertools import repeat
from math import isfinite
from struct import Struct
from types import MappingProxyType
from typing import Any

from contracts.events import Event

_INT = Struct("<i")
_THREE = Struct("<iii")
_NUMBERS = {"q": "q", "d": "d", "m": "q", "b": "q"}
_NONE: Mapping[int, str] = MappingProxyType({})
_LEAST, _MOST = -(2**63), 2**63 - 1
#: Bytes of a text, or of a list of texts: six times as many in JSON, and what is around, fit into a record (1 MiB).
_MOST_TEXT = 150_000
if sys.byteorder != "little":
    raise ImportError("this machine is not little-endian, the engine's columns are: run it on x86-64 or ARM")

#: An Event of a tuple, without a call of Python code.
_event: Callable[[tuple[Any, ...]], Event] = partial(tuple.__new__, Event)


@lru_cache(maxsize=256)
def _layout(header: bytes) -> tuple[str, tuple[Any, ...]]:
    """Kinds of the columns; and for each field of an event the number of its column, or its default, repeated."""
    names, kinds = zip(*(field.split(":") for field in header.decode("ascii").split(",")), strict=True)
    places = (names.index(name) if name in names else repeat(Event._field_defaults.get(name)) for name in Event._fields)
    return "".join(kinds), tuple(places)


def events(view: memoryview) -> list[Event]:
    """The events of a part; a field that it has not has its default."""
    (length,) = _INT.unpack_from(view)
    kinds, places = _layout(bytes(view[4 : 4 + length]))
    (rows,) = _INT.unpack_from(view, 4 + length)
    if not rows:
        return []
    at = 8 + length
    columns: list[list[Any]] = []
    for kind in kinds:
        if kind == "s":
            column, at = _words(view, at, rows)
        elif kind == "t":
            column, at = _texts(view, at, rows)
        else:
            end = at + 8 * rows
            numbers: Any = view[at:end].cast("d" if kind == "d" else "q")
            column = numbers.tolist()
            if kind == "b":
                column = list(map(bool, column))
            (nulls,) = _INT.unpack_from(view, end)
            at = end + 4 + 4 * nulls
            if nulls:
                for row in view[end + 4 : at].cast("i"):
                    column[row] = None
        columns.append(column)
    (large,) = _INT.unpack_from(view, at)
    at += 4
    for _ in range(large):
        number, row, length = _THREE.unpack_from(view, at)
        at += 12 + length
        columns[number][row] = int(bytes(view[at - length : at]))
    fields = [columns[place] if type(place) is int else place for place in places]
    return list(map(_event, zip(*fields, strict=False)))


def _words(view: memoryview, at: int, rows: int) -> tuple[list[Any], int]:
    (count,) = _INT.unpack_from(view, at)
    at += 4
    words: list[str | None] = []
    for _ in range(count):
        (length,) = _INT.unpack_from(view, at)
        at += 4 + length
        words.append(str(view[at - length : at], "utf-8"))
    words.append(None)  # number -1
    end = at + 4 * rows
    return list(map(words.__getitem__, view[at:end].cast("i"))), end


def _texts(view: memoryview, at: int, rows: int) -> tuple[list[Any], int]:
    ends = view[at : at + 4 * rows].cast("i").tolist()
    at += 4 * rows
    raw = view[at : at + ends[-1]] if ends else view[at:at]
    text = str(raw, "utf-8")
    if len(text) == len(raw):  # ASCII: characters are where bytes are
        return [text[begin:end] for begin, end in zip([0, *ends], ends, strict=False)], at + len(raw)
    return [str(raw[begin:end], "utf-8") for begin, end in zip([0, *ends], ends, strict=False)], at + len(raw)


def results(rows: Sequence[tuple[Any, ...]], kinds: Iterable[str], required: Mapping[int, str] = _NONE) -> bytes:
    """Rows of the columns' kinds; ``required``: names of columns that must not be null, by number.

    Raises:
        TypeError, OverflowError or ValueError: a value is not of its column's kind, or null, or no finite number.
    """
    out = [_INT.pack(len(rows))]
    large: list[bytes] = []
    for number, (kind, column) in enumerate(zip(kinds, zip(*rows, strict=True), strict=True)):
        if kind == "s":
            null = _put_words(out, column)
        elif kind == "a":
            null = _put_arrays(out, column)
        else:
            null = _put_numbers(out, number, kind, column, large)
        if null and number in required:
            raise ValueError(f"{required[number]} is None")
    out.append(_INT.pack(len(large)))
    out += large
    return b"".join(out)


def _put_numbers(out: list[bytes], number: int, kind: str, column: Sequence[Any], large: list[bytes]) -> bool:
    nulls: list[int] = []
    try:
        packed = array(_NUMBERS[kind], column)
    except (TypeError, OverflowError):
        values = list(column)
        for row, value in enumerate(values):
            if value is None:
                nulls.append(row)
            elif kind == "m" and isinstance(value, int) and not _LEAST <= value <= _MOST:
                digits = str(value).encode()
                large.append(_THREE.pack(number, row, len(digits)) + digits)
            else:
                continue
            values[row] = 0
        packed = array(_NUMBERS[kind], values)
    if kind == "d" and not all(map(isfinite, packed)):
        raise ValueError(f"{next(value for value in packed if not isfinite(value))} is no number of JSON")
    out += (packed.tobytes(), array("i", [len(nulls), *nulls]).tobytes())
    return bool(nulls)


def _put_words(out: list[bytes], column: Sequence[Any]) -> bool:
    words: dict[Any, int] = dict.fromkeys(column, -1)
    null = words.pop(None, None) is not None
    encoded = list(map(str.encode, words))
    if encoded and (longest := max(map(len, encoded))) > _MOST_TEXT:
        raise ValueError(f"a text of {longest:,} bytes does not fit into a result: give at most {_MOST_TEXT:,}")
    out.append(_INT.pack(len(encoded)))
    for number, word in enumerate(words):
        words[word] = number
        out += (_INT.pack(len(encoded[number])), encoded[number])
    words[None] = -1
    out.append(array("i", map(words.__getitem__, column)).tobytes())
    return null


def _put_arrays(out: list[bytes], column: Sequence[Any]) -> bool:
    for texts in column:
        if texts is not None and not isinstance(texts, list | tuple):
            raise TypeError(f"{texts!r} is no list of texts")
    out.append(array("i", [-1 if texts is None else len(texts) for texts in column]).tobytes())
    every = [text for texts in column if texts is not None for text in texts]
    if sum(map(len, every)) > _MOST_TEXT and any(sum(map(len, texts or ())) > _MOST_TEXT for texts in column):
        raise ValueError(f"a list of more than {_MOST_TEXT:,} characters does not fit into a result: shorten it")
    out.append(_INT.pack(len(every)))
    _put_words(out, every)
    return None in column
