"""A metric's values over time, and the series that a widget draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: Start of the period, epoch seconds, to the statistic over it. A period without samples is absent.
Points = Mapping[int, float]


@dataclass(frozen=True)
class MetricKey:
    """One metric of one resource."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str]) -> MetricKey:
        """The key, whatever the order of the dimensions."""
        return cls(namespace, name, tuple(sorted(dimensions.items())))


@dataclass(frozen=True)
class Stat:
    """A statistic of a metric over periods of so many seconds."""

    key: MetricKey
    statistic: str
    period: int


@dataclass(frozen=True)
class Range:
    """From ``start`` (inclusive) to ``end`` (exclusive), epoch seconds; whole periods of ``period`` seconds."""

    start: int
    end: int
    period: int

    def buckets(self) -> range:
        """The starts of its periods."""
        return range(self.start, self.end, self.period)
