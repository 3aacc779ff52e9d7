"""Whether a dashboard's body is one that CloudWatch takes, that our own page can draw, and that shows something.

Limits: CloudWatch API reference, "Dashboard body structure and syntax", and CloudWatch's quotas; the text's is that of
a CloudFormation template, which holds it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from config.model import Environment
from contracts.names import StreamRole
from monitoring.catalogue import CATALOGUE
from monitoring.expressions import ExpressionError, Search, parse, references
from monitoring.flink_metrics import published
from monitoring.names import Names
from monitoring.widgets import COLUMNS

MAX_WIDGETS = 500
MAX_METRICS_PER_WIDGET = 500
MAX_METRICS = 2500
MAX_ALARMS_PER_WIDGET = 100
MAX_HEIGHT = 1000
MAX_BYTES = 1_000_000

_VIEWS = ("timeSeries", "singleValue", "gauge")
#: Properties by kind of widget, and options of a metric and of an expression: what the page can draw.
_PROPERTIES = {
    "text": {"markdown"},
    "alarm": {"title", "alarms"},
    "metric": {"view", "title", "region", "metrics", "stacked", "yAxis", "annotations"},
}
_METRIC_OPTIONS = {"stat", "period", "label", "id", "visible"}
_EXPRESSION_OPTIONS = {"expression", "label", "period", "id"}
_STATISTICS = {"Sum", "Average", "Minimum", "Maximum"}


class BodyError(ValueError):
    """The body is not good: a line each, with the widget's title and what is allowed."""


def check(body: Mapping[str, Any], environment: Environment, names: Names) -> None:
    """BodyError for a body with anything that is not allowed."""
    found = [*_whole(body)]
    for widget in body["widgets"]:
        found += [f"{_called(widget)}: {finding}" for finding in _widget(widget, environment, names)]
    if found:
        raise BodyError("\n".join(found))


def shown(body: Mapping[str, Any]) -> Iterator[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """Namespace, name and dimensions of every metric in the body, once each; what a SEARCH finds is not known."""
    seen = set()
    for widget in body["widgets"]:
        for entry in widget["properties"].get("metrics", ()):
            if len(entry) > 1:
                key = (entry[0], entry[1], tuple(sorted(_dimensions(entry).items())))
                if key not in seen:
                    seen.add(key)
                    yield key


def searches(body: Mapping[str, Any]) -> Iterator[Search]:
    """Every SEARCH of the body."""
    for widget in body["widgets"]:
        for entry in widget["properties"].get("metrics", ()):
            if len(entry) == 1:
                expression = parse(entry[0]["expression"])
                if isinstance(expression, Search):
                    yield expression


def _called(widget: Mapping[str, Any]) -> str:
    title = widget["properties"].get("title") or widget["properties"].get("markdown", "").partition("\n")[0]
    return f"dashboard widget {title!r}"


def _whole(body: Mapping[str, Any]) -> Iterator[str]:
    widgets = body["widgets"]
    unknown = set(body) - {"start", "periodOverride", "widgets"}
    if unknown:
        yield f"dashboard: {', '.join(sorted(unknown))} is not allowed; allowed are start, periodOverride and widgets"
    if len(widgets) > MAX_WIDGETS:
        yield f"dashboard: {len(widgets)} widgets; allowed are {MAX_WIDGETS}"
    metrics = sum(len(widget["properties"].get("metrics", ())) for widget in widgets)
    if metrics > MAX_METRICS:
        yield f"dashboard: {metrics} metrics; allowed are {MAX_METRICS}"
    size = len(json.dumps(body).encode())
    if size > MAX_BYTES:
        yield f"dashboard: {size} bytes; allowed are {MAX_BYTES}"
    for one, other in combinations(widgets, 2):
        if _overlap(one, other):
            yield f"{_called(one)} lies over {_called(other)}"


def _overlap(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(
        one[start] < other[start] + other[length] and other[start] < one[start] + one[length]
        for start, length in (("x", "width"), ("y", "height"))
    )


def _widget(widget: Mapping[str, Any], environment: Environment, names: Names) -> Iterator[str]:
    kind, properties = widget["type"], widget["properties"]
    x, y, width, height = (widget[key] for key in ("x", "y", "width", "height"))
    if x < 0 or y < 0 or width < 1 or x + width > COLUMNS or not 1 <= height <= MAX_HEIGHT:
        yield f"columns {x} to {x + width}, height {height}; allowed are {COLUMNS} columns, height 1 to {MAX_HEIGHT}"
    if kind not in _PROPERTIES:
        yield f"type {kind}; allowed are {', '.join(_PROPERTIES)}"
        return
    unknown = set(properties) - _PROPERTIES[kind]
    if unknown:
        yield f"{', '.join(sorted(unknown))} is not allowed; allowed are {', '.join(sorted(_PROPERTIES[kind]))}"
    if kind == "alarm" and not 1 <= len(properties["alarms"]) <= MAX_ALARMS_PER_WIDGET:
        yield f"{len(properties['alarms'])} alarms; allowed are 1 to {MAX_ALARMS_PER_WIDGET}"
    if kind == "metric":
        yield from _metrics(properties, environment, names)


def _metrics(properties: Mapping[str, Any], environment: Environment, names: Names) -> Iterator[str]:
    if properties["view"] not in _VIEWS:
        yield f"view {properties['view']}; allowed are {', '.join(_VIEWS)}"
    if properties["view"] == "gauge" and {"min", "max"} - set(properties.get("yAxis", {}).get("left", {})):
        yield "a gauge without yAxis.left.min and max"
    entries = properties["metrics"]
    if not 1 <= len(entries) <= MAX_METRICS_PER_WIDGET:
        yield f"{len(entries)} metrics; allowed are 1 to {MAX_METRICS_PER_WIDGET}"
    ids = [entry[-1]["id"] for entry in entries if "id" in entry[-1]]
    if len(set(ids)) != len(ids):
        yield f"ids {', '.join(ids)}: each once"
    for entry in entries:
        yield from _formula(entry[0], set(ids), names) if len(entry) == 1 else _series(entry, environment, names)


def _formula(options: Mapping[str, Any], ids: set[str], names: Names) -> Iterator[str]:
    unknown = set(options) - _EXPRESSION_OPTIONS
    if unknown:
        yield f"{', '.join(sorted(unknown))} is not allowed in an expression"
    try:
        expression = parse(options["expression"])
    except ExpressionError as error:
        yield str(error)
        return
    for missing in sorted(set(references(expression)) - ids):
        yield f"{options['expression']!r}: no metric of the widget has the id {missing}"
    if isinstance(expression, Search):
        known = {(metric.name, metric.dimensions) for metric in CATALOGUE if not metric.namespace}
        if expression.namespace != names.namespace or (expression.metric, (expression.dimension,)) not in known:
            yield f"{options['expression']!r}: no metric that {names.namespace} has"


def _series(entry: list[Any], environment: Environment, names: Names) -> Iterator[str]:
    namespace, name, options, dimensions = entry[0], entry[1], entry[-1], _dimensions(entry)
    unknown = set(options) - _METRIC_OPTIONS
    if unknown:
        yield f"{', '.join(sorted(unknown))} is not allowed for a metric"
    if options.get("stat") not in _STATISTICS:
        yield f"stat {options.get('stat')}; allowed are {', '.join(sorted(_STATISTICS))}"
    if not isinstance(options.get("period"), int) or options["period"] % 60 or options["period"] <= 0:
        yield f"period {options.get('period')}; allowed are whole minutes, in seconds"
    runtime = environment.application.runtime
    if not any(
        (metric.namespace or names.namespace) == namespace
        and metric.name == name
        and set(metric.dimensions) == set(dimensions)
        and published(metric, runtime)
        for metric in CATALOGUE
    ):
        yield f"nobody publishes {namespace} {name} by {', '.join(dimensions) or 'nothing'} on {runtime}"
    for dimension, value in dimensions.items():
        allowed = deployed_values(names).get(dimension)
        if allowed is not None and value not in allowed:
            yield f"no {dimension} is called {value}; deployed are {', '.join(sorted(allowed)) or 'none'}"


def deployed_values(names: Names) -> dict[str, set[str]]:
    """By dimension, the resources that are deployed; dimensions that are no resources are not in it."""
    return {
        "Application": {names.application},
        "Stream": {stream for role, stream in names.streams.items() if role == StreamRole.INPUT},
        "StreamName": set(names.streams.values()),
        "FunctionName": set(names.functions.values()),
        "Function": set(names.functions),
        "QueueName": set(names.queues.values()),
        "TopicName": set(names.topics.values()),
        "DeliveryStreamName": set(names.deliveries.values()),
        "DomainName": {names.search_domain} if names.search_domain else set(),
        "ClientId": {names.account},
    }


def _dimensions(entry: list[Any]) -> dict[str, str]:
    pairs = entry[2:-1]
    return dict(zip(pairs[::2], pairs[1::2], strict=True))
