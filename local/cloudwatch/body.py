"""Parses a CloudWatch dashboard body: the widgets and properties that ours uses; anything else is refused by name.

Source of the format: CloudWatch API reference, "Dashboard body structure and syntax".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.cloudwatch.points import MetricKey, Stat
from monitoring import expressions
from monitoring.expressions import Expression, ExpressionError

VIEWS = ("timeSeries", "singleValue", "gauge")
_DEFAULT_PERIOD = 300
_DEFAULT_STATISTIC = "Average"
_WIDGET = frozenset({"type", "x", "y", "width", "height", "properties"})
#: Properties that say nothing about what is drawn here: the region is this machine.
_IGNORED = frozenset(
    {"region", "liveData", "legend", "timezone", "sparkline", "setPeriodToTimeRange", "singleValueFullPrecision"}
)
_METRIC = _IGNORED | {"metrics", "view", "stacked", "title", "period", "stat", "yAxis", "annotations"}
_OPTIONS = frozenset(
    {"label", "id", "expression", "stat", "period", "visible", "yAxis", "color", "region", "accountId"}
)


class BodyError(ValueError):
    """The body holds what is not understood; the message names the widget and the property."""


@dataclass(frozen=True)
class Line:
    """One entry of a widget's ``metrics``: a statistic, an expression, or a search."""

    id: str
    label: str | None
    source: Stat | Expression
    period: int
    visible: bool
    right: bool
    color: str | None


@dataclass(frozen=True)
class Threshold:
    """A horizontal annotation."""

    value: float
    label: str
    color: str | None


@dataclass(frozen=True)
class Widget:
    """One widget on the grid of 24 columns. ``view`` is text, alarm, or one of VIEWS."""

    view: str
    title: str
    x: int
    y: int
    width: int
    height: int
    markdown: str = ""
    alarms: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    stacked: bool = False
    low: float | None = None
    high: float | None = None
    unit_label: str = ""
    thresholds: tuple[Threshold, ...] = ()


def parse(body: Mapping[str, Any]) -> list[Widget]:
    """The widgets in order. Raises :class:`BodyError`."""
    _only(body, {"widgets", "start", "end", "periodOverride"}, "dashboard")
    return [_widget(number, each) for number, each in enumerate(body["widgets"])]


def _widget(number: int, widget: Mapping[str, Any]) -> Widget:
    where = f"widget {number}"
    _only(widget, _WIDGET, where)
    properties = widget["properties"]
    place = (int(widget["x"]), int(widget["y"]), int(widget["width"]), int(widget["height"]))
    title = str(properties.get("title", ""))
    match widget["type"]:
        case "text":
            _only(properties, {"markdown", "background"}, where)
            return Widget("text", "", *place, markdown=str(properties["markdown"]))
        case "alarm":
            _only(properties, {"title", "alarms", "sortBy", "states"}, where)
            return Widget("alarm", title, *place, alarms=tuple(str(arn) for arn in properties["alarms"]))
        case "metric":
            return _metric_widget(f"{where} ({title})", title, place, properties)
        case other:
            raise BodyError(f"{where}: type {other!r} is not understood; allowed are text, alarm and metric")


def _metric_widget(where: str, title: str, place: tuple[int, int, int, int], properties: Mapping[str, Any]) -> Widget:
    _only(properties, _METRIC, where)
    view = properties.get("view", "timeSeries")
    if view not in VIEWS:
        raise BodyError(f"{where}: view {view!r} is not understood; allowed are {', '.join(VIEWS)}")
    axis = properties.get("yAxis", {})
    _only(axis, {"left", "right"}, f"{where}, yAxis")
    left = axis.get("left", {})
    _only(left, {"min", "max", "label", "showUnits"}, f"{where}, yAxis.left")
    annotations = properties.get("annotations", {})
    _only(annotations, {"horizontal"}, f"{where}, annotations")
    return Widget(
        view,
        title,
        *place,
        lines=_lines(where, properties),
        stacked=bool(properties.get("stacked", False)),
        low=left.get("min"),
        high=left.get("max"),
        unit_label=str(left.get("label", "")),
        thresholds=tuple(_threshold(where, each) for each in annotations.get("horizontal", ())),
    )


def _threshold(where: str, annotation: Mapping[str, Any]) -> Threshold:
    _only(annotation, {"value", "label", "color", "fill", "visible", "yAxis"}, f"{where}, annotation")
    return Threshold(float(annotation["value"]), str(annotation.get("label", "")), annotation.get("color"))


def _lines(where: str, properties: Mapping[str, Any]) -> tuple[Line, ...]:
    lines: list[Line] = []
    before: list[str] = []
    for number, row in enumerate(properties.get("metrics", ())):
        options = dict(row[-1]) if row and isinstance(row[-1], Mapping) else {}
        _only(options, _OPTIONS, f"{where}, metric {number}")
        period = int(options.get("period", properties.get("period", _DEFAULT_PERIOD)))
        if "expression" in options:
            source: Stat | Expression = _math(where, str(options["expression"]))
        else:
            before = _full(where, before, [part for part in row if not isinstance(part, Mapping)])
            statistic = str(options.get("stat", properties.get("stat", _DEFAULT_STATISTIC)))
            dimensions = dict(zip(before[2::2], before[3::2], strict=True))
            source = Stat(MetricKey.of(before[0], before[1], dimensions), statistic, period)
        lines.append(
            Line(
                id=str(options.get("id", f"line{number}")),
                label=None if options.get("label") is None else str(options["label"]),
                source=source,
                period=period,
                visible=bool(options.get("visible", True)),
                right=options.get("yAxis", "left") == "right",
                color=options.get("color"),
            )
        )
    return tuple(lines)


def _math(where: str, text: str) -> Expression:
    try:
        return expressions.parse(text)
    except ExpressionError as error:
        raise BodyError(f"{where}: {error}") from error


def _full(where: str, before: Sequence[str], row: Sequence[Any]) -> list[str]:
    """The row without shorthand: ``.`` is the part above it, ``...`` all parts above up to what follows it."""
    parts = [str(part) for part in row]
    if "..." in parts:
        place = parts.index("...")
        rest = parts[place + 1 :]
        if place != 0 or not before or len(rest) >= len(before):
            raise BodyError(f"{where}: '...' in {parts} stands for nothing")
        parts = [*before[: len(before) - len(rest)], *rest]
    full: list[str] = []
    for index, part in enumerate(parts):
        if part == ".":
            if index >= len(before):
                raise BodyError(f"{where}: '.' in {parts} stands for nothing")
            part = before[index]
        full.append(part)
    if len(full) < 2 or len(full) % 2:
        raise BodyError(f"{where}: {parts} is no metric: namespace, name, then pairs of dimension and value")
    return full


def _only(found: Mapping[str, Any], allowed: frozenset[str] | set[str], where: str) -> None:
    unknown = sorted(found.keys() - allowed)
    if unknown:
        raise BodyError(f"{where}: {', '.join(unknown)} is not understood; allowed are {', '.join(sorted(allowed))}")
