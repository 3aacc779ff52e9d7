"""Metrics of the managed service for Apache Flink, at metrics level APPLICATION: one series an application each.

Which of two names a runtime publishes is said here; which one serves which purpose in :mod:`config.runtimes`.
"""

from __future__ import annotations

from config.runtimes import RUNTIMES
from monitoring.series import HOUR, Metric, Publisher, Unit

FLINK = Publisher(
    "Managed Service for Apache Flink",
    "https://docs.aws.amazon.com/managed-flink/latest/java/metrics-dimensions.html",
)
_NAMESPACE = "AWS/KinesisAnalytics"
_FIRST, _SECOND = ("1",), ("2",)


def _metric(
    name: str, statistic: str, unit: Unit, meaning: str, *, flink: tuple[str, ...] = (), period: int | None = None
) -> Metric:
    return Metric(_NAMESPACE, name, ("Application",), statistic, unit, meaning, FLINK, period or 60, flink)


_MS, _COUNT, _PERCENT = Unit.MILLISECONDS, Unit.COUNT, Unit.PERCENT

UPTIME = _metric("uptime", "Minimum", _MS, "how long the job has run without interruption", flink=_FIRST)
DOWNTIME = _metric("downtime", "Maximum", _MS, "how long the job has been failing or recovering", flink=_FIRST)
FULL_RESTARTS = _metric("fullRestarts", "Maximum", _COUNT, "restarts of the job since it was submitted", flink=_FIRST)
RUNNING_TIME = _metric("runningTime", "Minimum", _MS, "how long the job has run", flink=_SECOND)
RESTARTING_TIME = _metric("restartingTime", "Maximum", _MS, "how long the job has been restarting", flink=_SECOND)
FAILING_TIME = _metric("failingTime", "Maximum", _MS, "how long the job has been failing", flink=_SECOND)
CANCELLING_TIME = _metric("cancellingTime", "Maximum", _MS, "how long the job has been cancelling", flink=_SECOND)
NUM_RESTARTS = _metric("numRestarts", "Maximum", _COUNT, "restarts of the job since it was submitted", flink=_SECOND)

# Four samples a minute: their sum over four is the rate, which is their average.
RECORDS_IN = _metric("numRecordsInPerSecond", "Average", Unit.COUNT_PER_SECOND, "records that operators take in")
RECORDS_OUT = _metric("numRecordsOutPerSecond", "Average", Unit.COUNT_PER_SECOND, "records that operators give out")
LATE_DROPPED = _metric(
    "numLateRecordsDropped", "Maximum", _COUNT, "records that a window dropped as late: none, the intake rejects them"
)
WATERMARK_IN = _metric(
    "currentInputWatermark", "Minimum", _MS, "the watermark of the operator that is furthest behind, epoch milliseconds"
)
WATERMARK_OUT = _metric("currentOutputWatermark", "Maximum", _MS, "the application's watermark, epoch milliseconds")
CHECKPOINT_DURATION = _metric("lastCheckpointDuration", "Maximum", _MS, "what the last checkpoint took")
CHECKPOINT_SIZE = _metric("lastCheckpointSize", "Maximum", Unit.BYTES, "size of the last checkpoint: the job's state")
CHECKPOINT_FAILURES = _metric("numberOfFailedCheckpoints", "Maximum", _COUNT, "checkpoints that failed, so far")
BACK_PRESSURE = _metric(
    "backPressuredTimeMsPerSecond", "Maximum", _MS, "milliseconds of a second that an operator waits for the next one"
)
BUSY = _metric("busyTimeMsPerSecond", "Maximum", _MS, "milliseconds of a second that an operator works")
CPU = _metric("cpuUtilization", "Maximum", _PERCENT, "CPU of the TaskManagers' JVMs")
CONTAINER_CPU = _metric(
    "containerCPUUtilization", "Maximum", _PERCENT, "CPU of the containers, Python workers included"
)
HEAP = _metric("heapMemoryUtilization", "Maximum", _PERCENT, "heap of the TaskManagers' JVMs")
CONTAINER_MEMORY = _metric(
    "containerMemoryUtilization", "Maximum", _PERCENT, "memory of the containers: Python workers and RocksDB, too"
)
CONTAINER_DISK = _metric("containerDiskUtilization", "Maximum", _PERCENT, "disk of the containers")
KPUS = _metric("KPUs", "Maximum", _COUNT, "processing units that are paid for", period=HOUR)
BEHIND_LATEST = Metric(
    _NAMESPACE,
    "millisBehindLatest",
    ("Application", "Stream"),
    "Maximum",
    _MS,
    "how far the source is behind the head of the stream",
    FLINK,
)
#: Of the metric group ``kinesisanalytics``, whose metrics the service publishes beside its own.
FILES_GONE = Metric(
    _NAMESPACE,
    "files_gone",
    ("Application",),
    "Maximum",
    _COUNT,
    "files with events that were deleted before the source had read them, so far",
    Publisher(
        "the source of files, in the metric group `kinesisanalytics`",
        "https://docs.aws.amazon.com/managed-flink/latest/java/monitoring-metrics-custom.html",
    ),
)

FLINK_METRICS = (
    UPTIME,
    DOWNTIME,
    FULL_RESTARTS,
    RUNNING_TIME,
    RESTARTING_TIME,
    FAILING_TIME,
    CANCELLING_TIME,
    NUM_RESTARTS,
    RECORDS_IN,
    RECORDS_OUT,
    LATE_DROPPED,
    WATERMARK_IN,
    WATERMARK_OUT,
    CHECKPOINT_DURATION,
    CHECKPOINT_SIZE,
    CHECKPOINT_FAILURES,
    BACK_PRESSURE,
    BUSY,
    CPU,
    CONTAINER_CPU,
    HEAP,
    CONTAINER_MEMORY,
    CONTAINER_DISK,
    KPUS,
    BEHIND_LATEST,
    FILES_GONE,
)


def flink_metric(name: str, runtime: str) -> Metric:
    """The metric of that name; ValueError where ``runtime`` (of :mod:`config.runtimes`) does not publish it."""
    for metric in FLINK_METRICS:
        if metric.name == name and published(metric, runtime):
            return metric
    raise ValueError(f"{runtime} publishes no metric {name}")


def published(metric: Metric, runtime: str) -> bool:
    """Whether ``runtime`` publishes it: 2.x renamed some."""
    return not metric.flink or RUNTIMES[runtime].flink.partition(".")[0] in metric.flink
