"""From runs to costs, ratios and verdicts."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.matrix import DEFAULT, SCENARIOS
from benchmarks.measure import Run


def run(cpu: float, events: int = 1_000_000, *, before: float = 0.0, stopped: bool = False) -> Run:
    return Run(
        cpu, 10.0, events, before, memory=1_000_000, checkpoint=2_000_000, counts={"results": 1}, stopped=stopped
    )


def test_a_cost_is_the_median_per_million_events() -> None:
    cost = report.cost("small", "decode", [run(1, 200_000), run(5, 200_000), run(2, 200_000)])
    assert cost.cpu == pytest.approx(10)
    assert cost.spread == pytest.approx(20)
    assert cost.rate == pytest.approx(20_000)
    assert cost.rounds == 3


def test_once_is_what_came_before_less_the_events_in_it() -> None:
    warm_up = SCENARIOS["base"].shape.warm_up
    assert report.cost("base", "decode", [run(4, before=30)]).once == pytest.approx(30 - 4 * warm_up / 1_000_000)
    assert report.cost("base", "polars", [run(4, before=0)]).once == 0


def test_ratios_are_to_plain_python_of_the_same_scenario() -> None:
    costs = report.with_ratios(
        [
            report.cost("base", "plain_python", [run(10)]),
            report.cost("base", "all_jobs", [run(40)]),
            report.cost("heap", "all_jobs", [run(40)]),
        ]
    )
    assert [cost.ratio for cost in costs] == [1.0, 4.0, None]


def test_targets_are_met_or_not() -> None:
    costs = report.with_ratios(
        [
            report.cost("base", "plain_python", [run(10)]),
            report.cost("base", "decode", [run(10.1)]),
            report.cost("base", "all_jobs", [run(40)]),
            report.cost("skewed", "all_jobs", [run(50)]),
            report.cost("base", "all_jobs@1234567", [run(79)]),
            report.cost("sparse", "all_jobs", [run(50)]),
            report.cost("sparse", "all_jobs@1234567", [run(50)]),
        ]
    )
    assert report.verdicts(costs) == [
        "met: all_jobs beside plain Python (base): 4.00 times, target 4 times",
        "NOT MET: decode beside plain Python (base): 1.01 times, target 1 times",
        "NOT MET: all_jobs per event, skewed beside base: 1.25 times, target 1.15 times",
        "NOT MET: all_jobs (base) beside that of 1234567: 0.51 times, target 0.5 times",
        "met: all_jobs (sparse) beside that of 1234567: 1.00 times, target 1 times",
    ]


def test_the_table_says_what_was_stopped() -> None:
    text = report.table([report.cost("seed", "seed_anomaly", [run(300, stopped=True)])])
    assert "| seed | seed_anomaly | over 300.0 | 0.0 |  | 0.0 | stopped | 1 | 2.0 | 1 |" in text


def test_plots_are_the_same_for_the_same_numbers(tmp_path: Path) -> None:
    costs = [report.cost("base", "decode", [run(20)]), report.cost("base", "fraud", [run(30)])]
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    (one,), (other,) = report.plot(costs, tmp_path / "a"), report.plot(costs, tmp_path / "b")
    assert one.read_bytes() == other.read_bytes()
    assert b"</svg>" in one.read_bytes()


def test_scenarios_change_one_thing_each() -> None:
    base = SCENARIOS["base"]
    for name in ("heap", "skewed", "large", "small"):
        other = SCENARIOS[name]
        changed = [
            base.shape.events != other.shape.events,
            base.shape.skewed != other.shape.skewed,
            base.backend != other.backend,
        ]
        assert sum(changed) == 1
    assert set(DEFAULT) == SCENARIOS.keys() - {"quick"}
