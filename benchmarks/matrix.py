"""What is run: scenarios, each one change away from the first, and the contenders of each."""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchmarks.events import Shape

MILLION = 1_000_000
#: Events before those that are measured, so that the JVM's compiler is done with what they need.
WARM_UP = 500_000

_BASE = Shape(MILLION, warm_up=WARM_UP)
_CORE = ("plain_python", "decode", "five_jobs", "all_jobs")
_JOBS = ("aggregation", "anomaly", "behavior", "recommendation", "fraud", "session")
_SEED = ("seed_aggregation", "seed_session", "seed_behavior", "seed_recommendation", "seed_fraud", "seed_anomaly")


@dataclass(frozen=True)
class Scenario:
    """A shape of events, a state backend, who runs on it, and in how many rounds at most."""

    name: str
    shape: Shape
    contenders: tuple[str, ...]
    backend: str = "rocksdb"
    most_rounds: int = 99


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("base", _BASE, (*_CORE, "polars")),
        Scenario("heap", _BASE, _CORE, backend="hashmap"),
        Scenario("skewed", replace(_BASE, skewed=True), _CORE),
        Scenario("sparse", replace(_BASE, event_types=2_000, users=500_000), _CORE, most_rounds=2),
        Scenario("large", replace(_BASE, events=4 * MILLION), _CORE, most_rounds=2),
        Scenario("jobs", _BASE, ("plain_python", *_JOBS), most_rounds=2),
        Scenario("seed", _BASE, ("plain_python", *_SEED), most_rounds=1),
        Scenario("small", replace(_BASE, events=200_000), _CORE, most_rounds=1),
        Scenario("quick", Shape(50_000, warm_up=20_000), (*_CORE, "polars")),
    )
}
#: What runs without being named: all but the quick look.
DEFAULT = tuple(name for name in SCENARIOS if name != "quick")
