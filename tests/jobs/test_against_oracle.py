"""Every job on generated streams against the oracle, on the mini cluster: ties, disorder, nulls, duplicates.

Once each: tests/unit/flink_jobs/jobs holds the rules against it in all ways in which they may be run. The query has no
other test of its kind, so it is run with a partition that is behind, too.
"""

from __future__ import annotations

import pytest

from tests import streams
from tests.events import HOUR, MINUTE, SECOND, configured
from tests.jobs.conftest import Flink
from tests.oracle import assert_agrees

#: Further than any window: how far one partition's part of the archive lies behind the other's.
SKEW = 5 * HOUR


@pytest.mark.parametrize(("skew", "parallelism"), [(0, 4), (SKEW, 1)], ids=["even", "skewed"])
def test_aggregation(flink: Flink, skew: int, parallelism: int) -> None:
    window = 5 * MINUTE
    records = streams.merged(streams.generated([MINUTE, window - 1, window, 3 * window]), skew=skew)
    settings = configured("aggregation")
    assert assert_agrees(flink(records, settings, parallelism), records, settings)["aggregation"] > 50


def test_anomaly(flink: Flink) -> None:
    scenarios = streams.generated(
        [10 * SECOND, 10 * SECOND, 10 * SECOND, MINUTE, 20 * MINUTE, HOUR - 1, HOUR],
        event_types=["view", "click"],
    )
    records = streams.merged(scenarios, own_types=True)
    # No score of these values is the threshold to the last bit: whether it is above is not a matter of rounding.
    rules = {"minimum_count": "3", "threshold": "2.345678901", "emit_all": "true"}
    settings = configured("anomaly", anomaly=rules)
    assert assert_agrees(flink(records, settings, 4), records, settings)["anomaly"] > 500


def test_session(flink: Flink) -> None:
    gap = 30 * MINUTE
    scenarios = streams.generated([MINUTE, gap - 1, gap - 1, gap, gap + 1, 29 * MINUTE, 29 * MINUTE])
    records = streams.merged(scenarios, skew=SKEW)
    settings = configured("session")
    assert assert_agrees(flink(records, settings, 1), records, settings)["session"] > 100


def test_behavior(flink: Flink) -> None:
    gap = 30 * MINUTE
    scenarios = streams.generated([MINUTE, gap - 1, gap - 1, gap, gap + 1])
    records = streams.merged(scenarios)
    settings = configured("behavior", behavior={"max_steps": "4"})
    assert assert_agrees(flink(records, settings, 4), records, settings)["behavior"] > 100


def test_recommendation(flink: Flink) -> None:
    scenarios = streams.generated([MINUTE, 5 * MINUTE - 1, 5 * MINUTE, 20 * MINUTE, HOUR - 1, HOUR])
    records = streams.merged(scenarios)
    settings = configured("recommendation", recommendation={"top": "3", "weight_other": "0.5"})
    assert assert_agrees(flink(records, settings, 4), records, settings)["recommendation"] > 500


def test_fraud(flink: Flink) -> None:
    window = 5 * MINUTE
    scenarios = streams.generated(
        [SECOND, MINUTE, window - 1, window, window + 1, 2 * window],
        event_types=["purchase", "purchase", "purchase", "view"],
    )
    records = streams.merged(scenarios, skew=SKEW)
    settings = configured("fraud", fraud={"low": "3", "medium": "5", "high": "8"})
    assert assert_agrees(flink(records, settings, 1), records, settings)["fraud"] > 50
