"""What depends on the Flink version of the managed service, in one table.

Source: the service's release pages and the enum of ``AWS::KinesisAnalyticsV2::Application``. Only runtimes whose
artifacts run in this repository's tests are listed; a second one is a second row (and a second connector in pom.xml).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Runtime:
    """One runtime of the service.

    ``up_metric`` (milliseconds) grows while the job runs, ``down_metrics`` are above zero while it does not,
    ``restarts_metric`` counts its restarts: 2.x renamed them, and an alarm on a metric that nobody publishes never
    fires.
    """

    name: str
    flink: str
    python: str
    java: str
    connector: str
    up_metric: str
    down_metrics: tuple[str, ...]
    restarts_metric: str


RUNTIMES = {
    runtime.name: runtime
    for runtime in (
        Runtime(
            name="FLINK-1_20",
            flink="1.20.5",
            python="3.11",
            java="11",
            connector="4.3.0-1.19",
            up_metric="uptime",
            down_metrics=("downtime",),
            restarts_metric="fullRestarts",
        ),
    )
}
