"""Every alarm of an environment: what AWS recommends for the services that are deployed, and ours.

Sources: AWS's recommended alarms (CloudWatch user guide, "Recommended alarms"; the managed service's developer guide,
"Use CloudWatch alarms"); thresholds that depend on settings are computed from them. Left out of what AWS recommends:
numRecordsOutPerSecond below a floor and millisBehindLatest (`flink-event-time-behind` and `lag-events` say the same
with no floor to guess), and a function's Duration (a function that runs out of time has an error).
"""

from __future__ import annotations

from collections.abc import Iterator

from config.model import Environment
from monitoring.flink_alarms import flink_alarms
from monitoring.names import Names
from monitoring.rules import Rule
from monitoring.sink_alarms import sink_alarms
from monitoring.stream_alarms import stream_alarms


def alarms(environment: Environment, names: Names) -> Iterator[Rule]:
    """Every alarm of the environment."""
    yield from flink_alarms(environment, names)
    yield from stream_alarms(environment, names)
    yield from sink_alarms(environment, names)
