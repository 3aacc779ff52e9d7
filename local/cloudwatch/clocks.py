"""Two clocks. What the business sees is stamped with event time, which the demo plays hours of in a minute; how the
pipeline does is stamped with this machine's time, of which a run has a minute or two.

So a row of event time is drawn over the traffic's own hours in the dashboard's own periods, and everything else over
the last minutes in periods that are shorter by SHRINK: a minute of the deployed dashboard is five seconds here, and an
alarm of three minutes takes fifteen seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from contracts.metrics import METRICS, REJECTED_EVENTS
from local.cloudwatch.points import Range

#: Names of the kit's metrics whose samples carry the result's event time; a rejection carries its arrival.
EVENT_TIME = frozenset(metric.name for metric in METRICS if metric is not REJECTED_EVENTS)
SHRINK = 12
#: Machine time that is drawn.
WINDOW_SECONDS = 300
_LONGEST_LOCAL_PERIOD = 25


def alarm_period(period: int) -> int:
    """Whole seconds here for a period of an alarm."""
    return max(1, round(period / SHRINK))


def local_period(period: int) -> int:
    """Whole seconds here for a period of the dashboard at machine time; never so many that a run is one period."""
    return min(_LONGEST_LOCAL_PERIOD, alarm_period(period))


@dataclass(frozen=True)
class Clocks:
    """The run's times, epoch seconds: of its traffic (event time) and of the machine since the run began."""

    first_event: int
    last_event: int
    began: int

    def range(self, *, event_time: bool, period: int, now: float) -> Range:
        """What to ask for, in whole periods."""
        if event_time:
            start = self.first_event - self.first_event % period
            return Range(start, self.last_event + period - self.last_event % period, period)
        short = local_period(period)
        end = int(now) + short - int(now) % short
        start = max(self.began, end - WINDOW_SECONDS)
        return Range(start - start % short, end, short)
