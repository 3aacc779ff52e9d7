"""A team's entry in the alerts function: what it counts and says follows from the entry alone."""

from __future__ import annotations

import dataclasses
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from contracts.columns import Column, ColumnType
from contracts.entry import Entry
from contracts.metrics import metric_of
from lambdas.alerts import samples
from lambdas.alerts.alert import alert_of
from lambdas.alerts.work import Work, work_of
from lambdas.common.records import Failure
from lambdas.common.result import Result
from tests.unit.contracts.test_entries import GOOD

if TYPE_CHECKING:
    from tests.unit.lambdas.conftest import Kinesis

SETTINGS = {"revenue": {"much": 1000}}


@pytest.fixture(autouse=True)
def entry(monkeypatch: pytest.MonkeyPatch) -> Entry:
    monkeypatch.setattr(samples, "_ENTRIES", {"revenue": GOOD})
    monkeypatch.setattr(samples, "_metrics", lambda job: tuple(metric_of(count) for count in GOOD.counts))
    return GOOD


def result(kinesis: Kinesis, **columns: Any) -> Result:
    document = {
        "result_type": "revenue",
        "result_id": "revenue-1",
        "event_time": kinesis.time(hours=1),
        "run": "live",
        "window_start": kinesis.time(hours=2),
        "window_end": kinesis.time(hours=1),
        "category": "books",
        "country": "de",
        "revenue": 1500.5,
        "comment": None,
        **columns,
    }
    return Result(
        "shard",
        ("1",),
        "revenue",
        "revenue-1",
        json.dumps(document),
        json.loads(json.dumps(document), parse_float=Decimal),
    )


def test_an_event_type_that_is_null_is_left_out(kinesis: Kinesis, monkeypatch: pytest.MonkeyPatch) -> None:
    nullable = dataclasses.replace(
        GOOD, columns=(*GOOD.columns, Column("event_type", ColumnType.STRING, "of the event", nullable=True))
    )
    monkeypatch.setattr(samples, "_ENTRIES", {"revenue": nullable})
    alert = alert_of(result(kinesis, event_type=None), SETTINGS)
    assert alert is not None
    assert "event_type" not in alert.attributes


def test_a_sum_is_claimed_and_stamped_with_the_windows_start(kinesis: Kinesis) -> None:
    row = result(kinesis, revenue=10)
    (sample,) = samples.samples_of(row, settings=SETTINGS)
    assert (sample.series.metric.name, sample.series.dimension_value, sample.value) == ("Revenue", None, 10.0)
    assert sample.time == row.time("window_start")
    assert Work(row, (sample,), None).counted_once


@pytest.mark.parametrize(("revenue", "severity"), [(999, None), (1000.5, "MEDIUM"), (2001, "HIGH")])
def test_the_conditions_decide_whether_and_how_severely_it_alerts(
    kinesis: Kinesis, revenue: float, severity: str | None
) -> None:
    alert = alert_of(result(kinesis, revenue=revenue), SETTINGS)
    assert (None if alert is None else alert.attributes["severity"]) == severity


def test_the_message_has_the_entrys_sentence_columns_and_attributes(kinesis: Kinesis) -> None:
    alert = alert_of(result(kinesis), SETTINGS)
    assert alert is not None
    assert alert.subject == "MEDIUM: books"
    assert alert.attributes == {"alert_type": "REVENUE_HIGH", "severity": "MEDIUM", "job": "revenue"}
    assert json.loads(alert.body) == {
        "timestamp": kinesis.time(hours=1),
        "alert_type": "REVENUE_HIGH",
        "revenue": 1500.5,
        "result_id": "revenue-1",
        "severity": "MEDIUM",
        "message": "books has 1,500.50, more than 1000.",
    }
    assert alert.text.startswith("books has 1,500.50, more than 1000.\n\ntimestamp: ")


def test_a_dimension_with_values_of_its_own_counts_the_others_together(
    kinesis: Kinesis, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = dataclasses.replace(entry.counts[0], dimension="country", values=("de", "fr"), value=None)
    changed = dataclasses.replace(entry, counts=(count,))
    monkeypatch.setattr(samples, "_ENTRIES", {"revenue": changed})
    monkeypatch.setattr(samples, "_metrics", lambda job: (metric_of(count),))
    found = [samples.samples_of(result(kinesis, country=country))[0] for country in ("de", "it")]
    assert [each.series.dimension_value for each in found] == ["de", "other"]
    assert found[0].series.metric.dimension == "Country"
    assert not Work(result(kinesis), (found[0],), None).counted_once


@pytest.mark.parametrize("column", ["revenue", "category", "window_start"])
def test_a_column_of_another_type_is_poison_and_counts_nothing(kinesis: Kinesis, column: str) -> None:
    broken = result(kinesis, **{column: ["x"]})
    poison: list[Failure] = []
    assert work_of([broken], poison, settings=SETTINGS) == []
    assert f"`{column}`" in poison[0].reason
