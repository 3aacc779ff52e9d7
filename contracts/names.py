"""Names of an environment's resources that more than one part must know."""

from __future__ import annotations

from enum import StrEnum


class StreamRole(StrEnum):
    """The three streams."""

    INPUT = "events"
    RESULTS = "results"
    REJECTED = "rejected"


def stream_name(prefix: str, role: StreamRole) -> str:
    """Name of a stream that the kit makes."""
    return f"{prefix}-{role.value}"


def input_stream_name(prefix: str, existing_arn: str | None) -> str:
    """Name of the stream of events: the team's own where there is one."""
    return existing_arn.rpartition("/")[2] if existing_arn else stream_name(prefix, StreamRole.INPUT)


def application_name(prefix: str) -> str:
    """Name of the application on the managed service."""
    return prefix


#: The archive of raw events, which not every source has.
EVENTS_DELIVERY = "events"


def function_name(prefix: str, function: str) -> str:
    """Name of a Lambda function; ``function`` is its package."""
    return f"{prefix}-{function.replace('_', '-')}"


#: What the archive holds, by the prefix in its bucket: a Firehose stream each.
DELIVERIES = (EVENTS_DELIVERY, "results", "rejected")


def delivery_name(prefix: str, delivery: str) -> str:
    """Name of a Firehose stream."""
    return f"{prefix}-{delivery}"


def bucket_name(prefix: str, holds: str, account: str, region: str) -> str:
    """Name of a bucket; ``holds`` says what is in it. Buckets of all accounts share one space of names."""
    return f"{prefix}-{holds}-{account}-{region}"


#: Bucket of the events, results and rejections, and of what backfills write.
ARCHIVE_BUCKET = "archive"


def alerts_topic_name(prefix: str) -> str:
    """Name of the topic of the business alerts."""
    return f"{prefix}-alerts"


def alarm_name(prefix: str, alarm: str) -> str:
    """Name of an alarm."""
    return f"{prefix}-{alarm}"


#: Queue of what a function could not process, by the function's package, after the prefix.
FAILURE_QUEUES = {"alerts": "alerts-failures", "search_indexer": "search-failures"}


#: Queue of the warehouse's refreshes that could not be asked for, or that failed in Redshift, after the prefix.
REFRESH_FAILURES = "refresh-failures"


def refresh_name(prefix: str) -> str:
    """Name of the warehouse's schedule, and of each statement that it starts."""
    return f"{prefix}-refresh"


def refresh_failed_rule_name(prefix: str) -> str:
    """Name of EventBridge's rule for a refresh that Redshift took and did not finish."""
    return f"{prefix}-refresh-failed"


def queue_name(prefix: str, function: str) -> str:
    """Name of the queue of what ``function`` could not process."""
    return f"{prefix}-{FAILURE_QUEUES[function]}"


#: The channel whose function a setting switches on, and the one that has none: EventBridge takes alerts from a queue.
WEBHOOK, EVENT_BUS = "alert_webhook", "alert_event_bus"


def channel_queue_name(prefix: str, channel: str) -> str:
    """Name of the queue of the alerts that wait for a channel."""
    return function_name(prefix, channel)


def channel_failures_name(prefix: str, channel: str) -> str:
    """Name of the queue of the alerts that a channel gave up."""
    return f"{channel_queue_name(prefix, channel)}-failures"


def processed_table(prefix: str) -> str:
    """Name of the table that remembers what is done once."""
    return f"{prefix}-processed"


#: The stacks of an environment, in the order in which they deploy; some are optional.
PARTS = (
    "network",
    "streams",
    "topic",
    "sinks",
    "search",
    "lake",
    "warehouse",
    "analytics",
    "backfill",
    "observability",
    "audit",
    "delivery",
)


def stack_name(prefix: str, part: str) -> str:
    """Name of a part's stack."""
    return f"{prefix}-{part}"


def cluster_name(prefix: str) -> str:
    """Name of the MSK cluster that the kit makes."""
    return prefix


def backfill_application_name(prefix: str) -> str:
    """Name of the application that plays the archive: stopped but for a backfill."""
    return f"{prefix}-backfill"


def backfill_log_group(prefix: str) -> str:
    """Name of its log group."""
    return f"/{prefix}/backfill"
