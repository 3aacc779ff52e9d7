"""CloudWatch metrics that the alerts function publishes."""

from __future__ import annotations

from dataclasses import dataclass

#: Namespace of a laptop; in AWS each environment has its own (:func:`namespace`), or two in one account would add up.
NAMESPACE = "RealTimeAnalytics"


def namespace(environment: str) -> str:
    """Namespace of a deployed environment's metrics."""
    return f"{NAMESPACE}/{environment}"


@dataclass(frozen=True)
class Metric:
    """A metric's name, its one dimension (or none) and what one unit of it counts."""

    name: str
    dimension: str | None
    meaning: str


#: Sample time: ``window_start``, so that a 5-minute CloudWatch period holds exactly its window.
EVENT_COUNT = Metric("EventCount", "EventType", "events with a value in a 5-minute window")
#: The others are stamped with the result's ``event_time`` (a rejection: its ``arrival_time``).
ANOMALIES = Metric("Anomalies", "EventType", "anomalous events")
FRAUD_ALERTS = Metric("FraudAlerts", "AlertLevel", "fraud escalations")
SESSIONS = Metric("Sessions", None, "closed user sessions")
CONVERSIONS = Metric("Conversions", None, "sessions that went view, click, purchase")
REJECTED_EVENTS = Metric("RejectedEvents", "Reason", "records that were not accepted")

METRICS = (EVENT_COUNT, ANOMALIES, FRAUD_ALERTS, SESSIONS, CONVERSIONS, REJECTED_EVENTS)
