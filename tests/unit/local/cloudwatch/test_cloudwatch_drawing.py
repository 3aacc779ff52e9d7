"""Drawings: which clock, which period, sums over the dashboard's own period, searches, hidden inputs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from local.cloudwatch.body import parse
from local.cloudwatch.clocks import SHRINK, WINDOW_SECONDS, Clocks
from local.cloudwatch.drawing import Drawing, draw
from local.cloudwatch.points import MetricKey, Points
from local.cloudwatch.reader import Reader, Wanted

HOUR = 3600
CLOCKS = Clocks(first_event=10 * HOUR, last_event=12 * HOUR, began=1_000_000)
NOW = 1_000_060.0


class Known(Reader):
    """Knows one value a second for each metric that it is told of, whatever is asked."""

    def __init__(self, *known: MetricKey) -> None:
        self.asked: list[Wanted] = []
        self._known = known

    def points(self, wanted: Iterable[Wanted]) -> dict[Wanted, Points]:
        self.asked = list(wanted)
        return {each: {bucket: float(each[1].period) for bucket in each[1].buckets()} for each in self.asked}

    def values(self, namespace: str, name: str, dimensions: Sequence[str]) -> list[MetricKey]:
        return [
            key
            for key in self._known
            if (key.namespace, key.name, [each for each, _ in key.dimensions]) == (namespace, name, list(dimensions))
        ]


def drawing(reader: Reader, *metrics: list[Any]) -> Drawing:
    widget = {"type": "metric", "x": 0, "y": 0, "width": 6, "height": 6, "properties": {"metrics": list(metrics)}}
    (drawn,) = draw(parse({"widgets": [widget]}), reader, CLOCKS, NOW)
    return drawn


def test_given_a_business_metric_then_event_time_over_the_traffics_hours_in_its_own_periods() -> None:
    drawn = drawing(Known(), ["RealTimeAnalytics", "Sessions", {"stat": "Sum", "period": 300}])
    assert drawn.event_time
    assert drawn.over is not None
    assert (drawn.over.start, drawn.over.end, drawn.over.period) == (10 * HOUR, 12 * HOUR + 300, 300)


def test_given_a_rejection_or_a_service_then_this_machines_time_in_shrunk_periods() -> None:
    for name in ("RejectedEvents", "cpuUtilization"):
        drawn = drawing(Known(), ["N", name, {"stat": "Maximum", "period": 60}])
        assert not drawn.event_time
        assert drawn.over is not None
        assert drawn.over.period == 60 // SHRINK
        assert drawn.over.start == 1_000_000  # not before the run
        assert NOW <= drawn.over.end <= NOW + drawn.over.period
        assert drawn.over.end - drawn.over.start <= WINDOW_SECONDS


def test_given_sums_of_a_minute_then_each_point_is_the_minute_before_it() -> None:
    (line,) = drawing(Known(), ["N", "Errors", {"stat": "Sum", "period": 60}]).lines
    values = [value for _, value in sorted(line.points.items())]
    assert values[:3] == [5.0, 10.0, 15.0]  # the run has just begun: five a local period of five seconds
    assert values[-1] == 60.0


def test_given_a_search_then_a_line_for_each_value_of_just_that_dimension() -> None:
    reader = Known(
        MetricKey.of("R", "EventCount", {"EventType": "view"}),
        MetricKey.of("R", "EventCount", {"EventType": "click"}),
        MetricKey.of("R", "EventCount", {"EventType": "view", "Other": "x"}),
    )
    search = "SEARCH('{R,EventType} MetricName=\"EventCount\"', 'Sum', 300)"
    drawn = drawing(reader, [{"expression": search, "label": "", "period": 300}])
    assert [line.label for line in drawn.lines] == ["view", "click"]
    assert drawn.event_time


def test_given_hidden_inputs_then_only_the_formula_is_drawn() -> None:
    drawn = drawing(
        Known(),
        ["N", "A", {"id": "a", "visible": False, "period": 60, "stat": "Maximum"}],
        [{"expression": "a * 2", "label": "%", "period": 60}],
    )
    (line,) = drawn.lines
    assert (line.label, line.unit) == ("%", "Percent")
    assert set(line.points.values()) == {10.0}
