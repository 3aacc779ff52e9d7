"""The deployed dashboard and alarms are what monitoring/ says, to the letter."""

from __future__ import annotations

import json
from typing import Any

from monitoring.alarms import alarms
from monitoring.dashboard import body
from monitoring.names import Names, deployed
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
