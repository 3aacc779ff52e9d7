"""The body: what is on it, and that anything that CloudWatch or the page could not show is refused."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from config.load import environments, load
from contracts.metrics import NAMESPACE
from monitoring.alarms import alarms
from monitoring.dashboard import body
from monitoring.validate import MAX_BYTES, BodyError, check, shown
from tests.unit.monitoring.environments import changed, names_of, on_second_runtime

PROD = load("prod")
NAMES = names_of(PROD)


@pytest.mark.parametrize("name", environments())
def test_rows_stand_in_order_and_every_alarm_has_its_status_and_its_line(name: str) -> None:
    environment = load(name)
    names = names_of(environment)
    widgets = body(environment, names)["widgets"]
    headings = [
        widget["properties"]["markdown"].removeprefix("## ")
        for widget in widgets
        if widget["type"] == "text" and widget["height"] == 1
    ]
    assert headings == ["Business", "Pipeline", "Health of the application", "Sinks", "Cost"]
    rules = list(alarms(environment, names))
    (status,) = (widget for widget in widgets if widget["type"] == "alarm")
    assert status["properties"]["alarms"] == [
        f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{environment.prefix}-{rule.name}" for rule in rules
    ]
    runbook = widgets[-1]["properties"]["markdown"]
    for rule in rules:
        assert f"| {rule.name} | {rule.severity.value} | {rule.meaning} |" in runbook


def test_a_laptop_draws_the_same_widgets_under_its_own_names() -> None:
    local = replace(NAMES, namespace=NAMESPACE, account="000000000000", application="local")
    here, there = body(PROD, local)["widgets"], body(PROD, NAMES)["widgets"]
    assert [widget["properties"].get("title") for widget in here] == [
        widget["properties"].get("title") for widget in there
    ]
    own = {namespace for namespace, _, _ in shown(body(PROD, local)) if not namespace.startswith("AWS/")}
    assert own == {NAMESPACE}


def test_a_second_runtime_is_shown_by_its_own_names(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = on_second_runtime(monkeypatch)
    names = {name for _, name, _ in shown(body(environment, names_of(environment)))}
    assert {"runningTime", "restartingTime", "failingTime", "cancellingTime", "numRestarts"} <= names
    assert not names & {"uptime", "downtime", "fullRestarts"}


def test_categories_are_shown_one_by_one_where_they_are_set() -> None:
    counting = changed(PROD, "alerts", categories=("books", "toys"))
    (top,) = (
        widget["properties"]["metrics"]
        for widget in body(counting, NAMES)["widgets"]
        if widget["properties"].get("title", "").startswith("Top categories")
    )
    assert [entry[3] for entry in top] == ["books", "toys", "other"]
    assert "TopCategory" not in {name for _, name, _ in shown(body(PROD, NAMES))}


def _metric(board: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(widget for widget in board["widgets"] if widget["type"] == "metric")
    return found


def _series(board: dict[str, Any]) -> list[Any]:
    found: list[Any] = next(
        entry for widget in board["widgets"] for entry in widget["properties"].get("metrics", ()) if len(entry) > 1
    )
    return found


def _gauge(board: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(
        widget["properties"] for widget in board["widgets"] if widget["properties"].get("view") == "gauge"
    )
    return found


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: _metric(b).update(x=20), "columns 20 to 28"),
        (lambda b: _metric(b).update(x=-1), "columns -1"),
        (lambda b: _metric(b).update(height=0), "height 0"),
        (lambda b: _metric(b).update(x=1), "lies over"),
        (lambda b: _metric(b).update(type="log"), "type log; allowed are text, alarm, metric"),
        (lambda b: _metric(b)["properties"].update(view="pie"), "view pie; allowed are timeSeries"),
        (lambda b: _metric(b)["properties"].update(liveData=True), "liveData is not allowed"),
        (lambda b: _metric(b)["properties"].update(metrics=[]), "0 metrics; allowed are 1 to 500"),
        (lambda b: _metric(b)["properties"].update(metrics=_metric(b)["properties"]["metrics"] * 501), "501 metrics"),
        (lambda b: b["widgets"].extend([_metric(b)] * 500), r"5\d\d widgets; allowed are 500"),
        (lambda b: b["widgets"][0]["properties"].update(markdown="x" * MAX_BYTES), "bytes; allowed are"),
        (lambda b: b.update(variables=[]), "variables is not allowed"),
        (lambda b: b["widgets"][1]["properties"].update(alarms=["arn"] * 101), "101 alarms; allowed are 1 to 100"),
        (lambda b: _gauge(b).update(yAxis={}), "a gauge without"),
        (lambda b: _gauge(b)["metrics"][0][-1].update(id="p"), "each once"),
        (lambda b: _gauge(b)["metrics"][0][-1].pop("id"), "no metric of the widget has the id w"),
        (lambda b: _gauge(b)["metrics"][2][0].update(expression="SUM(METRICS())"), "is not allowed; allowed are"),
        (lambda b: _gauge(b)["metrics"][2][0].update(color="#fff"), "color is not allowed in an expression"),
        (lambda b: _series(b).__setitem__(1, "InputRecords"), "nobody publishes RealTimeAnalytics/prod InputRecords"),
        (lambda b: _series(b).__setitem__(2, "Level"), "nobody publishes RealTimeAnalytics/prod FraudAlerts by Level"),
        (lambda b: _series(b)[-1].update(stat="p99"), "stat p99"),
        (lambda b: _series(b)[-1].update(period=10), "period 10; allowed are whole minutes"),
        (lambda b: _series(b)[-1].update(yAxis="right"), "yAxis is not allowed for a metric"),
    ],
)
def test_what_could_not_be_shown_is_refused(change: Change, message: str) -> None:
    board = copy.deepcopy(body(PROD, NAMES))
    check(board, PROD, NAMES)
    change(board)
    with pytest.raises(BodyError, match=message):
        check(board, PROD, NAMES)


def test_a_metric_of_another_version_or_of_no_resource_is_refused() -> None:
    board = copy.deepcopy(body(PROD, NAMES))
    runs = next(widget for widget in board["widgets"] if widget["properties"].get("title") == "Runs")
    runs["properties"]["metrics"][2][1] = "numRestarts"
    with pytest.raises(
        BodyError, match="nobody publishes AWS/KinesisAnalytics numRestarts by Application on FLINK-1_20"
    ):
        check(board, PROD, NAMES)
    runs["properties"]["metrics"][2][1:4] = ["fullRestarts", "Application", "other"]
    with pytest.raises(BodyError, match=f"no Application is called other; deployed are {NAMES.application}"):
        check(board, PROD, NAMES)


def test_a_search_for_what_nobody_publishes_is_refused() -> None:
    board = copy.deepcopy(body(PROD, NAMES))
    _metric(board)["properties"]["metrics"][0][0]["expression"] = (
        "SEARCH('{RealTimeAnalytics/prod,EventType} MetricName=\"Nothing\"', 'Sum', 300)"
    )
    with pytest.raises(BodyError, match="no metric that RealTimeAnalytics/prod has"):
        check(board, PROD, NAMES)
