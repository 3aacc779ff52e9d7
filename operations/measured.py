"""What the benchmarks measured that costs and limits depend on: docs/benchmarks/results.json, scenario by scenario."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from benchmarks.events import SPAN
from benchmarks.matrix import SCENARIOS

RESULTS = Path(__file__).resolve().parent.parent / "docs" / "benchmarks" / "results.json"


@dataclass(frozen=True)
class Measured:
    """``state_bytes`` per event a second (state holds a window's worth), ``cpu_seconds`` per million events."""

    state_bytes: float
    cpu_seconds: float


def measured(path: Path = RESULTS) -> Measured:
    """Of all jobs together, over the events of ``base`` at its pace."""
    costs = {
        (cost["scenario"], cost["contender"]): cost for cost in json.loads(path.read_text(encoding="utf-8"))["costs"]
    }
    pace = SCENARIOS["base"].shape.events / (SPAN / 1000)
    found = costs["base", "all_jobs"]
    return Measured(found["checkpoint"] / pace, found["cpu"])
