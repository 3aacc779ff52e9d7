"""The JVM's side of the columns in plain Python, as EventColumns.java words it: slow, and without the engine's code."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

LEAST, MOST = -(2**63), 2**63 - 1


def encoded(fields: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> bytes:
    """Rows of events; ``fields``: kind by name, in the rows' order. Decimals are whole millionths."""
    header = ",".join(f"{name}:{kind}" for name, kind in fields.items()).encode("ascii")
    out = _int(len(header)) + header + _int(len(rows))
    large: list[bytes] = []
    for number, kind in enumerate(fields.values()):
        column = [row[number] for row in rows]
        if kind == "s":
            out += _words(column)
        elif kind == "t":
            raw = [text.encode() for text in column]
            out += b"".join(_int(sum(map(len, raw[: end + 1]))) for end in range(len(raw))) + b"".join(raw)
        else:
            out += _numbers(number, kind, column, large)
    return out + _int(len(large)) + b"".join(large)


def _int(number: int) -> bytes:
    return struct.pack("<i", number)


def _words(column: list[str | None]) -> bytes:
    words = list(dict.fromkeys(word for word in column if word is not None))
    numbers = [-1 if word is None else words.index(word) for word in column]
    raw = [word.encode() for word in words]
    return _int(len(words)) + b"".join(_int(len(word)) + word for word in raw) + b"".join(map(_int, numbers))


def _numbers(number: int, kind: str, column: list[Any], large: list[bytes]) -> bytes:
    out, nulls = b"", []
    for row, value in enumerate(column):
        there = value
        if value is None:
            there = 0
            if kind != "m":  # a decimal that is not there is 0
                nulls.append(row)
        elif kind == "m" and not LEAST <= value <= MOST:
            digits = str(value).encode()
            large.append(_int(number) + _int(row) + _int(len(digits)) + digits)
            there = 0
        out += struct.pack("<d" if kind == "d" else "<q", there)
    return out + _int(len(nulls)) + b"".join(map(_int, nulls))
