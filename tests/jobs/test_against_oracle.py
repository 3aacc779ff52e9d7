"""Every job on generated streams against the oracle: ties, disorder, nulls, huge values, Unicode, duplicates."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from tests.jobs import streams
from tests.jobs.conftest import Flink
from tests.jobs.harness import HOUR, MINUTE, SECOND, configured
from tests.jobs.oracle import assert_agrees

#: How far one partition's part of the archive lies behind the other's: none, and further than any window.
SKEWS = pytest.mark.parametrize(("skew", "parallelism"), [(0, 4), (5 * HOUR, 1)], ids=["even", "skewed"])


@SKEWS
def test_aggregation(flink: Flink, skew: int, parallelism: int) -> None:
    window = 5 * MINUTE
    scenario = streams.scenarios([MINUTE, window - 1, window, 3 * window], values=streams.VALUES)
    records = streams.merged(streams.generated(scenario), skew=skew)
    settings = configured("aggregation")
    assert assert_agrees(flink(records, settings, parallelism), records, settings)["aggregation"] > 50


@SKEWS
def test_anomaly(flink: Flink, skew: int, parallelism: int) -> None:
    scenario = streams.scenarios(
        [10 * SECOND, 10 * SECOND, 10 * SECOND, MINUTE, 20 * MINUTE, HOUR - 1, HOUR],
        event_types=st.sampled_from(["view", "click"]),
    )
    records = streams.merged(streams.generated(scenario), skew=skew, own_types=True)
    # No score of these values is the threshold to the last bit: whether it is above is not a matter of rounding.
    rules = {"minimum_count": "3", "threshold": "2.345678901", "emit_all": "true"}
    settings = configured("anomaly", anomaly=rules)
    assert assert_agrees(flink(records, settings, parallelism), records, settings)["anomaly"] > 500


@SKEWS
def test_session(flink: Flink, skew: int, parallelism: int) -> None:
    gap = 30 * MINUTE
    scenario = streams.scenarios([MINUTE, gap - 1, gap - 1, gap, gap + 1, 29 * MINUTE, 29 * MINUTE])
    records = streams.merged(streams.generated(scenario), skew=skew)
    settings = configured("session")
    assert assert_agrees(flink(records, settings, parallelism), records, settings)["session"] > 100


@SKEWS
def test_session_that_is_cut(flink: Flink, skew: int, parallelism: int) -> None:
    gap, span = 10 * MINUTE, 30 * MINUTE
    scenario = streams.scenarios([MINUTE, gap - 1, gap, span - 1, span, 9 * MINUTE, 9 * MINUTE])
    records = streams.merged(streams.generated(scenario), skew=skew)
    settings = configured("session", session={"gap": "10 min", "max_span": "30 min", "max_types": "2"})
    assert assert_agrees(flink(records, settings, parallelism), records, settings)["session"] > 100


@SKEWS
def test_behavior(flink: Flink, skew: int, parallelism: int) -> None:
    gap = 30 * MINUTE
    scenario = streams.scenarios([MINUTE, gap - 1, gap - 1, gap, gap + 1])
    records = streams.merged(streams.generated(scenario), skew=skew)
    settings = configured("behavior", behavior={"max_steps": "4"})
    assert assert_agrees(flink(records, settings, parallelism), records, settings)["behavior"] > 100


@SKEWS
def test_recommendation(flink: Flink, skew: int, parallelism: int) -> None:
    scenario = streams.scenarios([MINUTE, 5 * MINUTE - 1, 5 * MINUTE, 20 * MINUTE, HOUR - 1, HOUR])
    records = streams.merged(streams.generated(scenario), skew=skew)
    settings = configured("recommendation", recommendation={"top": "3", "weight_other": "0.5"})
    assert assert_agrees(flink(records, settings, parallelism), records, settings)["recommendation"] > 500


@SKEWS
def test_fraud(flink: Flink, skew: int, parallelism: int) -> None:
    window = 5 * MINUTE
    scenario = streams.scenarios(
        [SECOND, MINUTE, window - 1, window, window + 1, 2 * window],
        event_types=st.sampled_from(["purchase", "purchase", "purchase", "view"]),
    )
    records = streams.merged(streams.generated(scenario), skew=skew)
    settings = configured("fraud", fraud={"low": "3", "medium": "5", "high": "8"})
    assert assert_agrees(flink(records, settings, parallelism), records, settings)["fraud"] > 50
