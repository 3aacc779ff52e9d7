"""Widgets of a CloudWatch dashboard: the few kinds that the kit uses, each as CloudWatch takes it.

Kinds: text (``markdown``), alarm (``title``, ``alarms``: ARNs), and metric with a ``view`` of timeSeries (``stacked``
or not), singleValue or gauge. A metric widget has ``title``, ``region``, ``metrics``, and may have ``yAxis.left.min``
and ``max``, and ``annotations.horizontal`` (a threshold: ``value``, ``label``). Each of its ``metrics`` is written out,
without the shorthand: ``[namespace, name, dimension, value, ..., {stat, period, label?, id?, visible?}]`` or
``[{expression, label, period, id?}]``. An expression is one of :mod:`monitoring.expressions`.
Source: CloudWatch API reference, "Dashboard body structure and syntax".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from monitoring.series import MINUTE, Series

#: Columns of the grid.
COLUMNS = 24


@dataclass(frozen=True)
class Line:
    """A series; ``label`` is its name unless given. Hidden where an expression alone is shown."""

    series: Series
    label: str = ""
    id: str = ""
    hidden: bool = False

    def entry(self) -> list[Any]:
        """As an element of ``metrics``."""
        options: dict[str, Any] = {"stat": self.series.statistic, "period": self.series.period}
        options |= {key: value for key, value in (("label", self.label), ("id", self.id)) if value}
        if self.hidden:
            options["visible"] = False
        dimensions = [part for pair in self.series.dimensions.items() for part in pair]
        return [self.series.namespace, self.series.name, *dimensions, options]


@dataclass(frozen=True)
class Formula:
    """An expression over lines of the same widget, by their ids."""

    expression: str
    label: str = ""
    period: int = MINUTE

    def entry(self) -> list[Any]:
        """As an element of ``metrics``."""
        return [{"expression": self.expression, "label": self.label, "period": self.period}]


@dataclass(frozen=True)
class Widget:
    """A widget without its place: ``width`` of 24 columns, ``height`` in units of the grid."""

    kind: str
    properties: Mapping[str, Any]
    width: int = 6
    height: int = 6

    def at(self, x: int, y: int) -> dict[str, Any]:
        """As an element of ``widgets``."""
        place = {"x": x, "y": y, "width": self.width, "height": self.height}
        return {"type": self.kind, **place, "properties": dict(self.properties)}


@dataclass
class Board:
    """Rows of widgets, each below the one before. ``region`` is where the metrics are."""

    region: str
    widgets: list[dict[str, Any]] = field(default_factory=list)
    _y: int = 0

    def row(self, *widgets: Widget) -> None:
        """Adds widgets from left to right, and goes to the next line where one does not fit."""
        x, tallest = 0, 0
        for widget in widgets:
            if x + widget.width > COLUMNS:
                x, self._y, tallest = 0, self._y + tallest, 0
            self.widgets.append(widget.at(x, self._y))
            x, tallest = x + widget.width, max(tallest, widget.height)
        self._y += tallest

    def graph(
        self,
        title: str,
        lines: Iterable[Line | Formula],
        *,
        stacked: bool = False,
        threshold: tuple[float, str] | None = None,
        width: int = 8,
    ) -> Widget:
        """Values over time, from zero up; ``threshold`` is a horizontal line with its label."""
        more: dict[str, Any] = {"stacked": stacked, "yAxis": {"left": {"min": 0}}}
        if threshold is not None:
            more["annotations"] = {"horizontal": [{"value": threshold[0], "label": threshold[1]}]}
        return self._metric("timeSeries", title, lines, width, more)

    def number(self, title: str, lines: Iterable[Line | Formula], width: int = 8) -> Widget:
        """The latest value of each line."""
        return self._metric("singleValue", title, lines, width, {})

    def gauge(self, title: str, lines: Iterable[Line | Formula], most: float, width: int = 4) -> Widget:
        """The latest value between 0 and ``most``."""
        return self._metric("gauge", title, lines, width, {"yAxis": {"left": {"min": 0, "max": most}}})

    def _metric(
        self, view: str, title: str, lines: Iterable[Line | Formula], width: int, more: Mapping[str, Any]
    ) -> Widget:
        properties = {"view": view, "title": title, "region": self.region, "metrics": [line.entry() for line in lines]}
        return Widget("metric", {**properties, **more}, width)


def text(markdown: str, *, width: int = COLUMNS, height: int = 1) -> Widget:
    """Markdown: headings, lines, links and tables."""
    return Widget("text", {"markdown": markdown}, width, height)


def alarm_status(title: str, arns: Sequence[str], *, width: int = COLUMNS, height: int = 4) -> Widget:
    """The state of each alarm."""
    return Widget("alarm", {"title": title, "alarms": list(arns)}, width, height)
