"""Rules: complete, possible in CloudWatch, and with numbers that come from the settings."""

from __future__ import annotations

import math

import pytest

from config.load import environments, load
from config.model import Environment
from monitoring.alarms import alarms
from monitoring.expressions import Search, parse, references
from monitoring.flink_metrics import DOWNTIME, published
from monitoring.rules import Comparison, Missing, Rule, Severity
from monitoring.series import series
from tests.unit.monitoring.environments import changed, names_of, on_second_runtime

#: What evaluates together (CloudWatch quotas): a day for periods below an hour, a week from an hour on.
_DAY, _HOUR = 86_400, 3600


def rules_of(environment: Environment) -> dict[str, Rule]:
    found = list(alarms(environment, names_of(environment)))
    by_name = {rule.name: rule for rule in found}
    assert len(by_name) == len(found)
    return by_name


@pytest.mark.parametrize("name", environments())
def test_every_rule_is_one_that_cloudwatch_takes(name: str) -> None:
    for rule in rules_of(load(name)).values():
        assert 1 <= rule.periods <= rule.of
        assert rule.of * rule.period <= (_DAY if rule.period < _HOUR else 7 * _DAY), rule.name
        assert rule.missing_why, rule.name
        assert rule.meaning, rule.name
        assert len(rule.inputs) <= 10
        if rule.expression is not None:
            tree = parse(rule.expression)
            assert not isinstance(tree, Search), "an alarm cannot search"
            assert set(references(tree)) == set(rule.inputs), rule.name


def test_what_aws_recommends_for_flink_is_there_with_its_statistics() -> None:
    rules = rules_of(load("prod"))
    for name, most in (
        ("flink-cpu-utilization", 80),
        ("flink-heap-memory-utilization", 90),
        ("flink-container-memory-utilization", 85),
        ("flink-back-pressured-time-ms-per-second", 500),
        ("flink-checkpoint-duration", 30_000),
    ):
        rule = rules[name]
        assert (rule.threshold, rule.periods, rule.of) == (most, 3, 3), name
        assert rule.inputs["m"].statistic == "Maximum"
    assert (rules["flink-downtime"].periods, rules["flink-downtime"].of) == (1, 1)
    assert rules["flink-checkpoint-failures"].expression == "RATE(m)"


def test_a_second_runtime_is_watched_by_its_own_names(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = on_second_runtime(monkeypatch)
    rules = rules_of(environment)
    assert {"flink-restarting-time", "flink-failing-time", "flink-cancelling-time"} <= rules.keys()
    assert "flink-downtime" not in rules
    assert rules["flink-restarts"].inputs["m"].name == "numRestarts"
    for rule in rules.values():
        assert all(published(one.metric, environment.application.runtime) for one in rule.inputs.values()), rule.name


def test_silence_of_a_running_application_is_an_alarm_and_of_a_stopped_one_is_not() -> None:
    dev = load("dev")
    assert rules_of(dev)["flink-downtime"].missing is Missing.BREACHING
    assert rules_of(changed(dev, "application", state="stopped"))["flink-downtime"].missing is Missing.FINE


def test_no_events_is_as_long_as_the_settings_say_or_switched_off() -> None:
    rule = rules_of(changed(load("dev"), "alerts", no_events_minutes=45))["no-events"]
    assert (rule.periods, rule.of, rule.period) == (45, 45, 60)
    assert (rule.comparison, rule.threshold, rule.missing) == (Comparison.BELOW, 1, Missing.BREACHING)
    assert "no-events" not in rules_of(changed(load("dev"), "alerts", no_events_minutes=0))


def test_the_rate_of_rejections_is_the_settings() -> None:
    assert rules_of(changed(load("dev"), "alerts", rejected_percent=0.5))["rejected-rate"].threshold == 0.5


@pytest.mark.parametrize(("idle", "grace"), [("5 min", "60 s"), ("30 min", "60 s"), ("1 d", "1 h"), ("10 s", "0 s")])
def test_event_time_is_behind_when_it_is_further_than_a_silent_shard_may_hold_it(idle: str, grace: str) -> None:
    properties = {"time": {"idle_timeout": idle, "start_grace": grace}}
    rule = rules_of(changed(load("dev"), "application", properties=properties))["flink-event-time-behind"]
    units = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
    held = sum(int(text.split()[0]) * units[text.split()[1]] for text in (idle, grace))
    assert rule.threshold == (held + 10 * 60) * 1_000
    assert rule.severity is Severity.PAGE


def test_event_time_that_creeps_far_behind_the_clock_is_behind() -> None:
    rule = rules_of(load("dev"))["flink-event-time-behind"]
    assert rule.expression == "IF(n * w > 0, EPOCH(w) * 1000 - w, 0)"
    assert rule.inputs["w"].name == "currentOutputWatermark"


def test_records_that_come_again_are_told_of_for_each_function() -> None:
    rules = rules_of(load("prod"))
    for package in ("alerts", "search_indexer"):
        rule = rules[f"retries-{package.replace('_', '-')}"]
        assert rule.inputs["m"].dimensions == {"Function": package}
        assert (rule.inputs["m"].name, rule.period, rule.periods, rule.of) == ("RecordsRetried", 300, 3, 3)


def test_event_types_that_have_no_name_are_told_of() -> None:
    rule = rules_of(load("dev"))["event-types-other"]
    assert rule.inputs["m"].dimensions == {"EventType": "other"}
    assert (rule.inputs["m"].name, rule.threshold, rule.periods) == ("EventCount", 0, 1)


def test_storage_is_told_of_before_writes_are_blocked() -> None:
    prod = load("prod")
    rule = rules_of(prod)["search-storage"]
    blocked_at = min(0.2 * prod.search.volume_gb, 20) * 1024
    assert rule.threshold > blocked_at
    assert rule.comparison is Comparison.BELOW


def test_a_registered_consumer_is_watched_where_its_age_is_told() -> None:
    prod = load("prod")
    assert not [name for name in rules_of(prod) if name.startswith("lag-of")]
    fanned = prod.streams.rejected.model_copy(update={"enhanced_fan_out": True})
    assert [name for name in rules_of(changed(prod, "streams", rejected=fanned)) if name.startswith("lag-of")] == [
        "lag-of-alerts"
    ]


def test_a_lost_replica_is_no_alarm_where_there_is_none() -> None:
    assert "search-yellow" in rules_of(load("prod"))
    assert "search-yellow" not in rules_of(changed(load("prod"), "search", instances=1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"here": "", "not_here": ""}, "either how"),
        ({"here": "so", "not_here": "and not"}, "either how"),
        ({"inputs": {"x": series(DOWNTIME, "app")}}, "one input, m"),
        (
            {"inputs": {"m": series(DOWNTIME, "app"), "n": series(DOWNTIME, "app", period=300)}, "expression": "m + n"},
            "one period",
        ),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(change: dict[str, object], message: str) -> None:
    good: dict[str, object] = {
        "name": "r",
        "inputs": {"m": series(DOWNTIME, "app")},
        "threshold": math.pi,
        "meaning": "m",
        "missing": Missing.FINE,
        "missing_why": "w",
        "here": "so",
    }
    Rule(**good)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=message):
        Rule(**{**good, **change})  # type: ignore[arg-type]
