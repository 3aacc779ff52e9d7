"""Which planted truth has been found so far."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from contracts.identity import result_id
from contracts.results import ResultType
from local.traffic.plan import Truth


class Findings:
    """Takes results as they come, in one thread; others may read the sets."""

    def __init__(self, truth: Truth) -> None:
        self.anomalies: set[str] = set()
        self.frauds: set[tuple[int, str, int]] = set()
        self.conversions: set[tuple[int, str]] = set()
        self._truth = truth

    def take(self, result: dict[str, Any]) -> None:
        """Notes what a new result finds."""
        job = result["result_type"]
        if job == ResultType.ANOMALY and result["is_anomaly"]:
            event_id = planted_anomaly(result, self._truth)
            if event_id is not None:
                self.anomalies.add(event_id)
        elif job == ResultType.FRAUD:
            self.frauds.add((result["user_id"], result["alert_level"], millis(result["event_time"])))
        elif job == ResultType.BEHAVIOR and result["conversion_flag"]:
            self.conversions.add((result["user_id"], result["session_id"]))


class Rejections:
    """Reasons of the rejected records by where they lie: partition and position."""

    def __init__(self) -> None:
        self.reasons: dict[tuple[str, str], str] = {}

    def take(self, rejection: dict[str, Any]) -> None:
        """Notes a new rejection."""
        self.reasons[rejection["partition"], rejection["position"]] = rejection["reason"]


def planted_anomaly(result: dict[str, Any], truth: Truth) -> str | None:
    """The planted event that an anomaly's id is made of; None where it is another's."""
    time = millis(result["event_time"])
    for event_id in tuple(truth.anomalies):
        if result["result_id"] == result_id(ResultType.ANOMALY.value, time, time, f"id:{event_id}"):
            return event_id
    return None


def millis(text: str) -> int:
    """Epoch milliseconds of a result's time."""
    return round(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC).timestamp() * 1000)
