"""Alarms on events that do not come from Kinesis: what that counts of its stream, the application tells instead."""

from __future__ import annotations

from collections.abc import Iterator

from config.model import Environment
from config.properties import property_groups
from contracts.names import StreamRole
from flink_jobs.settings import parse
from monitoring import flink_metrics as flink
from monitoring import service_metrics as service
from monitoring.names import Names
from monitoring.rules import READ_LAG_MS, Comparison, Missing, Rule, Severity
from monitoring.series import MINUTE, series


def source_alarms(environment: Environment, names: Names) -> Iterator[Rule]:
    """Those of a topic and of files. How far files are behind nobody can tell: they come when somebody writes them."""
    settings, running = environment.alerts, environment.application.state == "running"
    if settings.no_events_minutes:
        yield Rule(
            "no-events",
            {"n": series(flink.RECORDS_IN, names.application)},
            1,
            f"no event for {settings.no_events_minutes} minutes: producers have stopped, or cannot write",
            Missing.BREACHING if running else Missing.FINE,
            "an application that tells nothing reads nothing" if running else "the settings leave it stopped",
            expression="IF(n > 0, 1, 0)",
            comparison=Comparison.BELOW,
            periods=settings.no_events_minutes,
            of=settings.no_events_minutes,
            severity=Severity.PAGE,
            here="send nothing",
        )
    yield Rule(
        "rejected-records",
        {"m": series(service.INCOMING_RECORDS, names.streams[StreamRole.REJECTED], period=5 * MINUTE)},
        settings.rejected_records,
        f"more than {settings.rejected_records:,} rejections in five minutes: a producer sends what nobody can read",
        Missing.FINE,
        "without rejections the stream publishes nothing",
        here="send poison or late events",
    )
    if environment.msk is not None:
        yield _behind(environment, names)


def _behind(environment: Environment, names: Names) -> Rule:
    """By event time: MSK knows no age of what a reader without a consumer group reads.

    By what the slowest operator has been told, not by what the fastest tells: Kafka's source has marks of its own that
    run ahead by the look-ahead.
    """
    time = parse(property_groups(environment), environment.name, local=False).time
    return Rule(
        "lag-events",
        {
            "w": series(flink.WATERMARK_IN, names.application),
            "n": series(flink.RECORDS_IN, names.application),
        },
        READ_LAG_MS + time.idle_timeout + time.start_grace,
        "event time is ten minutes, and what a silent partition may hold it, behind the clock; at the retention's end "
        "records are lost",
        Missing.FINE,
        "nobody writes or reads the topic: no-events tells that",
        # Before its first watermark an operator tells the lowest number that there is.
        expression="IF(n * w > 0, EPOCH(w) * 1000 - w, 0)",
        severity=Severity.PAGE,
        here="stop the reader, or send events of an hour ago",
    )
