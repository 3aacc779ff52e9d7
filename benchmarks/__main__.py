"""Runs contenders over scenarios in alternation and writes table, plots and numbers to docs/benchmarks."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections import defaultdict
from pathlib import Path

from benchmarks import events, report
from benchmarks.former import Former, prepared
from benchmarks.matrix import DEFAULT, SCENARIOS, Scenario
from benchmarks.measure import Run, RunFailed, run

ROOT = Path(__file__).resolve().parent.parent
FILES = ROOT / "build" / "benchmarks"
DOCS = ROOT / "docs" / "benchmarks"
_IN_PROCESS = ("plain_python", "polars")
#: Contenders that a former commit runs, too.
_COMPARED = ("five_jobs", "all_jobs")
_BEGIN, _END = "<!-- results: written by python -m benchmarks -->\n", "<!-- end of results -->\n"


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def _measured(contender: str, scenario: Scenario, limit: float, former: Former | None = None) -> Run:
    shape = scenario.shape
    file = events.write(shape, FILES)
    arguments = [contender, str(file), "--warm-up", str(shape.warm_up)]
    if contender in _IN_PROCESS:
        return run(["benchmarks.local_process", *arguments], limit, shape.events)
    counted = ["--events", str(shape.events), "--backend", scenario.backend]
    return run(["benchmarks.flink", *arguments, *counted], limit, shape.events, former.folder if former else None)


def _costs(
    scenarios: list[str], contenders: list[str] | None, rounds: int, limit: float, former: Former | None
) -> list[report.Cost]:
    runs: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for number in range(1, rounds + 1):
        for name in scenarios:
            scenario = SCENARIOS[name]
            if number > scenario.most_rounds:
                continue
            for contender in scenario.contenders:
                if contenders and contender not in contenders:
                    continue
                trees = [None, former] if former and contender in _COMPARED else [None]
                for tree in trees:
                    called = tree.contender(contender) if tree else contender
                    measured = _measured(contender, scenario, limit, tree)
                    runs[name, called].append(measured)
                    end = "stopped" if measured.stopped else f"{measured.cpu:.1f} CPU s in {measured.seconds:.1f} s"
                    _say(f"round {number}/{rounds}, {name}, {called}: {end}")
    return report.with_ratios(report.cost(name, contender, found) for (name, contender), found in runs.items())


def _write(costs: list[report.Cost], lines: list[str]) -> None:
    DOCS.mkdir(parents=True, exist_ok=True)
    machine = {
        "processors": os.cpu_count(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }
    (DOCS / "results.json").write_text(json.dumps(report.as_json(costs, machine), indent=1) + "\n", encoding="utf-8")
    # One picture: the other scenarios' tables say as much.
    plots = report.plot([cost for cost in costs if cost.scenario == "base"], DOCS)
    page = DOCS / "README.md"
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    pictures = "\n".join(f"![{path.stem}]({path.name})" for path in plots)
    told = "".join(f"- {line}\n" for line in lines)
    page.write_text(f"{before}{_BEGIN}\n{report.table(costs)}\n{told}\n{pictures}\n\n{_END}{after}", encoding="utf-8")


def main() -> int:
    """Exit code 1 when a contender failed, 2 for a wrong option."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--scenarios", nargs="+", choices=SCENARIOS, default=list(DEFAULT))
    parser.add_argument("--contenders", nargs="+", help="only these of each scenario")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=600.0, help="seconds a run may take before it is stopped")
    parser.add_argument("--beside", metavar="COMMIT", help="runs five_jobs and all_jobs of this commit, too, in turns")
    parser.add_argument("--quick", action="store_true", help="one round of the smallest scenario; writes nothing")
    options = parser.parse_args()
    scenarios, rounds = (["quick"], 1) if options.quick else (options.scenarios, options.rounds)
    try:
        former = prepared(options.beside, FILES) if options.beside else None
        costs = _costs(scenarios, options.contenders, rounds, options.limit, former)
    except RunFailed as error:
        print(error, file=sys.stderr)
        return 1
    lines = report.verdicts(costs)
    print(report.table(costs))
    print("\n".join(lines))
    if not options.quick:
        _write(costs, lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
