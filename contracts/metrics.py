"""CloudWatch metrics of the kit's own: what the business sees, and what the functions say of themselves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from contracts.entry import Count, Graph, dimension_of
from contracts.events import ContractError
from contracts.rejections import Reason
from contracts.results import SCHEMAS

#: Namespace of a laptop; in AWS each environment has its own (:func:`namespace`), or two in one account would add up.
NAMESPACE = "RealTimeAnalytics"


def namespace(environment: str) -> str:
    """Namespace of a deployed environment's metrics."""
    return f"{NAMESPACE}/{environment}"


@dataclass(frozen=True)
class Metric:
    """A metric's name, its one dimension (or none), what one unit of it counts, and the dimension's closed values."""

    name: str
    dimension: str | None
    meaning: str
    unit: str = "Count"
    values: tuple[str, ...] = ()


#: Dimension of the metrics of one event type. Producers make up event types: the largest are counted by name
#: (:mod:`lambdas.alerts.event_types`), the others together as :data:`OTHER`.
EVENT_TYPE = dimension_of("event_type")
#: Dimension of the metrics of one category: those of ``alerts.categories`` are counted by name, the others together.
#: Where none are set there is no such metric: each is a series to pay for, and a producer can make up any number.
CATEGORY = dimension_of("category")
#: The value of a dimension for everything that is not counted by name.
OTHER = "other"
#: Stamped with its ``arrival_time``; those of results with the time that their entry names.
REJECTED_EVENTS = Metric(
    "RejectedEvents", "Reason", "records that were not accepted", values=tuple(reason.value for reason in Reason)
)


def metric_of(count: Count) -> Metric:
    """The metric that an entry's count adds to."""
    dimension = None if count.dimension is None else dimension_of(count.dimension)
    return Metric(count.metric, dimension, count.meaning, count.unit, count.values)


#: Published by the alerts function, from results and rejections.
METRICS = (*(metric_of(count) for entry in SCHEMAS.values() for count in entry.counts), REJECTED_EVENTS)


def check_metrics() -> None:
    """Raises ContractError when two jobs count in a metric of one name."""
    for name, number in Counter(metric.name for metric in METRICS).items():
        if number > 1:
            raise ContractError(f"contracts/jobs: the metric {name} is there {number} times: give each another name")
    for entry in SCHEMAS.values():
        for widget in entry.widgets:
            for name in widget.metrics if isinstance(widget, Graph) else (widget.part, widget.whole):
                if name not in {metric.name for metric in METRICS}:
                    raise ContractError(
                        f"contracts/jobs: the widget {widget.title!r} shows {name}, which nobody counts"
                    )


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
