"""What is run: scenarios, each one change away from the first, and the contenders of each."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.events import Shape

MILLION = 1_000_000
#: The same graph over so few events that only its start-up is left; taken off every measurement.
START_UP = Shape(2_000)

_JOBS = ("aggregation", "anomaly", "behavior", "recommendation", "fraud")
_CORE = ("plain_python", "decode", "five_jobs")
_SEED = ("seed_aggregation", "seed_behavior", "seed_recommendation", "seed_fraud", "seed_anomaly")


@dataclass(frozen=True)
class Scenario:
    """A shape of events, a state backend, and who runs on it."""

    name: str
    shape: Shape
    contenders: tuple[str, ...]
    backend: str = "rocksdb"


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("base", Shape(MILLION), ("plain_python", "polars", "decode", *_JOBS, "five_jobs", *_SEED)),
        Scenario("heap", Shape(MILLION), _CORE, backend="hashmap"),
        Scenario("skewed", Shape(MILLION, skewed=True), _CORE),
        Scenario("sparse", Shape(MILLION, event_types=2_000, users=500_000), _CORE),
        Scenario("large", Shape(4 * MILLION), _CORE),
        Scenario("small", Shape(200_000), (*_CORE, "session", "session_thread", "seed_session", "all_jobs")),
        Scenario("quick", Shape(50_000), (*_CORE, "polars")),
    )
}
#: What runs without being named: all but the quick look.
DEFAULT = tuple(name for name in SCENARIOS if name != "quick")
