"""Column types of the contract and what each is called in the systems that store them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ColumnType(StrEnum):
    """Type of a column in a result or an event.

    In JSON: ``TIMESTAMP`` is ISO 8601 in UTC with milliseconds (``2026-11-23T10:00:00.000Z``), ``DECIMAL``
    a plain number with six decimals, ``STRINGS`` an array of strings, the others what their names say.
    """

    TIMESTAMP = "timestamp"
    LONG = "long"
    DOUBLE = "double"
    DECIMAL = "decimal"
    STRING = "string"
    BOOLEAN = "boolean"
    STRINGS = "strings"


@dataclass(frozen=True)
class Column:
    """One column: its name, type, whether it may be null, and its meaning with unit."""

    name: str
    type: ColumnType
    meaning: str
    nullable: bool = False
