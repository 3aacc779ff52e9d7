"""What the laptop's dashboard is the dashboard of, and what of it a laptop cannot have."""

from __future__ import annotations

from config.load import load
from local.cloudwatch.body import parse
from local.cloudwatch.drawing import metric_keys
from local.demo import monitored
from local.demo.application import checked, property_groups
from local.page.dashboard import absent
from monitoring.alarms import alarms
from monitoring.catalogue import CATALOGUE
from monitoring.dashboard import body
from monitoring.names import deployed

SETTINGS = checked(property_groups({}))
ENVIRONMENT, NAMES = monitored.environment(SETTINGS), monitored.names()


def test_the_laptops_dashboard_has_the_widgets_of_prods_and_names_of_its_own() -> None:
    prod = load("prod")
    theirs = parse(body(prod, deployed(prod, NAMES.account, NAMES.region)))
    ours = parse(body(ENVIRONMENT, NAMES))
    assert [(each.view, each.title) for each in ours] == [(each.view, each.title) for each in theirs]
    assert {key.name for key in metric_keys(ours)} == {key.name for key in metric_keys(theirs)}


def test_what_is_not_on_a_laptop_is_published_by_some_service_and_has_a_reason() -> None:
    known = {metric.name for metric in CATALOGUE}
    for name, reason in monitored.NOT_ON_A_LAPTOP.items():
        assert name in known, name
        assert len(reason) > 20, name


def test_a_widget_is_absent_only_where_all_of_its_metrics_are() -> None:
    widgets = parse(body(ENVIRONMENT, NAMES))
    missing = [widget.title for widget in widgets if absent(widget)]
    assert 1 <= len(missing) <= 6, missing
    for widget in widgets:
        names = {key.name for key in metric_keys([widget])}
        assert (absent(widget) is not None) == bool(names and names <= monitored.NOT_ON_A_LAPTOP.keys()), widget.title


def test_an_alarm_that_can_be_provoked_here_has_all_its_metrics_here() -> None:
    for rule in alarms(ENVIRONMENT, NAMES):
        if rule.here:
            assert not {series.name for series in rule.inputs.values()} & monitored.NOT_ON_A_LAPTOP.keys(), rule.name


def test_thresholds_that_follow_from_the_checkpoint_interval_are_this_runs() -> None:
    (rule,) = (each for each in alarms(ENVIRONMENT, NAMES) if each.name == "flink-checkpoint-duration")
    assert SETTINGS.local is not None
    assert rule.threshold == SETTINGS.local.checkpoint_interval / 2
