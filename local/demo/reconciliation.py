"""Holds everything that came out against what went in, the oracle and the planted truth."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from contracts.entry import Count
from contracts.events import DECIMAL_SCALE
from contracts.metrics import OTHER
from contracts.rejections import Reason
from contracts.results import SCHEMAS, ResultType
from contracts.settings import kinds
from flink_jobs.settings import JOB_SETTINGS, Settings, TimeSettings
from lambdas.alerts.labels import label
from local.demo.findings import planted_anomaly
from local.oracle.comparison import compare
from local.oracle.records import LogRecord
from local.oracle.results import Result, expected, unchecked
from local.oracle.verdicts import Tolerance, Verdicts, judge
from local.traffic.generator import PLAIN_CATEGORIES
from local.traffic.plan import Planned, Truth


@dataclass(frozen=True)
class Check:
    """One line of the reconciliation.

    ``at_least``: more is allowed, after a replay. ``checked``: False where nothing says what is expected.
    """

    group: str
    name: str
    expected: Any
    found: Any
    at_least: bool = False
    checked: bool = True

    @property
    def ok(self) -> bool:
        """Whether what was found is what was expected."""
        return not self.checked or bool(self.found >= self.expected if self.at_least else self.expected == self.found)


@dataclass
class Observed:
    """What came out of the run. Documents: result_id to JSON text; metrics: (name, dimension value) to sum."""

    counts: Mapping[str, int]
    results: dict[str, str]
    rejected: dict[str, str]
    conflicts: list[str]
    alerts: list[dict[str, Any]]
    indexed: Mapping[str, int]
    metrics: Mapping[tuple[str, str], float]
    given_up: int
    #: Flink went back to a checkpoint: what it had written since came again, and no function died over it.
    replayed: bool = False


@dataclass
class Reconciliation:
    """All checks, and the first differences in words."""

    checks: list[Check] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every check holds."""
        return all(check.ok for check in self.checks)

    def check(self, group: str, name: str, wanted: Any, found: Any, *, at_least: bool = False) -> None:
        """Adds a line."""
        self.checks.append(Check(group, name, wanted, found, at_least))

    def as_json(self) -> dict[str, Any]:
        """The report."""
        return {
            "ok": self.ok,
            "checks": [
                {
                    "group": each.group,
                    "name": each.name,
                    "expected": each.expected,
                    "found": each.found,
                    "ok": each.ok,
                    "checked": each.checked,
                }
                for each in self.checks
            ],
            "differences": self.differences,
        }


def reconcile(
    log: list[LogRecord], planned: list[Planned], truth: Truth, settings: Settings, observed: Observed
) -> Reconciliation:
    """``log`` and ``planned`` name the same records, in the order in which the stream took them."""
    after_idle = frozenset(
        (record.partition, record.position)
        for record, plan in zip(log, planned, strict=True)
        if plan.reason is Reason.LATE_AFTER_IDLE
    )
    verdicts = judge(
        log,
        watermark_delay=settings.time.watermark_delay,
        tolerance=Tolerance.of(settings.time),
        duplicate_window=settings.time.duplicate_window,
        after_idle=after_idle,
    )
    oracle = expected(verdicts.events, settings)
    not_checked = unchecked(settings)
    outcome = Reconciliation()
    by_default = planted_applies(settings)
    _intake(outcome, len(log), verdicts, observed)
    _rejections(outcome, log, planned if by_default else None, verdicts, observed)
    _results(outcome, oracle, not_checked, settings, observed)
    # Of a job without an oracle, the sinks must hold what the stream of results has.
    written = {
        identity: document for identity, document in parsed(observed).items() if document["result_type"] in not_checked
    }
    _sinks(outcome, oracle | written, verdicts, settings, observed)
    if by_default:
        _planted(outcome, truth, settings, observed)
    return outcome


#: Jobs whose results the traffic plants.
_PLANTED_FOR = ("anomaly", "behavior", "fraud")


def parsed(observed: Observed) -> dict[str, Result]:
    """The results as they came."""
    return {identity: json.loads(text) for identity, text in observed.results.items()}


def planted_applies(settings: Settings) -> bool:
    """Whether the settings are those that the planted truth is made for: the defaults of what decides about it."""
    time, default = settings.time, TimeSettings()
    return all(settings.of_jobs[job] == JOB_SETTINGS[job]() for job in _PLANTED_FOR) and (
        time.watermark_delay,
        time.future_tolerance,
        time.duplicate_window,
    ) == (default.watermark_delay, default.future_tolerance, default.duplicate_window)


def _intake(outcome: Reconciliation, sent: int, verdicts: Verdicts, observed: Observed) -> None:
    counts = observed.counts
    rejected = sum(number for name, number in counts.items() if name.startswith("rejected_"))
    outcome.check("intake", "records read", sent, counts.get("read", 0))
    outcome.check("intake", "accepted + rejected", sent, counts.get("accepted", 0) + rejected)
    outcome.check("intake", "accepted", verdicts.accepted, counts.get("accepted", 0))


def _rejections(
    outcome: Reconciliation,
    log: list[LogRecord],
    planned: list[Planned] | None,
    verdicts: Verdicts,
    observed: Observed,
) -> None:
    documents = [json.loads(text) for text in observed.rejected.values()]
    by_reason = Counter(document["reason"] for document in documents)
    wanted = Counter(reason.value for reason in verdicts.rejected.values())
    for reason in Reason:
        outcome.check("rejected", reason.value, wanted[reason.value], by_reason[reason.value])
    found = {(document["partition"], document["position"]): document["reason"] for document in documents}
    judged = {place: reason.value for place, reason in verdicts.rejected.items()}
    outcome.check("rejected", "each with the oracle's reason", len(judged), len(judged.items() & found.items()))
    if planned is None:
        return
    planted = {
        (record.partition, record.position): plan.reason.value
        for record, plan in zip(log, planned, strict=True)
        if plan.reason is not None
    }
    right = sum(found.get(place) == reason for place, reason in planted.items())
    outcome.check("rejected", "planted, each once with its reason", len(planted), right)
    outcome.check("rejected", "records that nobody planted", 0, len(found.keys() - planted.keys()))


def _results(
    outcome: Reconciliation,
    oracle: dict[str, Result],
    not_checked: frozenset[str],
    settings: Settings,
    observed: Observed,
) -> None:
    known = {identity: text for identity, text in observed.results.items() if _job_of(text) not in not_checked}
    comparison = compare(known, oracle)
    for job in settings.jobs.enabled:
        if job in not_checked:
            found = sum(_job_of(text) == job for text in observed.results.values())
            outcome.checks.append(Check("results", f"{job}, not checked: it has no oracle", None, found, checked=False))
            continue
        wanted = comparison.expected.get(job, 0)
        outcome.check("results", f"{job}, equal to the oracle's", wanted, comparison.equal.get(job, 0))
    unexpected = sum(identity not in oracle for identity in known)
    outcome.check("results", "that the oracle does not know", 0, unexpected)
    outcome.check("results", "one id with two contents", 0, len(observed.conflicts))
    outcome.differences += comparison.differences + observed.conflicts


def _job_of(text: str) -> str:
    return str(json.loads(text)["result_type"])


def _sinks(
    outcome: Reconciliation,
    wanted_results: dict[str, Result],
    verdicts: Verdicts,
    settings: Settings,
    observed: Observed,
) -> None:
    documents = Counter(result["result_type"] for result in wanted_results.values())
    outcome.check("search", "documents = distinct results", len(wanted_results), sum(observed.indexed.values()))
    in_place = sum(min(count, observed.indexed.get(job, 0)) for job, count in documents.items())
    outcome.check("search", "each in its job's index", len(wanted_results), in_place)
    alerting = {identity for identity, result in wanted_results.items() if alerts(result, settings)}
    received = Counter(alert["result_id"] for alert in observed.alerts)
    outcome.check("alerts", "results that alert", len(alerting), len(observed.alerts))
    once = sum(received[each] == 1 for each in alerting)
    outcome.check("alerts", "each of them once", len(alerting), once)
    wanted = _wanted_metrics(wanted_results.values(), verdicts, settings)
    for key in sorted(wanted.keys() | observed.metrics.keys()):
        told = (round(sums.get(key, 0.0), DECIMAL_SCALE) for sums in (wanted, observed.metrics))
        outcome.check(
            "metrics", " ".join(key).strip(), *told, at_least=observed.replayed and key[0] in _COUNTED_AT_LEAST_ONCE
        )
    outcome.check("sinks", "records given up by a function", 0, observed.given_up)


#: Metrics that are counted by the batch, without a claim: a result that Flink wrote again is counted again.
_COUNTED_AT_LEAST_ONCE = frozenset(
    {"RejectedEvents"} | {count.metric for entry in SCHEMAS.values() for count in entry.counts if not count.claimed}
)


def alerts(result: Result, settings: Settings) -> bool:
    """Whether the entry of its job says so."""
    entry = SCHEMAS[ResultType(result["result_type"])]
    return any(_holds(alert.when, result, settings) for alert in entry.alerts)


def _holds(condition: str, result: Result, settings: Settings) -> bool:
    """The condition as Python itself evaluates it: another way than the functions' (:mod:`contracts.conditions`)."""
    of_job = settings.of_jobs.get(result["result_type"])
    names = {name: float(value) if isinstance(value, Decimal) else value for name, value in result.items()}
    names |= {} if of_job is None else {key: getattr(of_job, key) for key in kinds(type(of_job))}
    try:
        return bool(eval(condition, {"__builtins__": {}}, names))  # noqa: S307 - of the checkout's own entries
    except TypeError:  # a null in a comparison
        return False


def _wanted_metrics(results: Iterable[Result], verdicts: Verdicts, settings: Settings) -> dict[tuple[str, str], float]:
    sums: defaultdict[tuple[str, str], float] = defaultdict(float)
    for result in results:
        for count in SCHEMAS[ResultType(result["result_type"])].counts:
            if _holds(count.where, result, settings):
                sums[count.metric, _dimension(count, result)] += (
                    1 if count.value is None else float(result[count.value] or 0)
                )
    for reason in verdicts.rejected.values():
        sums["RejectedEvents", reason.value] += 1
    return dict(sums)


def _dimension(count: Count, result: Result) -> str:
    if count.dimension is None:
        return ""
    text = str(result[count.dimension])
    if count.dimension == "event_type" and not count.values:
        return label(text)
    return text if text in (count.values or PLAIN_CATEGORIES) else OTHER


def _planted(outcome: Reconciliation, truth: Truth, settings: Settings, observed: Observed) -> None:
    results = [json.loads(text) for text in observed.results.values()]
    found: dict[str, set[Any]] = {job: set() for job in settings.jobs.enabled}
    wanted: dict[str, set[Any]] = {}
    for result in results:
        job = result["result_type"]
        if job == ResultType.ANOMALY.value and result["is_anomaly"]:
            found[job].add(result["result_id"])
        elif job == ResultType.FRAUD.value:
            found[job].add((result["user_id"], result["alert_level"], result["event_time"]))
        elif job == ResultType.BEHAVIOR.value and result["conversion_flag"]:
            found[job].add((result["user_id"], result["session_id"]))
    wanted[ResultType.ANOMALY.value] = {result["result_id"] for result in results if _is_planted_anomaly(result, truth)}
    outcome.check(
        "planted",
        "anomalies: all found",
        len(truth.anomalies) if ResultType.ANOMALY.value in found else 0,
        len(wanted[ResultType.ANOMALY.value]),
    )
    wanted[ResultType.FRAUD.value] = {(user, level, _iso(time)) for user, level, time in truth.frauds}
    wanted[ResultType.BEHAVIOR.value] = set(truth.conversions)
    for job, planted in wanted.items():
        if job in found:
            hits = len(found[job] & planted)
            # An anomaly's id holds its time, which the truth does not: what was planted is counted, not looked up.
            total = len(truth.anomalies) if job == ResultType.ANOMALY.value else len(planted)
            outcome.check("planted", f"{job}: recall", 1.0, hits / total if total else 1.0)
            outcome.check("planted", f"{job}: precision", 1.0, hits / len(found[job]) if found[job] else 1.0)


def _is_planted_anomaly(result: dict[str, Any], truth: Truth) -> bool:
    return result["result_type"] == ResultType.ANOMALY.value and planted_anomaly(result, truth) is not None


def _iso(time: int) -> str:
    moment = datetime.fromtimestamp(time / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{time % 1000:03d}Z"
