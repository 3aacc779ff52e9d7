"""Fraud: events of some types (purchases) of a user in any window (t - ``window``, t], of 5 min.

An alert leaves with the event that makes their number ``low`` (11), ``medium`` (21) or ``high`` (51), its risk_score. A
level speaks again when the number has been below it for the length of the window. Events of one time are counted one by
one, and no burst hides at a window's edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.events import Event
from contracts.jobs.fraud import FraudSettings
from contracts.results import ALERT_LEVELS, HIGH_FREQUENCY, ResultType
from flink_jobs.rule import Emit, Rule, result_of
from flink_jobs.settings import Settings

Result = result_of(ResultType.FRAUD)


@dataclass(slots=True)
class Counted:
    """``times`` of the last events, as many as the highest level; ``until`` when each level was reached, or None.

    Epoch milliseconds.
    """

    times: list[int]
    until: list[int | None]


class Fraud(Rule[int, Counted]):
    """The rule; settings in milliseconds."""

    job = ResultType.FRAUD
    key = ("user_id",)
    state = Counted

    def __init__(self, settings: FraudSettings) -> None:
        self.event_types, self.window, self.slot = settings.event_types, settings.window, settings.slot
        self.levels = (settings.low, settings.medium, settings.high)

    def on_batch(self, key: int, state: Counted | None, events: Sequence[Event], emit: Emit) -> Counted:
        """Counts the events one by one."""
        counted = state or Counted([], [None] * len(self.levels))
        times, until = counted.times, counted.until
        for event in events:
            time = event.event_time
            times.append(time)
            gone = max(0, len(times) - self.levels[-1])
            while times[gone] <= time - self.window:
                gone += 1
            del times[:gone]
            reached = None
            for level, number in enumerate(self.levels):
                if len(times) < number:
                    break
                before = until[level]
                if before is None or time - before >= self.window:
                    reached = level
                until[level] = times[-number] + self.window
            if reached is not None:
                emit(self._alert(key, time, reached))
        return counted

    def due(self, state: Counted) -> int:
        """When nothing of it can matter any more."""
        return max(state.times[-1], *(time for time in state.until if time is not None), 0) + self.window

    def on_time(self, key: int, state: Counted, now: int, emit: Emit) -> None:
        """Nothing of it can matter any more."""

    def _alert(self, user: int, time: int, level: int) -> tuple[object, ...]:
        return Result(
            event_time=time,
            window_start=time - self.window,
            window_end=time,
            user_id=user,
            suspicious_activity=HIGH_FREQUENCY,
            risk_score=float(self.levels[level]),
            alert_level=ALERT_LEVELS[level],
            # Before it a window's length below the level, which an event a window earlier could have ended.
            needs_from=time - 2 * self.window,
        )


def rule(settings: Settings) -> Fraud:
    """The rule with its settings."""
    return Fraud(settings.fraud)
