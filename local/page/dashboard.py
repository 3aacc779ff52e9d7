"""The deployed dashboard's body, drawn with what the local CloudWatch holds, as JSON."""

from __future__ import annotations

import threading
import time
from typing import Any

from config.model import Environment
from local.cloudwatch.alarms import Watched
from local.cloudwatch.body import Line, Widget, parse
from local.cloudwatch.clocks import Clocks
from local.cloudwatch.drawing import Drawing, draw
from local.cloudwatch.points import Stat
from local.cloudwatch.reader import Reader
from local.demo.monitored import NOT_ON_A_LAPTOP
from local.demo.watch import Watch
from monitoring.dashboard import body
from monitoring.names import Names

#: Browsers that ask at the same time get the same answer for as long.
_FRESH_SECONDS = 1.0


class Dashboard:
    """Draws when asked; any thread may ask."""

    def __init__(self, environment: Environment, names: Names, client: Any, clocks: Clocks, watch: Watch) -> None:
        self._widgets = parse(body(environment, names))
        self._reader = Reader(client)
        self._clocks = clocks
        self._watch = watch
        self._lock = threading.Lock()
        self._drawn: dict[str, Any] = {}
        self._drawn_at = 0.0

    def snapshot(self) -> dict[str, Any]:
        """All widgets, in order. Raises botocore's errors where the local CloudWatch does not answer."""
        with self._lock:
            if time.monotonic() - self._drawn_at > _FRESH_SECONDS:
                now = time.time()
                drawings = draw(self._widgets, self._reader, self._clocks, now)
                self._drawn = {"now": now, "widgets": [self._widget(each) for each in drawings]}
                self._drawn_at = time.monotonic()
            return self._drawn

    def _widget(self, drawing: Drawing) -> dict[str, Any]:
        widget = drawing.widget
        told: dict[str, Any] = {
            "view": widget.view,
            "title": widget.title,
            "x": widget.x,
            "y": widget.y,
            "width": widget.width,
            "height": widget.height,
        }
        if widget.view == "text":
            return {**told, "markdown": widget.markdown}
        if widget.view == "alarm":
            return {**told, "alarms": [_alarm(each) for each in self._watch.alarms.watched.values()]}
        over = drawing.over
        times = [] if over is None else list(over.buckets())
        return {
            **told,
            "clock": "event" if drawing.event_time else "machine",
            "times": times,
            "unit": _unit_of_all(drawing),
            "lines": [
                {"label": line.label, "unit": line.unit, "values": [line.points.get(bucket) for bucket in times]}
                for line in drawing.lines
            ],
            "stacked": widget.stacked,
            "low": widget.low,
            "high": widget.high,
            "thresholds": [{"value": each.value, "label": each.label} for each in widget.thresholds],
            "absent": absent(widget),
        }


def _unit_of_all(drawing: Drawing) -> str:
    """The one unit of all lines, or none."""
    units = {line.unit for line in drawing.lines}
    return units.pop() if len(units) == 1 else ""


def absent(widget: Widget) -> str | None:
    """Why a laptop has none of the widget's metrics; None where it has one."""
    reasons = {_reason(line) for line in widget.lines if isinstance(line.source, Stat)}
    return None if None in reasons or not reasons else "; ".join(sorted(each for each in reasons if each))


def _reason(line: Line) -> str | None:
    return NOT_ON_A_LAPTOP.get(line.source.key.name) if isinstance(line.source, Stat) else None


def _alarm(watched: Watched) -> dict[str, Any]:
    rule = watched.rule
    return {
        "name": rule.name,
        "state": watched.state.value,
        "since": watched.since,
        "value": watched.value,
        "threshold": rule.threshold,
        "meaning": rule.meaning,
        "pages": rule.pages,
        "not_here": rule.not_here,
    }
