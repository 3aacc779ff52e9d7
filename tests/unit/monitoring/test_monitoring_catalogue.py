"""The catalogue: complete, without doubles, and nothing in it that nobody looks at."""

from __future__ import annotations

from collections import Counter

import pytest

from config.load import load, parse
from config.runtimes import RUNTIMES
from contracts.metrics import FUNCTION_METRICS, METRICS
from monitoring.alarms import alarms
from monitoring.catalogue import CATALOGUE, DRIVER_ERRORS
from monitoring.dashboard import body
from monitoring.flink_metrics import FLINK_METRICS, flink_metric, published
from monitoring.series import Metric, series
from monitoring.validate import searches, shown
from tests.unit.config.sources import settings
from tests.unit.monitoring.environments import changed, names_of, on_second_runtime


def test_each_metric_stands_once() -> None:
    doubled = Counter((metric.namespace, metric.name, metric.dimensions) for metric in CATALOGUE)
    assert [key for key, count in doubled.items() if count > 1] == []


def test_every_metric_says_what_it_means_and_who_publishes_it() -> None:
    for metric in CATALOGUE:
        assert metric.meaning, metric.name
        assert metric.publisher.source.startswith("https://docs.aws.amazon.com/") == bool(metric.namespace), metric.name
        assert metric.statistic in {"Sum", "Average", "Minimum", "Maximum"}
        assert metric.period % 60 == 0


def test_what_the_functions_publish_is_in_it_and_nothing_else_of_ours() -> None:
    own = {metric.name for metric in CATALOGUE if not metric.namespace}
    assert own == {metric.name for metric in (*METRICS, *FUNCTION_METRICS)} | {DRIVER_ERRORS.name}


def test_every_metric_is_looked_at_by_a_dashboard_or_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    used: set[str] = set()
    categories = changed(load("dev"), "alerts", categories=("books",))
    warehouse = changed(load("prod"), "warehouse", enabled=True)
    files = parse(settings("s3"), "test.toml")
    for environment in (categories, load("prod"), warehouse, files, on_second_runtime(monkeypatch)):
        names = names_of(environment)
        board = body(environment, names)
        used |= {name for _, name, _ in shown(board)} | {search.metric for search in searches(board)}
        used |= {one.name for rule in alarms(environment, names) for one in rule.inputs.values()}
    assert {metric.name for metric in CATALOGUE} == used


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_runtimes_own_names_are_published_by_it(runtime: str) -> None:
    roles = RUNTIMES[runtime]
    for name in (roles.up_metric, *roles.down_metrics, roles.restarts_metric):
        assert flink_metric(name, runtime).name == name


def test_a_name_of_the_other_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    on_second_runtime(monkeypatch)
    with pytest.raises(ValueError, match="FLINK-1_20 publishes no metric numRestarts"):
        flink_metric("numRestarts", "FLINK-1_20")
    with pytest.raises(ValueError, match="FLINK-2_2 publishes no metric fullRestarts"):
        flink_metric("fullRestarts", "FLINK-2_2")
    versions = {metric.name: published(metric, "FLINK-2_2") for metric in FLINK_METRICS}
    assert {name for name, there in versions.items() if not there} == {"uptime", "downtime", "fullRestarts"}


def test_a_series_has_just_the_dimensions_of_its_metric() -> None:
    metric: Metric = flink_metric("downtime", "FLINK-1_20")
    one = series(metric, "app", period=300)
    assert (one.namespace, one.dimensions, one.period) == ("AWS/KinesisAnalytics", {"Application": "app"}, 300)
    with pytest.raises(ValueError, match="downtime has the dimensions"):
        series(metric)
    with pytest.raises(ValueError, match="one namespace"):
        series(metric, "app", namespace="Ours")
    with pytest.raises(ValueError, match="one namespace"):
        series(DRIVER_ERRORS)


def test_parts_that_are_switched_off_are_on_no_dashboard() -> None:
    without = changed(changed(load("dev"), "lake", enabled=False), "search", enabled=False)
    namespaces = {namespace for namespace, _, _ in shown(body(without, names_of(without)))}
    assert not namespaces & {"AWS/ES", "AWS/Firehose"}
    everything = load("prod")
    assert {"AWS/ES", "AWS/Firehose"} <= {
        namespace for namespace, _, _ in shown(body(everything, names_of(everything)))
    }
