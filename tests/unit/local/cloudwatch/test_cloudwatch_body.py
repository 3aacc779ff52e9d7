"""The dashboard's body: what ours holds is understood, the shorthand written out, anything else refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from config.load import environments, load
from local.cloudwatch.body import BodyError, parse
from local.cloudwatch.points import MetricKey, Stat
from monitoring.dashboard import body
from monitoring.names import deployed


def a_widget(**properties: Any) -> dict[str, Any]:
    return {"type": "metric", "x": 0, "y": 0, "width": 6, "height": 6, "properties": {"title": "T", **properties}}


def keys(*metrics: list[Any]) -> list[MetricKey]:
    (widget,) = parse({"widgets": [a_widget(metrics=list(metrics))]})
    return [line.source.key for line in widget.lines if isinstance(line.source, Stat)]


@pytest.mark.parametrize("name", environments())
def test_given_every_deployed_dashboard_then_all_of_it_is_understood(name: str) -> None:
    environment = load(name)
    made = body(environment, deployed(environment, "123456789012", environment.region))
    widgets = parse(made)
    assert len(widgets) == len(made["widgets"])
    assert {widget.view for widget in widgets} >= {"text", "alarm", "timeSeries", "singleValue", "gauge"}
    assert all(widget.lines for widget in widgets if widget.view not in ("text", "alarm"))


def test_given_the_shorthand_then_it_is_the_row_above() -> None:
    assert keys(
        ["AWS/SQS", "Age", "QueueName", "one", {"stat": "Maximum"}],
        ["...", "two"],
        [".", "Visible", ".", "."],
        [".", ".", ".", "three", {"period": 60}],
    ) == [
        MetricKey.of("AWS/SQS", "Age", {"QueueName": "one"}),
        MetricKey.of("AWS/SQS", "Age", {"QueueName": "two"}),
        MetricKey.of("AWS/SQS", "Visible", {"QueueName": "two"}),
        MetricKey.of("AWS/SQS", "Visible", {"QueueName": "three"}),
    ]


def test_given_no_statistic_or_period_then_cloudwatchs_own() -> None:
    (widget,) = parse({"widgets": [a_widget(metrics=[["N", "M"]])]})
    assert widget.lines[0].source == Stat(MetricKey.of("N", "M", {}), "Average", 300)
    assert widget.view == "timeSeries"


@pytest.mark.parametrize(
    ("widget", "told"),
    [
        ({**a_widget(metrics=[]), "type": "log"}, "log"),
        (a_widget(metrics=[], view="pie"), "pie"),
        (a_widget(metrics=[], table={}), "table"),
        (a_widget(metrics=[["N", "M", {"sparkles": 1}]]), "sparkles"),
        (a_widget(metrics=[["N", "M", "D"]]), "no metric"),
        (a_widget(metrics=[["...", "x"]]), "stands for nothing"),
        (a_widget(metrics=[[".", "M"]]), "stands for nothing"),
        (a_widget(metrics=[], annotations={"vertical": []}), "vertical"),
        (a_widget(metrics=[[{"expression": "__import__('os')"}]]), "__import__"),
        (a_widget(metrics=[[{"expression": "ANOMALY_DETECTION_BAND(m)"}]]), "ANOMALY_DETECTION_BAND"),
    ],
)
def test_given_what_we_do_not_draw_then_it_is_refused_by_name(widget: dict[str, Any], told: str) -> None:
    with pytest.raises(BodyError, match="widget 0") as refused:
        parse({"widgets": [widget]})
    assert told in str(refused.value)
