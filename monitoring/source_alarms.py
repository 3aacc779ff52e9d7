"""Alarms on events that do not come from Kinesis: what that counts of its stream, the application tells instead."""

from __future__ import annotations

from collections.abc import Iterator

from config.model import Environment
from contracts.names import StreamRole
from flink_jobs.settings import S3
from monitoring import flink_metrics as flink
from monitoring import service_metrics as service
from monitoring.names import Names
from monitoring.rules import Comparison, Missing, Rule, Severity
from monitoring.series import MINUTE, series

#: Of files only.
FILES_GONE = "files-gone"


def source_alarms(environment: Environment, names: Names) -> Iterator[Rule]:
    """Those of a topic and of files."""
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
    if environment.source.kind == S3:
        yield Rule(
            FILES_GONE,
            {"m": series(flink.FILES_GONE, names.application, period=5 * MINUTE)},
            0,
            "a file with events was deleted before it was read: its events are in no result",
            Missing.FINE,
            "a stopped application publishes nothing and reads nothing",
            expression="DIFF(m)",
            periods=1,
            of=1,
            here="delete a file while the application is stopped that was reading it",
        )
