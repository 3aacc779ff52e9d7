"""Which records wake the functions, by the patterns that are deployed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.event_sources import (
    ALERTS_OF_REJECTIONS,
    ALERTS_OF_RESULTS,
    BY_CATEGORY,
    INDEXER_OF_RESULTS,
    record_age_hours,
)
from contracts.results import SCHEMAS, ResultType
from lambdas.alerts.alert import alert_of
from lambdas.alerts.samples import samples_of
from lambdas.common.result import Result
from local.batch_policy import StreamRecord
from local.event_filter import EventFilter


def record(data: object) -> StreamRecord:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return StreamRecord("1", "key", raw, 0.0)


ALERTS = EventFilter(ALERTS_OF_RESULTS.filters)


@pytest.mark.parametrize("result_type", list(ResultType))
def test_a_live_result_wakes_alerts_unless_it_is_for_the_index_alone(result_type: ResultType) -> None:
    woken = ALERTS.wakes(record({"result_type": result_type.value, "run": "live"}))
    entry = SCHEMAS[result_type]
    by_category = all(count.dimension == "category" and not count.values for count in entry.counts)
    assert woken == (bool(entry.alerts) or not by_category)


def test_what_does_not_wake_alerts_would_give_it_nothing_to_do() -> None:
    result = Result("s", ("1",), "recommendation", "recommendation-1", "{}", {})
    assert (samples_of(result), alert_of(result)) == ((), None)


def test_a_backfill_wakes_nobody_of_alerts() -> None:
    assert not ALERTS.wakes(record({"result_type": "fraud", "run": "backfill"}))


@pytest.mark.parametrize(
    "poison", [{}, {"result_type": "unheard of", "run": "live"}, {"result_type": "fraud"}, {"run": "live"}]
)
def test_poison_wakes_alerts_and_is_buried_by_it(poison: dict[str, Any]) -> None:
    assert ALERTS.wakes(record(poison))


@pytest.mark.parametrize(("rank", "run", "wakes"), [(1, "live", True), (2, "live", False), (1, "backfill", False)])
def test_a_best_category_wakes_alerts_where_categories_are_counted(rank: int, run: str, wakes: bool) -> None:
    counting = EventFilter((*ALERTS_OF_RESULTS.filters, *BY_CATEGORY))
    document = {"result_type": "recommendation", "run": run, "rank": rank}
    assert counting.wakes(record(json.dumps(document).encode())) == wakes
    assert not ALERTS.wakes(record(json.dumps(document).encode()))


@given(st.binary())
def test_any_bytes_wake_the_indexer_and_the_reader_of_rejections(data: bytes) -> None:
    for source in (INDEXER_OF_RESULTS, ALERTS_OF_REJECTIONS):
        assert EventFilter(source.filters).wakes(record(data))


@given(
    st.binary() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_what_is_no_object_is_passed_over_where_there_are_patterns(data: bytes) -> None:
    assert not ALERTS.wakes(record(data))


def test_a_pattern_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match=r"of `data` alone is understood here, not of \['partitionKey'\]"):
        EventFilter([{"partitionKey": ["a"]}])


@pytest.mark.parametrize(("retention", "age"), [(24, 12), (168, 84), (8760, 168)])
def test_what_is_given_up_can_be_replayed_for_as_long_as_it_was_tried(retention: int, age: int) -> None:
    assert record_age_hours(retention) == age
