"""From measurements to cost per million events, ratios, verdicts, a table and plots."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.matrix import MILLION, SCENARIOS
from benchmarks.measure import Run

PLAIN = "plain_python"


@dataclass(frozen=True)
class Cost:
    """A contender in a scenario: medians over the rounds, when it was warm.

    ``cpu`` and ``spread`` (largest less smallest) are CPU seconds per million events, ``rate`` is events a second,
    ``once`` the CPU seconds that starting and warming up cost beyond the events in it, ``ratio`` the CPU beside plain
    Python's on the same file in the same run; sizes are bytes. ``stopped``: it did not end within the limit, so ``cpu``
    is what it cost at least.
    """

    scenario: str
    contender: str
    cpu: float
    spread: float
    rate: float
    once: float
    ratio: float | None
    memory: int
    checkpoint: int
    counts: dict[str, int]
    rounds: int
    stopped: bool


def cost(scenario: str, contender: str, runs: Sequence[Run]) -> Cost:
    """The cost of a contender, from its runs; without ratio."""
    warm_up = SCENARIOS[scenario].shape.warm_up
    cpu = [run.cpu * MILLION / run.events for run in runs]
    return Cost(
        scenario,
        contender,
        median(cpu),
        max(cpu) - min(cpu),
        median(run.events / run.seconds for run in runs),
        max(0.0, median(run.before - warm_up * run.cpu / run.events for run in runs)),
        None,
        max(run.memory for run in runs),
        max(run.checkpoint for run in runs),
        runs[-1].counts,
        len(runs),
        any(run.stopped for run in runs),
    )


def with_ratios(costs: Iterable[Cost]) -> list[Cost]:
    """Each cost with its ratio to plain Python's of the same scenario, where that was run."""
    known = list(costs)
    plain = {each.scenario: each.cpu for each in known if each.contender == PLAIN}
    return [
        Cost(**{**asdict(each), "ratio": each.cpu / plain[each.scenario] if plain.get(each.scenario) else None})
        for each in known
    ]


def verdicts(costs: Iterable[Cost]) -> list[str]:
    """The targets, each met or not, with the numbers."""
    known = {(each.scenario, each.contender): each for each in costs}
    lines = []

    def judge(what: str, value: float, limit: float, unit: str) -> None:
        lines.append(f"{'met' if value <= limit else 'NOT MET'}: {what}: {value:.2f}{unit}, target {limit:g}{unit}")

    for scenario in ("base", "heap"):
        for contender, limit in (("all_jobs", 4.0), ("decode", 1.0)):
            found = known.get((scenario, contender))
            if found is not None and found.ratio is not None:
                judge(f"{contender} beside plain Python ({scenario})", found.ratio, limit, " times")
    base = known.get(("base", "all_jobs"))
    for scenario in ("large", "skewed"):
        found = known.get((scenario, "all_jobs"))
        if base is not None and found is not None:
            judge(f"all_jobs per event, {scenario} beside base", found.cpu / base.cpu, 1.15, " times")
    for (scenario, contender), former in known.items():
        name, at, commit = contender.partition("@")
        now = known.get((scenario, name))
        if at and now is not None:
            limit = 0.5 if (scenario, name) == ("base", "all_jobs") else 1.0
            judge(f"{name} ({scenario}) beside that of {commit}", now.cpu / former.cpu, limit, " times")
    return lines


def table(costs: Iterable[Cost]) -> str:
    """A Markdown table."""
    lines = [
        "| scenario | contender | CPU s / 1M | spread | beside plain Python | once, CPU s | events / s | memory MB | "
        "checkpoint MB | rounds |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for each in costs:
        at_least = "over " if each.stopped else ""
        ratio = "" if each.ratio is None else f"{at_least}{each.ratio:.2f}"
        rate = "stopped" if each.stopped else f"{each.rate:,.0f}"
        lines.append(
            f"| {each.scenario} | {each.contender} | {at_least}{each.cpu:.1f} | {each.spread:.1f} | {ratio} | "
            f"{each.once:.1f} | {rate} | {each.memory / 1e6:,.0f} | {each.checkpoint / 1e6:.1f} | {each.rounds} |"
        )
    return "\n".join(lines) + "\n"


def plot(costs: Sequence[Cost], folder: Path) -> list[Path]:
    """One bar chart a scenario with more than one contender: CPU seconds per million events."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "benchmarks"  # the same numbers, the same bytes
    from matplotlib import pyplot

    written = []
    for scenario in dict.fromkeys(each.scenario for each in costs):
        chosen = [each for each in costs if each.scenario == scenario]
        if len(chosen) < 2:
            continue
        figure, axes = pyplot.subplots(figsize=(8, 0.8 + 0.35 * len(chosen)), layout="constrained")
        names = [each.contender + (" (stopped)" if each.stopped else "") for each in chosen]
        bars = axes.barh(
            names, [each.cpu for each in chosen], xerr=[each.spread / 2 for each in chosen], color="#3b6ea5"
        )
        axes.bar_label(bars, fmt="%.1f", padding=4)
        axes.invert_yaxis()
        axes.set_xlabel("CPU seconds per million events")
        axes.set_title(f"{scenario}: {_described(scenario)}")
        axes.spines[["top", "right"]].set_visible(False)
        path = folder / f"{scenario}.svg"
        figure.savefig(path, metadata={"Date": None})
        pyplot.close(figure)
        written.append(path)
    return written


def _described(name: str) -> str:
    scenario = SCENARIOS[name]
    shape = scenario.shape
    skew = "one partition far ahead" if shape.skewed else "even partitions"
    return f"{shape.events:,} events, {shape.event_types:,} types, {skew}, {scenario.backend}"


def as_json(costs: Iterable[Cost], machine: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a run."""
    return {"machine": machine, "costs": [asdict(each) for each in costs]}
