"""Alarms on the application: does it run, does it keep its state, does it keep up."""

from __future__ import annotations

from collections.abc import Iterator

from config.model import Environment
from config.properties import property_groups
from config.runtimes import RUNTIMES
from flink_jobs.settings import S3, parse
from monitoring import flink_metrics as flink
from monitoring.catalogue import DRIVER_ERRORS
from monitoring.names import Names
from monitoring.rules import READ_LAG_MS, Missing, Rule, Severity
from monitoring.series import HOUR, series

_DAY_MS = 86_400_000
#: More restarts than a maintenance of the service and a deployment bring in an hour.
_RESTARTS = 3
_STOPPED = "a stopped application publishes nothing, and flink-downtime tells when one should run that does not"
_BUSY = "keep a TaskManager busy; or publish the value under the metric's name, as the test does"


def flink_alarms(environment: Environment, names: Names) -> Iterator[Rule]:
    """Those of the application's own metrics and of its log."""
    yield from _runs(environment, names)
    yield from _keeps_state(environment, names)
    yield from _keeps_up(environment, names)


def _runs(environment: Environment, names: Names) -> Iterator[Rule]:
    settings, name = environment.application, names.application
    runtime = RUNTIMES[settings.runtime]
    running = settings.state == "running"
    for metric in runtime.down_metrics:
        yield Rule(
            f"flink-{_dashed(metric)}",
            {"m": series(flink.flink_metric(metric, runtime.name), name)},
            0,
            "the job does not run: it failed and is being restarted, or it tells nothing any more",
            Missing.BREACHING if running else Missing.FINE,
            "an application that should run and tells nothing does not run"
            if running
            else "the settings leave the application stopped",
            periods=1,
            of=1,
            severity=Severity.PAGE,
            here="kill the TaskManager",
        )
    yield Rule(
        "flink-restarts",
        {"m": series(flink.flink_metric(runtime.restarts_metric, runtime.name), name, period=HOUR)},
        _RESTARTS,
        f"more than {_RESTARTS} restarts within an hour: something fails again and again",
        Missing.FINE,
        _STOPPED,
        expression="DIFF(m)",
        periods=1,
        of=1,
        here="kill the TaskManager again and again",
    )
    yield Rule(
        "flink-python-driver",
        {"m": series(DRIVER_ERRORS, namespace=names.namespace)},
        0,
        "the Python driver logged an error: the application may say RUNNING without a job",
        Missing.FINE,
        "a log without lines of the driver is a good one",
        periods=1,
        of=1,
        severity=Severity.PAGE,
        not_here="the driver, its log line and the metric filter that counts it are AWS's",
    )


def _keeps_state(environment: Environment, names: Names) -> Iterator[Rule]:
    name = names.application
    interval = environment.application.checkpoint_interval_seconds * 1000
    yield Rule(
        "flink-checkpoint-failures",
        {"m": series(flink.CHECKPOINT_FAILURES, name)},
        0,
        "a checkpoint failed: a restart would go back further",
        Missing.FINE,
        _STOPPED,
        expression="RATE(m)",
        periods=1,
        of=1,
        here="kill the TaskManager while a checkpoint is under way",
    )
    yield Rule(
        "flink-checkpoint-duration",
        {"m": series(flink.CHECKPOINT_DURATION, name)},
        interval / 2,
        "checkpoints take more than half of their interval",
        Missing.FINE,
        _STOPPED,
        here="a checkpoint interval of twice what a checkpoint takes",
    )


def _keeps_up(environment: Environment, names: Names) -> Iterator[Rule]:
    settings, name = environment.application, names.application
    for metric, most, meaning in (
        (flink.CPU, 80, "CPU is short: raise parallelism or let it scale"),
        (flink.HEAP, 90, "the JVM's heap is nearly full"),
        (flink.CONTAINER_MEMORY, 85, "the container's memory is nearly full: Python workers count, too"),
        (flink.BACK_PRESSURE, 500, "an operator or a sink does not keep up"),
    ):
        yield Rule(
            f"flink-{_dashed(metric.name)}",
            {"m": series(metric, name)},
            most,
            meaning,
            Missing.FINE,
            _STOPPED,
            here=_BUSY,
        )
    if settings.autoscaling:  # without it the number of KPUs is what the settings say
        yield Rule(
            "flink-kpus",
            {"m": series(flink.KPUS, name)},
            settings.kpu_alarm,
            "autoscaling has gone further than the settings expect to pay for",
            Missing.FINE,
            "a stopped application pays for no KPU",
            periods=1,
            of=1,
            not_here="autoscaling is the managed service's",
        )
    yield _event_time_behind(environment, names)


def _event_time_behind(environment: Environment, names: Names) -> Rule:
    """How far event time is behind the clock while records come in, whether it stands still or creeps.

    Of a topic by what the slowest operator was given: the marks of Kafka's own source run ahead by the look-ahead. Of
    the others by what the source gives. Events come in files long after their time: of those a day is in order.
    """
    time = parse(property_groups(environment), environment.name, local=False).time
    watermark = flink.WATERMARK_OUT if environment.msk is None else flink.WATERMARK_IN
    behind = _DAY_MS if environment.source.kind == S3 else READ_LAG_MS
    return Rule(
        "flink-event-time-behind",
        {"w": series(watermark, names.application), "n": series(flink.RECORDS_IN, names.application)},
        behind + time.idle_timeout + time.start_grace,
        "records come in and event time is far behind the clock: windows close late or never, and so come results",
        Missing.FINE,
        _STOPPED,
        # Before its first watermark an operator gives the lowest number that there is.
        expression="IF(n * w > 0, EPOCH(w) * 1000 - w, 0)",
        severity=Severity.PAGE,
        not_here="the demo plays hours that are over: its events are behind the clock from the start",
    )


def _dashed(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)
