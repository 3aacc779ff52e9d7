"""Every deployed alarm, in the local CloudWatch: it is raised by what it watches for, and fine again without it.

What is watched for is published under the metric's own name. Alarms that a real fault provokes on a laptop are raised
by that fault in test_page.py.
"""

from __future__ import annotations

import itertools
import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from config.load import parse
from contracts.names import alarm_name
from local.cloudwatch.alarms import PAGES, Alarms, Change
from local.cloudwatch.clocks import alarm_period
from local.cloudwatch.missing import State
from local.demo import application, monitored
from local.processes import Supervisor
from local.standins.moto import Moto
from monitoring.alarms import alarms
from monitoring.names import deployed
from monitoring.rules import Comparison, Missing, Rule
from monitoring.source_alarms import FILES_GONE, source_alarms
from tests.unit.config.sources import settings

ENVIRONMENT = monitored.environment(application.checked(application.property_groups({})))
RULES = {rule.name: rule for rule in alarms(ENVIRONMENT, monitored.names())}
#: Those of a topic of MSK, which say of it what Kinesis says of a stream.
_OF_TOPIC = parse(settings("msk"), "test.toml")
TOPIC_RULES = {
    f"msk-{rule.name}": rule for rule in source_alarms(_OF_TOPIC, deployed(_OF_TOPIC, "123456789012", _OF_TOPIC.region))
}
_OF_FILES = parse(settings("s3"), "test.toml")
FILE_RULES = {
    rule.name: rule
    for rule in source_alarms(_OF_FILES, deployed(_OF_FILES, "123456789012", _OF_FILES.region))
    if rule.name == FILES_GONE
}
EVERY = {**RULES, **TOPIC_RULES, **FILE_RULES}
#: Inputs that raise an alarm of several inputs, or of a rate: values of its periods, oldest first.
SHAPES: dict[str, dict[str, list[float]]] = {
    "flink-checkpoint-failures": {"m": [3.0, 4.0]},
    "flink-restarts": {"m": [1.0, 9.0]},
    FILES_GONE: {"m": [1.0, 2.0]},
    # What comes in is of the year 2001.
    "flink-event-time-behind": {"w": [1e12] * 3, "n": [100.0] * 3},
    "rejected-rate": {"r": [50.0] * 3, "e": [100.0] * 3},
}


@pytest.fixture(scope="module")
def cloudwatch() -> Iterator[Any]:
    run_dir = application.ROOT / ".run" / f"alarms-{os.getpid()}"
    with Supervisor(run_dir) as supervisor:
        yield Moto.start(supervisor).client("cloudwatch")
    shutil.rmtree(Path(run_dir), ignore_errors=True)


def breaking(rule: Rule) -> dict[str, list[float]]:
    """Values that break the rule's threshold in all its periods."""
    if rule in TOPIC_RULES.values() and rule.expression is not None:
        return {"n": [0.0] * rule.of}
    if rule.name in SHAPES:
        return SHAPES[rule.name]
    assert list(rule.inputs) == ["m"], f"{rule.name}: tell in SHAPES how its inputs raise it"
    away = max(1.0, abs(rule.threshold) * 0.1)
    value = rule.threshold + away if rule.comparison is Comparison.ABOVE else rule.threshold - away
    return {"m": [max(0.0, value)] * rule.of}


def fine(rule: Rule, end: int) -> dict[str, list[float]]:
    """Values that are as they should be, over more periods than are looked at, the last of which ends at ``end``."""
    if rule in TOPIC_RULES.values() and rule.expression is not None:
        return {key: [100.0] * (rule.of + 5) for key in rule.inputs}
    if rule.name == "rejected-rate":
        return {"r": [0.0] * 8, "e": [100.0] * 8}
    if rule.name == "flink-event-time-behind":
        count, period = rule.of + 5, alarm_period(rule.period)
        fresh = [(end - period * (count - place)) * 1000.0 - 5_000 for place in range(count)]
        return {"w": fresh, "n": [100.0] * count}
    value = rule.threshold + 1 if rule.comparison is Comparison.BELOW else 0.0
    return {"m": [value] * (rule.of + 5)}


def publish(cloudwatch: Any, rule: Rule, values: dict[str, list[float]], end: int) -> None:
    """One value a local period, the last in the one that ends at ``end``."""
    period = alarm_period(rule.period)
    for identity, each in values.items():
        series = rule.inputs[identity]
        cloudwatch.put_metric_data(
            Namespace=series.namespace,
            MetricData=[
                {
                    "MetricName": series.name,
                    "Dimensions": [{"Name": name, "Value": value} for name, value in series.dimensions.items()],
                    "Timestamp": datetime.fromtimestamp(end - period * (len(each) - place), UTC),
                    "Value": value,
                }
                for place, value in enumerate(each)
            ],
        )


def state_of(cloudwatch: Any, rule: str, kind: str = "MetricAlarms") -> str:
    """The state that CloudWatch's own API tells."""
    name = alarm_name(monitored.PREFIX, rule)
    answer = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    (alarm,) = answer[kind]
    return str(alarm["StateValue"])


_times = itertools.count(1)


@pytest.fixture
def began() -> int:
    """A time of each test's own, so that none sees another's samples."""
    return int(time.time()) // 300 * 300 - 8_000 * next(_times)


@pytest.mark.parametrize("rule", EVERY.values(), ids=EVERY)
def test_each_alarm_is_raised_by_what_it_watches_for_and_fine_without_it(
    cloudwatch: Any, began: int, rule: Rule
) -> None:
    watch = Alarms(cloudwatch, [rule], monitored.PREFIX, began - 8_000)
    watch.put()
    assert state_of(cloudwatch, rule.name) == State.INSUFFICIENT
    period = alarm_period(rule.period)
    end = began - began % period
    # When it is as it should be, then the alarm is fine
    publish(cloudwatch, rule, fine(rule, end), end)
    watch.evaluate(end)
    assert state_of(cloudwatch, rule.name) == State.OK
    # When what it watches for goes on for as many periods as the rule says, then it is raised, and not before
    values = breaking(rule)
    longest = max(len(each) for each in values.values())
    end += period * longest
    publish(cloudwatch, rule, values, end)
    changes: list[Change] = []
    for step in range(longest):
        changes += watch.evaluate(end - period * (longest - 1 - step))
    assert [change.state for change in changes] == [State.ALARM]
    assert state_of(cloudwatch, rule.name) == State.ALARM
    if rule.pages:
        assert state_of(cloudwatch, PAGES, "CompositeAlarms") == State.ALARM
    if rule.periods == rule.of > 1 and (rule.name not in SHAPES or rule in TOPIC_RULES.values()):
        assert changes[0].at == end  # the last of its periods, none before
    # When it is as it should be again, then so is the alarm
    end += period * max(len(each) for each in fine(rule, end).values())
    publish(cloudwatch, rule, fine(rule, end), end)
    watch.evaluate(end)
    assert state_of(cloudwatch, rule.name) == State.OK
    if rule.pages:
        assert state_of(cloudwatch, PAGES, "CompositeAlarms") == State.OK


@pytest.mark.parametrize("rule", EVERY.values(), ids=EVERY)
def test_without_any_data_each_alarm_is_what_its_rule_says(cloudwatch: Any, began: int, rule: Rule) -> None:
    watch = Alarms(cloudwatch, [rule], monitored.PREFIX, began)
    watch.put()
    period = alarm_period(rule.period)
    watch.evaluate(began + period * rule.of - 1)
    assert state_of(cloudwatch, rule.name) == State.INSUFFICIENT  # too early to say that anything is missing
    watch.evaluate(began + period * (rule.of + 1))
    expected = State.ALARM if rule.missing is Missing.BREACHING else State.OK
    assert state_of(cloudwatch, rule.name) == expected


def test_each_alarm_says_how_it_is_provoked_here_or_why_it_cannot_be() -> None:
    assert len(RULES) > 20
    for rule in RULES.values():
        assert bool(rule.here) != bool(rule.not_here), rule.name
        missing = {series.name for series in rule.inputs.values()} & monitored.NOT_ON_A_LAPTOP.keys()
        assert not (missing and rule.here), f"{rule.name}: nothing here publishes {missing}"
