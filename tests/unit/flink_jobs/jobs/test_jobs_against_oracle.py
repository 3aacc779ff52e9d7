"""Every rule on random streams against the oracle, which shares no code with it, however the engine may run it.

In any order of events, with restarts, in short slots, with states on disk: the same results to the digit.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from flink_jobs.settings import Settings
from flink_jobs.testing import outcomes
from local.oracle import results
from tests import streams
from tests.events import HOUR, MINUTE, SECOND, configured
from tests.oracle import assert_results, judge
from tests.streams import Scenario
from tests.unit.flink_jobs.jobs.rules import documents, events_of, rules_of

#: `make unit`: the same streams at each run. HYPOTHESIS_PROFILE=kit: other ones at each run.
SAME = "HYPOTHESIS_PROFILE" not in os.environ
#: How far one partition's part of the log lies behind the other's: none, and further than any window.
SKEWS = st.sampled_from([0, 5 * HOUR])
#: A gap of 30 minutes, and what lies just at it.
GAPS = [MINUTE, 30 * MINUTE - 1, 30 * MINUTE - 1, 30 * MINUTE, 30 * MINUTE + 1, 29 * MINUTE, 29 * MINUTE]
STEPS = [MINUTE, 5 * MINUTE - 1, 5 * MINUTE, 20 * MINUTE, HOUR - 1, HOUR]

JOBS: dict[str, tuple[Settings, SearchStrategy[Scenario]]] = {
    "anomaly": (
        # No score of these values is the threshold to the last bit: whether it is above is not a matter of rounding.
        configured("anomaly", anomaly={"minimum_count": "3", "threshold": "2.345678901", "emit_all": "true"}),
        streams.scenarios(
            [10 * SECOND, 10 * SECOND, 10 * SECOND, MINUTE, 20 * MINUTE, HOUR - 1, HOUR],
            event_types=["view", "click"],
        ),
    ),
    "session": (configured("session"), streams.scenarios(GAPS)),
    "session that is cut": (
        configured("session", session={"gap": "10 min", "max_span": "30 min", "max_types": "2"}),
        streams.scenarios([MINUTE, 10 * MINUTE - 1, 10 * MINUTE, 30 * MINUTE - 1, 30 * MINUTE, 9 * MINUTE, 9 * MINUTE]),
    ),
    "behavior": (configured("behavior", behavior={"max_steps": "4"}), streams.scenarios(GAPS[:5])),
    "recommendation": (
        configured("recommendation", recommendation={"top": "3", "weight_other": "0.5"}),
        streams.scenarios(STEPS),
    ),
    "fraud": (
        configured("fraud", fraud={"low": "3", "medium": "5", "high": "8"}),
        streams.scenarios(
            [SECOND, MINUTE, 5 * MINUTE - 1, 5 * MINUTE, 5 * MINUTE + 1, 10 * MINUTE],
            event_types=["purchase", "purchase", "purchase", "view"],
        ),
    ),
    "all at once": (
        configured(
            *("session", "behavior", "recommendation", "fraud", "anomaly"),
            anomaly={"minimum_count": "3", "threshold": "2.345678901"},
            fraud={"low": "3", "medium": "5", "high": "8"},
        ),
        streams.scenarios([SECOND, 10 * SECOND, *GAPS[:5], HOUR], most=30),
    ),
}


@pytest.mark.parametrize("name", JOBS)
def test_the_oracle_says_the_same(name: str) -> None:
    settings, scenario = JOBS[name]
    found = 0

    @hypothesis_settings(max_examples=12, derandomize=SAME, suppress_health_check=list(HealthCheck))
    @given(scenarios=st.lists(scenario, min_size=1, max_size=3), skew=SKEWS, seed=st.integers(0, 2**32))
    def agree(scenarios: list[Scenario], skew: int, seed: int) -> None:
        nonlocal found
        judged = judge(streams.merged(scenarios, skew=skew, own_types=name == "anomaly"), settings)
        wanted = results.expected(judged.events, settings)
        (_, first), *others = outcomes(*rules_of(settings), events=events_of(judged.events), seed=seed)
        assert_results(documents(first), wanted)
        for how, rows in others:
            assert rows == first, how
        found += len(wanted)

    agree()
    assert found > 20, f"{found} results: streams that give nothing say nothing"
