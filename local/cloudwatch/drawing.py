"""What a widget shows now: its series, computed from the local CloudWatch, for a page to draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from local.cloudwatch.body import Line, Widget
from local.cloudwatch.clocks import EVENT_TIME, Clocks
from local.cloudwatch.expression import Expression, Search
from local.cloudwatch.points import MetricKey, Points, Range, Series, Stat
from local.cloudwatch.reader import Reader, Wanted


@dataclass(frozen=True)
class Drawn:
    """A visible line with its points."""

    label: str
    points: Points
    right: bool
    color: str | None


@dataclass(frozen=True)
class Drawing:
    """A widget's lines over a range of event time or machine time."""

    widget: Widget
    lines: tuple[Drawn, ...]
    event_time: bool
    over: Range | None


def draw(widgets: Iterable[Widget], reader: Reader, clocks: Clocks, now: float) -> list[Drawing]:
    """The drawings of all widgets, from a few calls. Raises what the reader raises."""
    found = [_found(widget, reader) for widget in widgets]
    wanted: dict[tuple[int, int], Wanted] = {}
    for number, widget in enumerate(found):
        for place, line in enumerate(widget.lines):
            if isinstance(line.source, Stat):
                wanted[number, place] = (line.source, _range(widget, line.period, clocks, now))
    points = reader.points(wanted.values())
    return [
        _drawing(
            widget,
            {place: points[wanted[number, place]] for place in range(len(widget.lines)) if (number, place) in wanted},
            clocks,
            now,
        )
        for number, widget in enumerate(found)
    ]


def _found(widget: Widget, reader: Reader) -> Widget:
    """The widget with its searches replaced by the series that they find."""
    lines: list[Line] = []
    for line in widget.lines:
        if not isinstance(line.source, Search):
            lines.append(line)
            continue
        search = line.source
        period = search.period or line.period
        for number, key in enumerate(reader.values(search.namespace, search.name, search.dimensions)):
            label = " ".join([line.label or "", *(value for _, value in key.dimensions)]).strip()
            source = Stat(key, search.statistic, period)
            lines.append(replace(line, id=f"{line.id}_{number}", label=label or key.name, source=source, period=period))
    return replace(widget, lines=tuple(lines))


def is_event_time(widget: Widget) -> bool:
    """Whether the widget's metrics are stamped with event time."""
    return any(name in EVENT_TIME for name in _names(widget))


def _names(widget: Widget) -> set[str]:
    return {
        line.source.key.name if isinstance(line.source, Stat) else line.source.name
        for line in widget.lines
        if not isinstance(line.source, Expression)
    }


def _range(widget: Widget, period: int, clocks: Clocks, now: float) -> Range:
    return clocks.range(event_time=is_event_time(widget), period=period, now=now)


def _drawing(widget: Widget, points: Mapping[int, Points], clocks: Clocks, now: float) -> Drawing:
    series: dict[str, Series] = {}
    for place, line in enumerate(widget.lines):
        if isinstance(line.source, Stat):
            series[line.id] = Series(points[place], _label(line), line.period)
    for line in widget.lines:  # expressions may use each other, in order
        if isinstance(line.source, Expression):
            computed = line.source.evaluate(series, _range(widget, line.period, clocks, now))
            series[line.id] = Series(computed, _label(line), line.period)
    over = _range(widget, min(line.period for line in widget.lines), clocks, now) if widget.lines else None
    return Drawing(
        widget,
        tuple(
            Drawn(series[line.id].label, series[line.id].points, line.right, line.color)
            for line in widget.lines
            if line.visible
        ),
        is_event_time(widget),
        over,
    )


def _label(line: Line) -> str:
    if line.label:
        return line.label
    return line.source.key.name if isinstance(line.source, Stat) else line.id


def metric_keys(widgets: Iterable[Widget]) -> set[MetricKey]:
    """Every metric that is named in the widgets (what a search finds is not named)."""
    return {line.source.key for widget in widgets for line in widget.lines if isinstance(line.source, Stat)}
