"""What the live panels show, as JSON."""

from __future__ import annotations

import time
from typing import Any

from contracts.rejections import REASON_MEANINGS, REJECTED, Reason
from contracts.results import ResultType
from local.cloudwatch.alarms import Change
from local.cloudwatch.missing import State
from local.demo.run import Run
from local.demo.watch import Watch
from local.faults.board import Board
from local.page.summaries import summary

_ALERTS = 30
_REJECTIONS = 12
_PAYLOAD = 160
_TOLD = 8
_CHANGES = 40


class Live:
    """Reads a run and who watches it; any thread may ask."""

    def __init__(self, run: Run, watch: Watch, faults: Board, name: str) -> None:
        self._run = run
        self._watch = watch
        self._faults = faults
        self._name = name
        self._counts: dict[str, int] = {}

    def snapshot(self) -> dict[str, Any]:
        """Everything but the dashboard, as of now."""
        run, status = self._run, self._run.status
        self._counts = dict(status.counts) or self._counts  # a restarting job tells none
        return {
            "name": self._name,
            "now": time.time(),
            "began": self._watch.began,
            "phase": status.phase,
            "event_time": status.event_time,
            "event_start": run.traffic.start,
            "event_end": run.traffic.end,
            "sent": status.sent,
            "planned": status.planned,
            "flow": self._flow(),
            "results": self._results(),
            "alerts": self._alerts(),
            "rejections": self._rejections(),
            "truth": self._truth(),
            "verdict": self._verdict(),
            "faults": self._faults.as_json(),
            "alarms": self._alarms(),
            "silent": dict(self._watch.silent),
        }

    def _flow(self) -> dict[str, int]:
        """Counters of what has passed each arrow."""
        counts, run = self._counts, self._run
        done = {"alerts": 0, "search-indexer": 0}
        for mapping in run.pipeline.mappings():
            done[mapping.function.name] += mapping.counts().done
        return {
            "sent": run.delivery.sent,
            "held": run.delivery.held,
            "read": counts.get("read", 0),
            "accepted": counts.get("accepted", 0),
            "rejected": sum(count for name, count in counts.items() if name.startswith("rejected_")),
            "results": len(run.results.documents),
            "rejections": len(run.rejected.documents),
            "alerting": done["alerts"],
            "indexed": done["search-indexer"],
            "alerts": len(run.alerts),
        }

    def _results(self) -> list[dict[str, Any]]:
        types, latest = dict(self._run.results.types), self._run.results.latest
        return [
            {
                "job": job.value,
                "count": types.get(job.value, 0),
                "latest": [
                    {"id": each["result_id"], "time": each["event_time"], "text": summary(each)}
                    for each in reversed(tuple(latest.get(job.value, ())))
                ],
            }
            for job in ResultType
        ]

    def _alerts(self) -> list[dict[str, Any]]:
        return [
            {
                "id": alert.get("result_id", ""),
                "severity": alert["severity"],
                "type": alert["alert_type"],
                "time": alert.get("timestamp", ""),
                "why": alert["message"],
            }
            for alert in reversed(self._run.alerts[-_ALERTS:])
        ]

    def _rejections(self) -> dict[str, Any]:
        counts = self._counts
        latest = tuple(self._run.rejected.latest.get(REJECTED, ()))[-_REJECTIONS:]
        return {
            "by_reason": [
                {
                    "reason": reason.value,
                    "count": counts.get(f"rejected_{reason.value}", 0),
                    "meaning": REASON_MEANINGS[reason],
                }
                for reason in Reason
            ],
            "latest": [
                {
                    "id": each["result_id"],
                    "reason": each["reason"],
                    "detail": each["detail"],
                    "payload": str(each["payload"])[:_PAYLOAD],
                    "time": each["arrival_time"],
                }
                for each in reversed(latest)
            ],
        }

    def _truth(self) -> list[dict[str, Any]]:
        truth, findings = self._run.traffic.truth, self._run.findings
        over = self._run.verdict is not None
        return [
            _planted("anomalies", len(truth.anomalies), len(truth.anomalies & findings.anomalies), over=over),
            _planted("fraud escalations", len(truth.frauds), len(truth.frauds & findings.frauds), over=over),
            _planted("conversions", len(truth.conversions), len(truth.conversions & findings.conversions), over=over),
        ]

    def _verdict(self) -> dict[str, Any] | None:
        verdict = self._run.verdict
        if verdict is None:
            return None
        wrong = [f"{check.group}: {check.name}" for check in verdict.checks if not check.ok]
        return {"ok": verdict.ok, "checks": len(verdict.checks), "differs": wrong[:_TOLD]}

    def _alarms(self) -> dict[str, Any]:
        alarms = self._watch.alarms
        return {
            "paging": alarms.paging.value,
            "raised": [each.rule.name for each in tuple(alarms.watched.values()) if each.state.value == "ALARM"],
            "changes": [
                {"name": each.name, "state": each.state.value, "at": each.at, "reason": each.reason}
                for each in reversed(_worth_telling(alarms.changes)[-_CHANGES:])
            ],
        }


def _worth_telling(changes: list[Change]) -> list[Change]:
    """What was raised, and what was fine again; that an alarm has its first data is no news."""
    return [each for each in tuple(changes) if State.ALARM in (each.state, each.before)]


def _planted(what: str, planted: int, found: int, *, over: bool) -> dict[str, Any]:
    missing = planted - found
    return {
        "what": what,
        "planted": planted,
        "found": found,
        "missed": missing if over else 0,
        "waiting": 0 if over else missing,
    }
