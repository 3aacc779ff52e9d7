"""What is watched: the metrics that the deployed services publish, and the alarms on them, each with its reason.

Sources: AWS's recommended alarms for the managed service for Apache Flink; the metrics pages of Kinesis, Lambda, SQS,
Firehose and OpenSearch. Names that depend on the Flink version come from :mod:`config.runtimes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from config.model import Environment
from config.runtimes import RUNTIMES

FLINK = "AWS/KinesisAnalytics"
KINESIS = "AWS/Kinesis"
LAMBDA = "AWS/Lambda"
SQS = "AWS/SQS"
FIREHOSE = "AWS/Firehose"
OPENSEARCH = "AWS/ES"
#: Namespace of what metric filters make of the application's log.
LOGS = "RealTimeAnalytics/Logs"

MINUTE = 60


@dataclass(frozen=True)
class Series:
    """A metric of one resource. ``statistic`` over ``period`` seconds."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str
    period: int = MINUTE


class Missing(StrEnum):
    """What no data means to an alarm, as CloudWatch names it."""

    BREACHING = "BREACHING"
    FINE = "NOT_BREACHING"


@dataclass(frozen=True)
class Rule:
    """An alarm: ``series`` (or ``expression`` over it, as ``m``) above or below ``threshold``, M of N periods."""

    name: str
    series: Series
    threshold: float
    meaning: str
    expression: str | None = None
    below: bool = False
    periods: int = 3
    of: int = 3
    missing: Missing = Missing.FINE
    page: bool = False


@dataclass(frozen=True)
class Names:
    """Names of the deployed resources, by what the kit calls them; empty where a part is switched off."""

    application: str
    streams: Mapping[str, str]
    functions: Mapping[str, str]
    queues: Mapping[str, str]
    deliveries: Mapping[str, str]
    search_domain: str | None
    account: str


def flink(application: str, name: str, statistic: str) -> Series:
    """A metric of the application as a whole."""
    return Series(FLINK, name, {"Application": application}, statistic)


def rules(environment: Environment, names: Names) -> Iterator[Rule]:
    """Every alarm of the environment."""
    yield from _application(environment, names)
    yield from _streams(names)
    yield from _functions(names)
    if names.search_domain is not None:
        yield from _search(environment, names)


def python_driver_errors(application: str) -> Series:
    """Counts lines of the Python driver's errors: "RUNNING" can hide that it has crashed."""
    return Series(f"{LOGS}/{application}", "PythonDriverErrors", {}, "Sum")


def _application(environment: Environment, names: Names) -> Iterator[Rule]:
    settings, name = environment.application, names.application
    runtime = RUNTIMES[settings.runtime]
    expected = Missing.BREACHING if settings.state == "running" else Missing.FINE
    for metric in runtime.down_metrics:
        yield Rule(
            f"flink-{metric}",
            flink(name, metric, "Maximum"),
            0,
            "the job does not run: it failed and is being restarted, or it tells nothing any more",
            periods=1,
            of=1,
            missing=expected,
            page=True,
        )
    yield Rule(
        "flink-checkpoint-failures",
        flink(name, "numberOfFailedCheckpoints", "Maximum"),
        0,
        "a checkpoint failed: a restart would go back further",
        expression="RATE(m)",
        periods=1,
        of=1,
    )
    yield Rule(
        "flink-checkpoint-duration",
        flink(name, "lastCheckpointDuration", "Maximum"),
        settings.checkpoint_interval_seconds * 1000 / 2,
        "checkpoints take more than half of their interval",
    )
    for metric, most, meaning in (
        ("cpuUtilization", 80, "CPU is short: raise parallelism or let it scale"),
        ("heapMemoryUtilization", 90, "the JVM's heap is nearly full"),
        ("containerMemoryUtilization", 85, "the container's memory is nearly full: Python workers count, too"),
        ("backPressuredTimeMsPerSecond", 500, "an operator or a sink does not keep up"),
    ):
        yield Rule(f"flink-{_dashed(metric)}", flink(name, metric, "Maximum"), most, meaning)
    yield Rule(
        "flink-kpus",
        Series(FLINK, "KPUs", {"Application": name}, "Maximum", 60 * MINUTE),
        settings.kpu_alarm,
        "autoscaling has gone further than the settings expect to pay for",
        periods=1,
        of=1,
    )
    yield Rule(
        "flink-python-driver",
        python_driver_errors(name),
        0,
        "the Python driver logged an error: the application may say RUNNING without a job",
        periods=1,
        of=1,
        page=True,
    )


#: The application reads a minute behind at most in normal times; a snapshot and restart take some minutes.
_READ_LAG_MS = 10 * 60 * 1000


def _streams(names: Names) -> Iterator[Rule]:
    for role, stream in names.streams.items():
        yield Rule(
            f"lag-{role}",
            Series(KINESIS, "GetRecords.IteratorAgeMilliseconds", {"StreamName": stream}, "Maximum"),
            _READ_LAG_MS,
            "a reader of the stream is ten minutes behind; at the retention's end records are lost",
            page=role == "events",
        )
        yield Rule(
            f"throttled-writes-{role}",
            Series(KINESIS, "WriteProvisionedThroughputExceeded", {"StreamName": stream}, "Sum"),
            0,
            "a shard takes no more: writers retry; add shards",
        )
    for role, delivery in names.deliveries.items():
        yield Rule(
            f"archive-{role}",
            Series(FIREHOSE, "DeliveryToS3.DataFreshness", {"DeliveryStreamName": delivery}, "Maximum", 5 * MINUTE),
            30 * MINUTE,
            "the archive is half an hour behind",
        )


def _functions(names: Names) -> Iterator[Rule]:
    for called, function in names.functions.items():
        dimensions = {"FunctionName": function}
        yield Rule(
            f"errors-{called}",
            Series(LAMBDA, "Errors", dimensions, "Sum"),
            0,
            "the function raised: its whole batch is retried",
        )
        yield Rule(
            f"throttles-{called}",
            Series(LAMBDA, "Throttles", dimensions, "Sum"),
            0,
            "the account has no concurrency left for the function",
        )
    for called, queue in names.queues.items():
        yield Rule(
            f"dead-letters-{called}",
            Series(SQS, "ApproximateNumberOfMessagesVisible", {"QueueName": queue}, "Maximum"),
            0,
            "records were given up: see the runbook before their retention ends",
            periods=1,
            of=1,
            page=True,
        )


#: Free storage below which OpenSearch blocks writes is 20 % or 20 GB, whichever is less; the alarm comes before.
_FREE_SHARE = 0.25
_MB_PER_GB = 1024


def _search(environment: Environment, names: Names) -> Iterator[Rule]:
    dimensions = {"DomainName": names.search_domain or "", "ClientId": names.account}
    yield Rule(
        "search-red",
        Series(OPENSEARCH, "ClusterStatus.red", dimensions, "Maximum"),
        0,
        "an index has lost a primary shard: results of it cannot be read or written",
        periods=1,
        of=1,
        page=True,
    )
    yield Rule(
        "search-writes-blocked",
        Series(OPENSEARCH, "ClusterIndexWritesBlocked", dimensions, "Maximum"),
        0,
        "OpenSearch refuses writes: storage or memory is short",
        periods=1,
        of=1,
        page=True,
    )
    yield Rule(
        "search-storage",
        Series(OPENSEARCH, "FreeStorageSpace", dimensions, "Minimum"),
        environment.search.volume_gb * _MB_PER_GB * _FREE_SHARE,
        "a node's volume is three quarters full",
        below=True,
    )
    yield Rule(
        "search-memory",
        Series(OPENSEARCH, "JVMMemoryPressure", dimensions, "Maximum"),
        95,
        "the JVM's memory is short",
    )


def _dashed(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)
