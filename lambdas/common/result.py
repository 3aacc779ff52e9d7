"""One result of the pipeline as a function sees it, with typed access to its columns."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from lambdas.common.errors import RecordError

# The contract writes milliseconds; other fractions mean the same instant, so they do not cost an alert.
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z", re.ASCII)
_LONG_MIN, _LONG_MAX = -(2**63), 2**63 - 1


@dataclass(frozen=True)
class Result:
    """A result or a rejection of the stream.

    ``json_text`` is the JSON as it came, ``document`` what it says, decimals as :class:`~decimal.Decimal`.
    ``sequences`` are the sequence numbers of the records it stands for, oldest first; ``shard`` is theirs.

    The access methods raise :class:`RecordError`, which names the column, when a value is absent, null or of
    another type. Only what is read is checked: a broken column that nobody needs costs no alert.
    """

    shard: str
    sequences: tuple[str, ...]
    result_type: str
    result_id: str
    json_text: str
    document: Mapping[str, object]

    def standing_for(self, earlier: Result) -> Result:
        """This result, also answering for the records of an ``earlier`` one of the same id."""
        return replace(self, sequences=earlier.sequences + self.sequences)

    def text(self, column: str) -> str:
        """Value of a string column; it may hold any character, even a lone surrogate."""
        value = self.document.get(column)
        if not isinstance(value, str):
            raise RecordError(f"`{column}` is missing or not a string")
        return value

    def integer(self, column: str) -> int:
        """Value of a 64-bit integer column."""
        value = self.document.get(column)
        if isinstance(value, bool) or not isinstance(value, int) or not _LONG_MIN <= value <= _LONG_MAX:
            raise RecordError(f"`{column}` is missing or not a 64-bit integer")
        return value

    def number(self, column: str) -> float:
        """Value of a double column: finite."""
        value = self.document.get(column)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise RecordError(f"`{column}` is missing or not a number")
        try:
            number = float(value)
        except OverflowError:  # an integer beyond the doubles; a Decimal becomes infinite instead
            number = math.inf
        if not math.isfinite(number):
            raise RecordError(f"`{column}` is beyond the range of a double")
        return number

    def flag(self, column: str) -> bool:
        """Value of a boolean column."""
        value = self.document.get(column)
        if not isinstance(value, bool):
            raise RecordError(f"`{column}` is missing or not a boolean")
        return value

    def texts(self, column: str) -> tuple[str, ...]:
        """Value of a column of strings."""
        value = self.document.get(column)
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise RecordError(f"`{column}` is missing or not a list of strings")
        return tuple(value)

    def time(self, column: str) -> datetime:
        """Value of a timestamp column (ISO 8601, UTC, ending in Z) as an aware datetime in UTC."""
        value = self.text(column)
        if _TIME.fullmatch(value) is None:
            raise RecordError(f"`{column}` is not a time like 2026-11-23T10:00:00.000Z")
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except ValueError as error:
            raise RecordError(f"`{column}` is not a date of the calendar") from error
