"""A metric, and a metric of one resource: what everything else here is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

MINUTE = 60
HOUR = 60 * MINUTE


class Unit(StrEnum):
    """Units as CloudWatch names them."""

    BYTES = "Bytes"
    COUNT = "Count"
    COUNT_PER_SECOND = "Count/Second"
    MEGABYTES = "Megabytes"
    MILLISECONDS = "Milliseconds"
    NONE = "None"
    PERCENT = "Percent"
    SECONDS = "Seconds"


@dataclass(frozen=True)
class Publisher:
    """Who publishes metrics; ``source`` is the page that lists them, or the module for our own."""

    name: str
    source: str


@dataclass(frozen=True)
class Metric:
    """One metric as it is published and best read: ``statistic`` over ``period`` seconds.

    ``namespace`` is empty for the kit's own: it is the environment's. ``flink`` are the major versions of Flink that
    publish it; none means that it does not depend on the version.
    """

    namespace: str
    name: str
    dimensions: tuple[str, ...]
    statistic: str
    unit: Unit
    meaning: str
    publisher: Publisher
    period: int = MINUTE
    flink: tuple[str, ...] = ()


@dataclass(frozen=True)
class Series:
    """A metric of one resource: ``statistic`` over ``period`` seconds."""

    metric: Metric
    namespace: str
    dimensions: Mapping[str, str]
    statistic: str
    period: int

    @property
    def name(self) -> str:
        """The metric's name."""
        return self.metric.name

    @property
    def key(self) -> tuple[str, str, tuple[tuple[str, str], ...]]:
        """What CloudWatch tells series apart by."""
        return self.namespace, self.name, tuple(sorted(self.dimensions.items()))


def series(
    metric: Metric, *values: str, namespace: str = "", statistic: str | None = None, period: int | None = None
) -> Series:
    """The series of ``metric`` whose dimensions have ``values``; ValueError where they do not fit."""
    if len(values) != len(metric.dimensions) or bool(namespace) == bool(metric.namespace):
        raise ValueError(f"{metric.name} has the dimensions {metric.dimensions}, and one namespace")
    return Series(
        metric,
        metric.namespace or namespace,
        dict(zip(metric.dimensions, values, strict=True)),
        statistic or metric.statistic,
        period or metric.period,
    )
