"""Puts the deployed alarms into the local CloudWatch and drives their states, which moto never evaluates.

Periods are the local ones (:mod:`local.cloudwatch.clocks`): every alarm is on machine time.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from contracts.names import alarm_name
from local.cloudwatch.clocks import alarm_period
from local.cloudwatch.expression import evaluate as compute
from local.cloudwatch.missing import EXTRA_POINTS, State, Treatment, evaluate
from local.cloudwatch.missing import Rule as Judged
from local.cloudwatch.points import MetricKey, Range, Stat
from local.cloudwatch.reader import Reader, Wanted
from monitoring.expressions import Expression, parse
from monitoring.rules import Comparison, Rule

_COMPARE: dict[Comparison, Callable[[float, float], bool]] = {
    Comparison.ABOVE: operator.gt,
    Comparison.BELOW: operator.lt,
}


#: The composite alarm.
PAGES = "pages"


@dataclass(frozen=True)
class Change:
    """An alarm that went into another state; ``at`` in epoch seconds."""

    name: str
    state: State
    before: State
    at: float
    reason: str


@dataclass
class Watched:
    """An alarm and its state; ``value`` is the last data point, ``points`` what was looked at."""

    rule: Rule
    expression: Expression
    period: int
    state: State = State.INSUFFICIENT
    since: float = 0.0
    value: float | None = None
    points: list[float | None] = field(default_factory=list)


class Alarms:
    """All alarms of an environment. One thread calls :meth:`evaluate`; others may read ``watched`` and ``changes``.

    Args:
        client: boto3's, of the local CloudWatch.
        prefix: of the alarms' names.
        began: when metrics begin, epoch seconds: no alarm is judged by periods before it.
    """

    def __init__(self, client: Any, rules: Iterable[Rule], prefix: str, began: float) -> None:
        self.changes: list[Change] = []
        self.paging = State.INSUFFICIENT
        self._client = client
        self._reader = Reader(client)
        self._prefix = prefix
        self._began = began
        self.watched = {
            rule.name: Watched(rule, parse(rule.expression or "m"), alarm_period(rule.period)) for rule in rules
        }

    def put(self) -> None:
        """Creates the alarms, and the composite one that pages where any does."""
        for watched in self.watched.values():
            self._client.put_metric_alarm(**self._request(watched))
            self._set(alarm_name(self._prefix, watched.rule.name), State.INSUFFICIENT, "no data yet")
        paging = [each.rule.name for each in self.watched.values() if each.rule.pages]
        if paging:
            self._client.put_composite_alarm(
                AlarmName=alarm_name(self._prefix, PAGES),
                AlarmRule=" OR ".join(f'ALARM("{alarm_name(self._prefix, name)}")' for name in paging),
            )

    def evaluate(self, now: float) -> list[Change]:
        """Judges every alarm by its last whole periods before ``now``; answers what changed."""
        wanted: dict[tuple[str, str], Wanted] = {}
        for watched in self.watched.values():
            over = self._range(watched, now)
            for identity, series in watched.rule.inputs.items():
                key = MetricKey.of(series.namespace, series.name, series.dimensions)
                wanted[watched.rule.name, identity] = (Stat(key, series.statistic, series.period), over)
        points = self._reader.points(wanted.values())
        changes: list[Change] = []
        for watched in self.watched.values():
            over = self._range(watched, now)
            inputs = {identity: points[wanted[watched.rule.name, identity]] for identity in watched.rule.inputs}
            values = compute(watched.expression, inputs, over)
            watched.points = [values.get(time) for time in over.buckets()][-(watched.rule.of + EXTRA_POINTS) :]
            watched.value = next((value for value in reversed(watched.points) if value is not None), None)
            if now - self._began < watched.period * watched.rule.of:
                continue  # too early to say that anything is missing
            state = evaluate(watched.points, _judged(watched.rule), watched.state)
            if state is not watched.state:
                changes.append(self._change(watched, state, now))
        self.changes += changes
        self._page(now)
        return changes

    def _range(self, watched: Watched, now: float) -> Range:
        """Whole periods only, with one more before them, which RATE and DIFF need."""
        period = watched.period
        end = int(now) - int(now) % period
        return Range(end - period * (watched.rule.of + EXTRA_POINTS + 1), end, period)

    def _change(self, watched: Watched, state: State, now: float) -> Change:
        rule, before = watched.rule, watched.state
        told = ", ".join("missing" if value is None else f"{value:g}" for value in watched.points[-rule.of :])
        reason = f"{rule.periods} of {rule.of} {rule.comparison} {rule.threshold:g}: {told}"
        watched.state, watched.since = state, now
        self._set(alarm_name(self._prefix, rule.name), state, reason)
        return Change(rule.name, state, before, now, reason)

    def _page(self, now: float) -> None:
        paging = [each for each in self.watched.values() if each.rule.pages]
        if not paging:
            return
        raised = [each.rule.name for each in paging if each.state is State.ALARM]
        state = State.ALARM if raised else State.OK
        if state is not self.paging:
            self.paging = state
            self._set(alarm_name(self._prefix, PAGES), state, f"in alarm: {', '.join(raised) or 'none'}", now)

    def _set(self, name: str, state: State, reason: str, now: float = 0.0) -> None:
        data = {"queryDate": datetime.fromtimestamp(now, UTC).isoformat()} if now else {}
        self._client.set_alarm_state(
            AlarmName=name, StateValue=state.value, StateReason=reason[:1023], StateReasonData=json.dumps(data)
        )

    def _request(self, watched: Watched) -> dict[str, Any]:
        rule = watched.rule
        request: dict[str, Any] = {
            "AlarmName": alarm_name(self._prefix, rule.name),
            "AlarmDescription": rule.meaning,
            "ComparisonOperator": rule.comparison.value,
            "Threshold": rule.threshold,
            "EvaluationPeriods": rule.of,
            "DatapointsToAlarm": rule.periods,
            "TreatMissingData": rule.missing.value,
        }
        queries: list[dict[str, Any]] = [
            {
                "Id": identity,
                "ReturnData": rule.expression is None,
                "MetricStat": {
                    "Metric": {
                        "Namespace": series.namespace,
                        "MetricName": series.name,
                        "Dimensions": [{"Name": name, "Value": value} for name, value in series.dimensions.items()],
                    },
                    "Period": series.period,
                    "Stat": series.statistic,
                },
            }
            for identity, series in rule.inputs.items()
        ]
        if rule.expression is not None:
            queries.append({"Id": "value", "Expression": rule.expression, "ReturnData": True})
        return {**request, "Metrics": queries}


def _judged(rule: Rule) -> Judged:
    compare = _COMPARE[rule.comparison]
    return Judged(lambda value: compare(value, rule.threshold), rule.periods, rule.of, Treatment(rule.missing.value))
