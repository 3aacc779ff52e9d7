"""The reconciliation holds for what is ideal, and fails for each kind of defect."""

from __future__ import annotations

import copy
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from contracts.columns import ColumnType
from contracts.identity import rejection_id
from contracts.rejections import INTAKE_REASONS, Reason
from contracts.results import ENVELOPE, SCHEMAS, ResultType
from flink_jobs.settings import Settings
from lambdas.alerts.labels import label
from local.demo.application import checked, property_groups
from local.demo.reconciliation import Observed, Reconciliation, reconcile
from local.oracle.jobs import fraud
from local.oracle.records import LogRecord
from local.oracle.results import Result, expected
from local.oracle.verdicts import Tolerance, judge
from local.traffic.generator import HOUR, Request, generate
from local.traffic.plan import Planned, Traffic
from tests.events import KIT_JOBS

T0 = 1_763_892_000_000


@dataclass(frozen=True)
class World:
    """A run without any defect."""

    settings: Settings
    traffic: Traffic
    planned: list[Planned]
    log: list[LogRecord]
    observed: Observed

    def reconciled(self, observed: Observed) -> Reconciliation:
        return reconcile(self.log, self.planned, self.traffic.truth, self.settings, observed)


def iso(millis: int) -> str:
    moment = datetime.fromtimestamp(millis // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{millis % 1000:03d}Z"


def as_text(result: Result) -> str:
    """The result as the application writes it."""
    columns = (*ENVELOPE, *SCHEMAS[ResultType(result["result_type"])].columns)
    document: dict[str, Any] = {}
    for column in columns:
        value: Any = "live" if column.name == "run" else result[column.name]
        if column.type is ColumnType.TIMESTAMP:
            value = iso(value)
        elif isinstance(value, Decimal):
            value = float(value)
        document[column.name] = value
    return json.dumps(document)


def a_world() -> World:
    settings = checked(property_groups({"jobs": {"enabled": ",".join(KIT_JOBS)}}))
    traffic = generate(Request(events=1_200, seed=2, start=T0))
    assert traffic.idle is not None
    planned = [*traffic.records, *traffic.closing[:-1], traffic.idle, traffic.closing[-1]]
    log = [
        LogRecord("events", f"shard-{record.shard}", str(number), traffic.end + 2 * HOUR, record.payload)
        for number, record in enumerate(planned)
    ]
    woken = [record for record, plan in zip(log, planned, strict=True) if plan.reason is Reason.LATE_AFTER_IDLE]
    verdicts = judge(
        log,
        watermark_delay=5_000,
        tolerance=Tolerance.of(settings.time),
        duplicate_window=600_000,
        after_idle=frozenset((record.partition, record.position) for record in woken),
    )
    results = expected(verdicts.events, settings)
    by_reason = Counter(reason.value for reason in verdicts.rejected.values())
    metrics: defaultdict[tuple[str, str], float] = defaultdict(float)
    for each in results.values():
        job = each["result_type"]
        if job == "aggregation":
            metrics["EventCount", label(each["event_type"])] += each["event_count"]
            metrics["TotalValue", label(each["event_type"])] += float(each["total_value"])
        elif job == "anomaly":
            metrics["Anomalies", label(each["event_type"])] += 1
        elif job == "fraud":
            metrics["FraudAlerts", each["alert_level"]] += 1
        elif job == "session":
            metrics["Sessions", ""] += 1
        elif job == "behavior":
            metrics["Conversions", ""] += each["conversion_flag"]
        elif job == "recommendation":
            known = each["category"] in {"books", "garden", "kitchen", "music", "sports", "toys"}
            metrics["TopCategory", each["category"] if known else "other"] += each["rank"] == 1
    for reason, count in by_reason.items():
        metrics["RejectedEvents", reason] += count
    observed = Observed(
        counts={
            "read": len(log),
            "accepted": verdicts.accepted,
            **{f"rejected_{reason}": count for reason, count in by_reason.items()},
        },
        results={identity: as_text(result) for identity, result in results.items()},
        rejected={
            rejection_id("events", partition, position): json.dumps(
                {"reason": reason.value, "partition": partition, "position": position}
            )
            for (partition, position), reason in verdicts.rejected.items()
        },
        conflicts=[],
        alerts=[
            {"result_id": identity}
            for identity, result in results.items()
            if result["result_type"] in ("anomaly", "fraud")
        ],
        indexed=Counter(result["result_type"] for result in results.values()),
        metrics={key: float(value) for key, value in metrics.items()},
        given_up=0,
    )
    return World(settings, traffic, planned, log, observed)


@pytest.fixture(scope="module")
def world() -> World:
    return a_world()


@pytest.fixture
def observed(world: World) -> Observed:
    return copy.deepcopy(world.observed)


def differing(outcome: Reconciliation) -> set[tuple[str, str]]:
    return {(check.group, check.name) for check in outcome.checks if not check.ok}


def first_of(observed: Observed, job: str) -> str:
    return next(identity for identity, text in observed.results.items() if json.loads(text)["result_type"] == job)


def change(documents: dict[str, str], identity: str, **values: Any) -> None:
    documents[identity] = json.dumps({**json.loads(documents[identity]), **values})


def test_given_a_run_without_defect_then_everything_agrees(world: World, observed: Observed) -> None:
    outcome = world.reconciled(observed)
    assert differing(outcome) == set()
    assert outcome.ok
    assert outcome.differences == []
    assert json.loads(json.dumps(outcome.as_json()))["ok"] is True


def test_given_a_run_then_every_job_reason_and_metric_was_really_checked(world: World, observed: Observed) -> None:
    wanted = {(check.group, check.name): check.expected for check in world.reconciled(observed).checks}
    for job in KIT_JOBS:
        assert wanted["results", f"{job}, equal to the oracle's"] > 0
    for reason in INTAKE_REASONS:
        assert wanted["rejected", reason.value] > 0
    assert {name.split()[0] for group, name in wanted if group == "metrics"} == {
        "EventCount",
        "TotalValue",
        "Anomalies",
        "FraudAlerts",
        "Sessions",
        "Conversions",
        "TopCategory",
        "RejectedEvents",
    }
    assert wanted["planted", "anomalies: all found"] >= 3


def test_given_the_other_run_and_another_rounding_then_they_make_no_difference(
    world: World, observed: Observed
) -> None:
    identity = first_of(observed, "anomaly")
    score = json.loads(observed.results[identity])["anomaly_score"]
    change(observed.results, identity, run="backfill", anomaly_score=score * (1 + 1e-12))
    assert world.reconciled(observed).ok


@pytest.mark.parametrize("job", KIT_JOBS)
def test_given_a_missing_result_then_its_job_differs(world: World, observed: Observed, job: str) -> None:
    identity = first_of(observed, job)
    del observed.results[identity]
    outcome = world.reconciled(observed)
    assert ("results", f"{job}, equal to the oracle's") in differing(outcome)
    assert any("missing" in line and identity in line for line in outcome.differences)


def test_given_a_job_without_an_oracle_then_it_is_not_checked_and_its_results_must_be_in_the_sinks(
    world: World, observed: Observed, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a job whose oracle nobody has written
    monkeypatch.setattr(fraud, "results", lambda events, settings: None)
    # When the run is reconciled
    outcome = world.reconciled(observed)
    # Then it is shown as not checked, nothing differs, and its alerts, documents and metrics are counted all the same
    (line,) = (check for check in outcome.checks if "fraud, not checked" in check.name)
    assert (line.ok, line.checked, line.found > 0) == (True, False, True)
    assert differing(outcome) == set()
    # And an alert of it that is lost still differs
    lost = next(alert for alert in observed.alerts if str(alert["result_id"]).startswith("fraud-"))
    observed.alerts.remove(lost)
    assert differing(world.reconciled(observed)) == {("alerts", "results that alert"), ("alerts", "each of them once")}


CHANGES: list[tuple[str, str, Callable[[Any], Any]]] = [
    ("aggregation", "event_count", lambda value: value + 1),
    ("aggregation", "total_value", lambda value: round(value + 0.000001, 6)),
    ("aggregation", "avg_value", lambda value: value * 1.00001),
    ("aggregation", "window_start", lambda value: value.replace("00.000Z", "00.001Z")),
    ("anomaly", "is_anomaly", lambda value: int(value)),
    ("anomaly", "anomaly_score", lambda value: None),
    ("session", "event_types", lambda value: [*value[::-1], "x"]),
    ("session", "duration_minutes", lambda value: value + 0.001),
    ("behavior", "event_sequence", lambda value: value + " -> view"),
    ("behavior", "conversion_flag", lambda value: not value),
    ("recommendation", "rank", lambda value: value + 1),
    ("recommendation", "behavior_score", lambda value: value + 0.00001),
    ("fraud", "alert_level", lambda value: "HIGHEST"),
    ("fraud", "result_type", lambda value: "aggregation"),
]


@pytest.mark.parametrize(("job", "column", "changed"), CHANGES)
def test_given_a_changed_value_then_its_job_differs_and_the_column_is_named(
    world: World, observed: Observed, job: str, column: str, changed: Callable[[Any], Any]
) -> None:
    identity = first_of(observed, job)
    before = json.loads(observed.results[identity])[column]
    change(observed.results, identity, **{column: changed(before)})
    outcome = world.reconciled(observed)
    assert ("results", f"{job}, equal to the oracle's") in differing(outcome)
    assert any(f"{column} is " in line for line in outcome.differences)


def test_given_an_unknown_or_an_absent_column_then_it_is_named(world: World, observed: Observed) -> None:
    identity = first_of(observed, "session")
    document = json.loads(observed.results[identity])
    del document["user_id"]
    observed.results[identity] = json.dumps({**document, "extra": 1})
    outcome = world.reconciled(observed)
    assert ("results", "session, equal to the oracle's") in differing(outcome)
    assert any("unknown column extra" in line and "no column user_id" in line for line in outcome.differences)


def test_given_a_result_that_nobody_expects_then_it_differs(world: World, observed: Observed) -> None:
    document = json.loads(observed.results[first_of(observed, "fraud")])
    observed.results["fraud-0"] = json.dumps({**document, "result_id": "fraud-0", "user_id": 5})
    outcome = world.reconciled(observed)
    assert ("results", "that the oracle does not know") in differing(outcome)
    assert ("planted", "fraud: precision") in differing(outcome)


def test_given_one_id_with_two_contents_then_it_differs(world: World, observed: Observed) -> None:
    observed.conflicts.append("one / other")
    outcome = world.reconciled(observed)
    assert differing(outcome) == {("results", "one id with two contents")}
    assert "one / other" in outcome.differences


def test_given_a_lost_alert_then_both_alert_checks_differ(world: World, observed: Observed) -> None:
    observed.alerts.pop()
    assert differing(world.reconciled(observed)) == {
        ("alerts", "results that alert"),
        ("alerts", "each of them once"),
    }


def test_given_an_alert_twice_and_another_lost_then_it_differs_although_the_number_is_right(
    world: World, observed: Observed
) -> None:
    observed.alerts[0] = observed.alerts[1]
    assert differing(world.reconciled(observed)) == {("alerts", "each of them once")}


def test_given_an_alert_too_many_then_it_differs(world: World, observed: Observed) -> None:
    observed.alerts.append({"result_id": "session-0"})
    assert differing(world.reconciled(observed)) == {("alerts", "results that alert")}


@pytest.mark.parametrize("by", [1, -1])
def test_given_metrics_that_are_off_by_one_then_each_differs(world: World, observed: Observed, by: int) -> None:
    titles = {("metrics", f"{name} {dimension}".strip()) for name, dimension in observed.metrics}
    observed.metrics = {key: value + by for key, value in observed.metrics.items()}
    assert differing(world.reconciled(observed)) == titles


def test_given_no_metrics_then_each_differs(world: World, observed: Observed) -> None:
    titles = {("metrics", f"{name} {dimension}".strip()) for name, dimension in observed.metrics}
    observed.metrics = {}
    assert differing(world.reconciled(observed)) == titles


def test_given_a_metric_of_what_did_not_happen_then_it_differs(world: World, observed: Observed) -> None:
    observed.metrics = {**observed.metrics, ("EventCount", "never-sent"): 1.0}
    assert differing(world.reconciled(observed)) == {("metrics", "EventCount never-sent")}


def test_given_a_document_missing_in_the_index_then_it_differs(world: World, observed: Observed) -> None:
    observed.indexed = {**observed.indexed, "fraud": observed.indexed["fraud"] - 1}
    assert differing(world.reconciled(observed)) == {
        ("search", "documents = distinct results"),
        ("search", "each in its job's index"),
    }


def test_given_a_document_too_many_then_it_differs(world: World, observed: Observed) -> None:
    observed.indexed = {**observed.indexed, "fraud": observed.indexed["fraud"] + 1}
    assert differing(world.reconciled(observed)) == {("search", "documents = distinct results")}


def test_given_a_document_in_another_jobs_index_then_it_differs(world: World, observed: Observed) -> None:
    observed.indexed = {
        **observed.indexed,
        "fraud": observed.indexed["fraud"] - 1,
        "session": observed.indexed["session"] + 1,
    }
    assert differing(world.reconciled(observed)) == {("search", "each in its job's index")}


def test_given_a_rejection_for_another_reason_then_both_reasons_and_the_planted_differ(
    world: World, observed: Observed
) -> None:
    identity = next(each for each, text in observed.rejected.items() if json.loads(text)["reason"] == "malformed")
    change(observed.rejected, identity, reason="future")
    assert differing(world.reconciled(observed)) == {
        ("rejected", "malformed"),
        ("rejected", "future"),
        ("rejected", "each with the oracle's reason"),
        ("rejected", "planted, each once with its reason"),
    }


def test_given_two_rejections_that_swapped_their_reasons_then_the_planted_differ(
    world: World, observed: Observed
) -> None:
    of = {json.loads(text)["reason"]: identity for identity, text in observed.rejected.items()}
    change(observed.rejected, of["malformed"], reason="future")
    change(observed.rejected, of["future"], reason="malformed")
    assert differing(world.reconciled(observed)) == {
        ("rejected", "each with the oracle's reason"),
        ("rejected", "planted, each once with its reason"),
    }


def test_given_a_lost_rejection_then_it_differs(world: World, observed: Observed) -> None:
    observed.rejected.popitem()
    assert ("rejected", "planted, each once with its reason") in differing(world.reconciled(observed))


def test_given_a_rejection_that_nobody_planted_then_it_differs(world: World, observed: Observed) -> None:
    document = {"reason": "late", "partition": "shard-0", "position": "0"}
    observed.rejected["rejected-0"] = json.dumps(document)
    assert ("rejected", "records that nobody planted") in differing(world.reconciled(observed))


@pytest.mark.parametrize(
    ("count", "name"), [("read", "records read"), ("accepted", "accepted"), ("rejected_late", "accepted + rejected")]
)
def test_given_a_count_of_the_intake_that_is_off_then_it_differs(
    world: World, observed: Observed, count: str, name: str
) -> None:
    observed.counts = {**observed.counts, count: observed.counts[count] - 1}
    assert ("intake", name) in differing(world.reconciled(observed))


def test_given_no_counts_at_all_then_the_intake_differs(world: World, observed: Observed) -> None:
    observed.counts = {}
    assert ("intake", "records read") in differing(world.reconciled(observed))


def test_given_a_record_that_a_function_gave_up_then_it_differs(world: World, observed: Observed) -> None:
    observed.given_up = 1
    assert differing(world.reconciled(observed)) == {("sinks", "records given up by a function")}


@pytest.mark.parametrize(
    ("job", "checks"),
    [
        ("anomaly", {("planted", "anomalies: all found")}),
        ("fraud", {("planted", "fraud: recall")}),
        ("behavior", {("planted", "behavior: recall")}),
    ],
)
def test_given_planted_truth_that_is_not_found_then_recall_differs(
    world: World, observed: Observed, job: str, checks: set[tuple[str, str]]
) -> None:
    planted = [
        identity
        for identity, text in observed.results.items()
        if json.loads(text)["result_type"] == job and json.loads(text).get("conversion_flag", True)
    ]
    del observed.results[planted[0]]
    assert checks <= differing(world.reconciled(observed))


def test_given_a_job_that_is_switched_off_then_its_planted_truth_is_not_asked_for(world: World) -> None:
    settings = checked(property_groups({"jobs": {"enabled": "aggregation,session"}}))
    empty = Observed({}, {}, {}, [], [], {}, {}, 0)
    outcome = reconcile(world.log, world.planned, world.traffic.truth, settings, empty)
    names = {check.name: check.expected for check in outcome.checks if check.group == "planted"}
    assert names == {"anomalies: all found": 0}
