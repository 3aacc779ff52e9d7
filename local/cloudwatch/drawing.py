"""What a widget shows now: its series, computed from the local CloudWatch, for a page to draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from local.cloudwatch.body import Line, Widget
from local.cloudwatch.clocks import EVENT_TIME, Clocks
from local.cloudwatch.expression import evaluate
from local.cloudwatch.points import MetricKey, Points, Range, Stat
from local.cloudwatch.reader import Reader, Wanted
from monitoring.catalogue import CATALOGUE
from monitoring.expressions import Search


@dataclass(frozen=True)
class Drawn:
    """A visible line with its points; ``unit`` as CloudWatch names it, empty where nobody says."""

    label: str
    points: Points
    unit: str


@dataclass(frozen=True)
class Drawing:
    """A widget's lines over a range of event time or machine time; ``over`` is None for text and alarms."""

    widget: Widget
    lines: tuple[Drawn, ...]
    event_time: bool
    over: Range | None


def draw(widgets: Iterable[Widget], reader: Reader, clocks: Clocks, now: float) -> list[Drawing]:
    """The drawings of all widgets, from a few calls. Raises what the reader raises."""
    found = [_found(widget, reader) for widget in widgets]
    wanted: dict[tuple[int, str], Wanted] = {
        (number, line.id): (line.source, _range(widget, line.period, clocks, now))
        for number, widget in enumerate(found)
        for line in widget.lines
        if isinstance(line.source, Stat)
    }
    points = reader.points(wanted.values())
    return [
        _drawing(
            widget,
            {line.id: points[wanted[number, line.id]] for line in widget.lines if (number, line.id) in wanted},
            clocks,
            now,
        )
        for number, widget in enumerate(found)
    ]


def is_event_time(widget: Widget) -> bool:
    """Whether the widget's metrics are stamped with event time."""
    sources = [line.source for line in widget.lines]
    return any(
        (isinstance(source, Stat) and source.key.name in EVENT_TIME)
        or (isinstance(source, Search) and source.metric in EVENT_TIME)
        for source in sources
    )


def metric_keys(widgets: Iterable[Widget]) -> set[MetricKey]:
    """Every metric that is named in the widgets (what a search finds is not named)."""
    return {line.source.key for widget in widgets for line in widget.lines if isinstance(line.source, Stat)}


def _found(widget: Widget, reader: Reader) -> Widget:
    """The widget with its searches replaced by the series that they find."""
    lines: list[Line] = []
    for line in widget.lines:
        if not isinstance(line.source, Search):
            lines.append(line)
            continue
        search = line.source
        for number, key in enumerate(reader.values(search.namespace, search.metric, [search.dimension])):
            label = " ".join(filter(None, [line.label, *(value for _, value in key.dimensions)]))
            source = Stat(key, search.statistic, search.period)
            lines.append(replace(line, id=f"{line.id}_{number}", label=label, source=source, period=search.period))
    return replace(widget, lines=tuple(lines))


def _range(widget: Widget, period: int, clocks: Clocks, now: float) -> Range:
    return clocks.range(event_time=is_event_time(widget), period=period, now=now)


def _drawing(widget: Widget, read: Mapping[str, Points], clocks: Clocks, now: float) -> Drawing:
    event_time = is_event_time(widget)
    points: dict[str, Points] = {}
    for line in widget.lines:
        if isinstance(line.source, Stat):
            summed = line.source.statistic == "Sum" and not event_time
            shown = _range(widget, line.period, clocks, now)
            points[line.id] = _trailing(read[line.id], line.period, shown) if summed else read[line.id]
    for line in widget.lines:
        if not isinstance(line.source, Stat):
            points[line.id] = evaluate(line.source, points, _range(widget, line.period, clocks, now))
    over = _range(widget, min(line.period for line in widget.lines), clocks, now) if widget.lines else None
    lines = tuple(Drawn(_label(line), points[line.id], _unit(widget, line)) for line in widget.lines if line.visible)
    return Drawing(widget, lines, event_time, over)


def _trailing(points: Points, period: int, over: Range) -> Points:
    """Sums over the dashboard's own period that end at each local one, so that "a minute" stays a minute."""
    first = min(points, default=over.end)
    return {
        time: sum(points[each] for each in points if time - period < each <= time)
        for time in over.buckets()
        if time >= first
    }


def _label(line: Line) -> str:
    if line.label:
        return line.label
    return line.source.key.name if isinstance(line.source, Stat) else line.id


_UNITS = {metric.name: metric.unit.value for metric in CATALOGUE}


def _unit(widget: Widget, line: Line) -> str:
    """The metric's unit; of an expression, what the widget's title says."""
    if isinstance(line.source, Stat):
        return _UNITS.get(line.source.key.name, "")
    if "%" in (line.label or "") or "%" in widget.title:
        return "Percent"
    return "Seconds" if widget.title.endswith(", s") else ""
