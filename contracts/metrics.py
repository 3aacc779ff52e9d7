"""CloudWatch metrics of the kit's own: what the business sees, and what the functions say of themselves."""

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
    unit: str = "Count"


#: Dimension of the metrics of one event type. Producers make up event types: the largest are counted by name
#: (:mod:`lambdas.alerts.event_types`), the others together as :data:`OTHER`.
EVENT_TYPE = "EventType"
#: The value of a dimension for everything that is not counted by name.
OTHER = "other"
#: Sample time: ``window_start``, so that a 5-minute CloudWatch period holds exactly its window.
EVENT_COUNT = Metric("EventCount", EVENT_TYPE, "events with a value in a 5-minute window")
TOTAL_VALUE = Metric("TotalValue", EVENT_TYPE, "sum of the values of those events", "None")
#: The others are stamped with the result's ``event_time`` (a rejection: its ``arrival_time``).
ANOMALIES = Metric("Anomalies", EVENT_TYPE, "anomalous events")
FRAUD_ALERTS = Metric("FraudAlerts", "AlertLevel", "fraud escalations")
SESSIONS = Metric("Sessions", None, "closed user sessions")
CONVERSIONS = Metric("Conversions", None, "sessions that went through the funnel (`behavior.funnel`)")
#: Only where categories to count are set: each is a series to pay for, and a producer can make up any number of them.
TOP_CATEGORY = Metric("TopCategory", "Category", "users whose best category it is, of those active in five minutes")
REJECTED_EVENTS = Metric("RejectedEvents", "Reason", "records that were not accepted")

#: Published by the alerts function, from results and rejections.
METRICS = (EVENT_COUNT, TOTAL_VALUE, ANOMALIES, FRAUD_ALERTS, SESSIONS, CONVERSIONS, TOP_CATEGORY, REJECTED_EVENTS)

#: Dimension of what a function says of itself: its package.
FUNCTION = "Function"
PROCESSED = Metric("RecordsProcessed", FUNCTION, "records that a function is done with")
DUPLICATE = Metric("RecordsDuplicate", FUNCTION, "results that it had processed before")
RETRIED = Metric("RecordsRetried", FUNCTION, "records that will be delivered to it again")
DEAD_LETTERED = Metric("RecordsDeadLettered", FUNCTION, "records that it can never process, and buried")
OLDEST_AGE = Metric(
    "OldestResultAge",
    FUNCTION,
    "since the oldest result of a batch became true: the delay from end to end",
    "Milliseconds",
)

#: Members of the log lines of the functions that read a stream, in CloudWatch's embedded format.
FUNCTION_METRICS = (PROCESSED, DUPLICATE, RETRIED, DEAD_LETTERED, OLDEST_AGE)
