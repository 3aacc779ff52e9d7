"""The deployed dashboard and alarms are what monitoring/ says, to the letter."""

from __future__ import annotations

import json
from typing import Any

from contracts.metrics import OTHER
from monitoring.alarms import alarms
from monitoring.catalogue import DRIVER_ERRORS
from monitoring.dashboard import body
from monitoring.names import Names, deployed
from monitoring.validate import shown
from tests.synth.templates import Assembly

ACCOUNT = "123456789012"


def _names(assembly: Assembly) -> Names:
    return deployed(assembly.environment, ACCOUNT, assembly.environment.region)


def _filled(value: Any) -> Any:
    """A value of the template, as CloudFormation would fill it in for the account."""
    match value:
        case {"Fn::Join": [separator, parts]}:
            return separator.join(_filled(part) for part in parts)
        case {"Ref": "AWS::AccountId"}:
            return ACCOUNT
        case {"Ref": "AWS::Partition"}:
            return "aws"
        case dict():
            return {key: _filled(one) for key, one in value.items()}
        case list():
            return [_filled(one) for one in value]
    return value


def test_the_deployed_body_is_the_functions_output(assembly: Assembly) -> None:
    deployed_body = _filled(assembly.one("AWS::CloudWatch::Dashboard").properties["DashboardBody"])
    assert json.loads(deployed_body) == json.loads(json.dumps(body(assembly.environment, _names(assembly))))


def test_every_alarm_is_its_rule(assembly: Assembly) -> None:
    found = {
        alarm.properties["AlarmName"]: _filled(alarm.properties)
        for alarm in assembly.resources("AWS::CloudWatch::Alarm")
    }
    rules = {
        f"{assembly.environment.prefix}-{rule.name}": rule for rule in alarms(assembly.environment, _names(assembly))
    }
    assert found.keys() == rules.keys()
    for name, rule in rules.items():
        alarm = found[name]
        assert alarm["Threshold"] == rule.threshold
        assert alarm["ComparisonOperator"] == rule.comparison.value
        assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (rule.periods, rule.of)
        assert alarm["TreatMissingData"] == rule.missing.value
        queries = {query["Id"]: query for query in alarm.get("Metrics", [])}
        assert queries.pop("value", {}).get("Expression") == rule.expression
        read = {key: query["MetricStat"] for key, query in queries.items()} or {
            "m": {
                "Metric": {key: alarm[key] for key in ("Namespace", "MetricName", "Dimensions") if key in alarm},
                "Stat": alarm["Statistic"],
                "Period": alarm["Period"],
            }
        }
        assert {key: _series(one) for key, one in read.items()} == {
            key: (series.key, series.statistic, series.period) for key, series in rule.inputs.items()
        }


def _series(statistic: Any) -> Any:
    metric = statistic["Metric"]
    dimensions = tuple(sorted((one["Name"], one["Value"]) for one in metric.get("Dimensions", [])))
    return (metric["Namespace"], metric["MetricName"], dimensions), statistic["Stat"], statistic["Period"]


#: Which resource a metric's dimension names, and by which property.
_NAMED = {
    "Application": ("AWS::KinesisAnalyticsV2::Application", "ApplicationName"),
    "StreamName": ("AWS::Kinesis::Stream", "Name"),
    "FunctionName": ("AWS::Lambda::Function", "FunctionName"),
    "QueueName": ("AWS::SQS::Queue", "QueueName"),
    "TopicName": ("AWS::SNS::Topic", "TopicName"),
    "DeliveryStreamName": ("AWS::KinesisFirehose::DeliveryStream", "DeliveryStreamName"),
    "DomainName": ("AWS::OpenSearchService::Domain", "DomainName"),
    "RuleName": ("AWS::Events::Rule", "Name"),
}


def test_every_metric_is_one_of_a_resource_that_the_templates_make(assembly: Assembly) -> None:
    environment, names = assembly.environment, _names(assembly)
    made = {
        dimension: {resource.properties.get(key) for resource in assembly.resources(kind)}
        for dimension, (kind, key) in _NAMED.items()
    }
    if environment.streams.input.existing_arn:
        made["StreamName"].add(environment.streams.input.existing_arn.rpartition("/")[2])
    made["Stream"] = made["StreamName"]
    watched = {key for rule in alarms(environment, names) for key in (one.key for one in rule.inputs.values())}
    told = 0
    for namespace, name, dimensions in {*shown(body(environment, names)), *watched}:
        for dimension, value in dimensions:
            if dimension in made:
                told += 1
                assert value in made[dimension], (namespace, name)
    assert told > 30


def test_our_own_metrics_are_looked_for_where_they_are_published(assembly: Assembly) -> None:
    namespace = _names(assembly).namespace
    publishing = [
        function.properties["Environment"]["Variables"]
        for function in assembly.resources("AWS::Lambda::Function")
        if "METRIC_NAMESPACE" in function.properties.get("Environment", {}).get("Variables", {})
    ]
    assert len(publishing) == 1 + assembly.environment.search.enabled
    assert {variables["METRIC_NAMESPACE"] for variables in publishing} == {namespace}
    (transformation,) = assembly.one("AWS::Logs::MetricFilter").properties["MetricTransformations"]
    assert (transformation["MetricNamespace"], transformation["MetricName"]) == (namespace, DRIVER_ERRORS.name)


def test_the_categories_on_the_dashboard_are_those_that_the_function_counts(assembly: Assembly) -> None:
    (counted,) = (
        json.loads(function.properties["Environment"]["Variables"]["METRIC_CATEGORIES"])
        for function in assembly.resources("AWS::Lambda::Function")
        if "METRIC_CATEGORIES" in function.properties.get("Environment", {}).get("Variables", {})
    )
    board = body(assembly.environment, _names(assembly))
    drawn = [dict(dimensions)["Category"] for _, name, dimensions in shown(board) if name == "TopCategory"]
    assert drawn == ([*counted, OTHER] if counted else [])
