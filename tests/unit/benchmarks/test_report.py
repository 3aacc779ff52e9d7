"""From runs to costs, ratios and verdicts."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.matrix import DEFAULT, SCENARIOS
from benchmarks.measure import Run


def run(cpu: float, seconds: float = 10.0, *, stopped: bool = False) -> Run:
    return Run(cpu, seconds, memory=1_000_000, checkpoint=2_000_000, counts={"results": 1}, stopped=stopped)


def test_a_cost_is_the_median_per_million_events_without_the_start_up() -> None:
    cost = report.cost("small", "decode", [run(5), run(9), run(6)], run(4, 2))
    assert cost.cpu == pytest.approx(10)  # 6 - 4 for 200,000 events
    assert cost.spread == pytest.approx(20)
    assert cost.rate == pytest.approx(200_000 / 8)
    assert cost.rounds == 3


def test_ratios_are_to_plain_python_of_the_same_scenario() -> None:
    costs = report.with_ratios(
        [
            report.cost("base", "plain_python", [run(10)], None),
            report.cost("base", "five_jobs", [run(50)], run(10)),
            report.cost("heap", "five_jobs", [run(50)], run(10)),
        ]
    )
    assert [cost.ratio for cost in costs] == [1.0, 4.0, None]


def test_targets_are_met_or_not() -> None:
    costs = report.with_ratios(
        [
            report.cost("base", "plain_python", [run(10)], None),
            report.cost("base", "decode", [run(20)], run(9.9)),
            report.cost("base", "five_jobs", [run(50)], run(10)),
            report.cost("skewed", "five_jobs", [run(60)], run(10)),
            report.cost("small", "session", [run(30)], run(10)),
        ]
    )
    assert report.verdicts(costs) == [
        "met: five_jobs beside plain Python (base): 4.00 times, target 4 times",
        "NOT MET: decode beside plain Python (base): 1.01 times, target 1 times",
        "NOT MET: five_jobs per event, skewed beside base: 1.25 times, target 1.15 times",
        "met: session: 10,000 events a second and core, goal 10,000",
    ]


def test_the_table_says_what_was_stopped() -> None:
    text = report.table([report.cost("base", "seed_anomaly", [run(300, 300, stopped=True)], run(10))])
    assert "| base | seed_anomaly | over 290.0 | 0.0 | stopped |  | 1 | 2.0 |" in text


def test_plots_are_the_same_for_the_same_numbers(tmp_path: Path) -> None:
    costs = [report.cost("base", "decode", [run(20)], None), report.cost("base", "fraud", [run(30)], None)]
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    (one,), (other,) = report.plot(costs, tmp_path / "a"), report.plot(costs, tmp_path / "b")
    assert one.read_bytes() == other.read_bytes()
    assert b"</svg>" in one.read_bytes()


def test_scenarios_change_one_thing_each() -> None:
    base = SCENARIOS["base"]
    for name in ("heap", "skewed", "large"):
        other = SCENARIOS[name]
        changed = [
            base.shape.events != other.shape.events,
            base.shape.skewed != other.shape.skewed,
            base.backend != other.backend,
        ]
        assert sum(changed) == 1
    assert set(DEFAULT) == SCENARIOS.keys() - {"quick"}
