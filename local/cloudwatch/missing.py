"""An alarm's state from its data points: M out of N, and what is missing among them.

From the CloudWatch guide, "Configuring how CloudWatch alarms treat missing data": more points are looked at than the N
that are evaluated; real ones are preferred, and only what is then still missing is filled by the treatment. Where
nothing is known at all, breaching alarms, notBreaching is fine, missing has insufficient data, and ignore keeps its
state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

#: Points that are looked at beyond N, as in the guide's example (five for N = 3).
EXTRA_POINTS = 2


class State(StrEnum):
    """States of an alarm, by CloudWatch's names."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT = "INSUFFICIENT_DATA"


class Treatment(StrEnum):
    """What a missing point counts as, by CloudWatch's names."""

    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"
    IGNORE = "ignore"
    MISSING = "missing"


@dataclass(frozen=True)
class Rule:
    """``needed`` of ``of`` points breach (M out of N)."""

    breaches: Callable[[float], bool]
    needed: int
    of: int
    treatment: Treatment


def evaluate(points: Sequence[float | None], rule: Rule, state: State) -> State:
    """The state after these points (oldest first, None is missing), ``of`` + EXTRA_POINTS of them, given the last."""
    real = [value for value in points if value is not None][-rule.of :]
    breaching = sum(rule.breaches(value) for value in real)
    filled = rule.of - len(real)
    if not real:
        return {
            Treatment.BREACHING: State.ALARM,
            Treatment.NOT_BREACHING: State.OK,
            Treatment.MISSING: State.INSUFFICIENT,
            Treatment.IGNORE: state,
        }[rule.treatment]
    if filled == 0 or rule.treatment is Treatment.NOT_BREACHING or breaching >= rule.needed:
        return State.ALARM if breaching >= rule.needed else State.OK
    if rule.treatment is Treatment.BREACHING:
        return State.ALARM if breaching + filled >= rule.needed else State.OK
    if breaching < len(real):
        return State.OK
    # All that is known breaches, but less than M of it.
    if rule.treatment is Treatment.IGNORE:
        return state
    age = len(points) - next(index for index, value in enumerate(points) if value is not None)
    return State.ALARM if age >= rule.needed else state
