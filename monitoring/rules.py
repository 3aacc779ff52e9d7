"""What an alarm is: a metric, or an expression over some, above or below a threshold for M of N periods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from monitoring.series import Series

#: The application reads a minute behind at most in normal times; a snapshot and restart take some minutes.
READ_LAG_MS = 600_000


class Missing(StrEnum):
    """What no data means to an alarm, as CloudWatch names it."""

    BREACHING = "breaching"
    FINE = "notBreaching"


class Comparison(StrEnum):
    """How a value is held against the threshold, as CloudWatch names it."""

    ABOVE = "GreaterThanThreshold"
    BELOW = "LessThanThreshold"


class Severity(StrEnum):
    """``page`` wakes somebody, through the composite alarm; ``ticket`` is read by day."""

    PAGE = "page"
    TICKET = "ticket"


@dataclass(frozen=True)
class Rule:
    """An alarm.

    ``inputs`` are by their id in ``expression``; without an expression there is one, ``m``, and it is the value.
    ``periods`` of the last ``of`` must break the threshold. ``missing_why`` says why no data means what it means.
    Either ``here`` says how a laptop provokes it or ``not_here`` why none can; ValueError otherwise.
    """

    name: str
    inputs: Mapping[str, Series]
    threshold: float
    meaning: str
    missing: Missing
    missing_why: str
    expression: str | None = None
    comparison: Comparison = Comparison.ABOVE
    periods: int = 3
    of: int = 3
    severity: Severity = Severity.TICKET
    here: str = ""
    not_here: str = ""

    def __post_init__(self) -> None:  # noqa: D105 - the class says it
        if bool(self.here) == bool(self.not_here):
            raise ValueError(f"{self.name}: either how it is provoked on a laptop or why it cannot be")
        if self.expression is None and list(self.inputs) != ["m"]:
            raise ValueError(f"{self.name}: without an expression there is one input, m")
        if len({series.period for series in self.inputs.values()}) != 1:
            raise ValueError(f"{self.name}: all inputs have one period")

    @property
    def period(self) -> int:
        """Seconds that a value stands for."""
        return next(iter(self.inputs.values())).period

    @property
    def pages(self) -> bool:
        """Whether it wakes somebody."""
        return self.severity is Severity.PAGE
