"""Metrics that AWS publishes of the other services."""

from __future__ import annotations

from monitoring.series import MINUTE, Metric, Publisher, Unit

_DOCS = "https://docs.aws.amazon.com"
KINESIS = Publisher("Kinesis Data Streams", f"{_DOCS}/streams/latest/dev/monitoring-with-cloudwatch.html")
LAMBDA = Publisher("Lambda", f"{_DOCS}/lambda/latest/dg/monitoring-metrics-types.html")
SQS = Publisher("SQS", f"{_DOCS}/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html")
SNS = Publisher("SNS", f"{_DOCS}/sns/latest/dg/sns-monitoring-using-cloudwatch.html")
EVENTS = Publisher("EventBridge", f"{_DOCS}/eventbridge/latest/userguide/eb-monitoring.html")
FIREHOSE = Publisher("Firehose", f"{_DOCS}/firehose/latest/dev/monitoring-with-cloudwatch-metrics.html")
OPENSEARCH = Publisher(
    "OpenSearch Service",
    f"{_DOCS}/opensearch-service/latest/developerguide/managedomains-cloudwatchmetrics.html",
)
_COUNT, _MS = Unit.COUNT, Unit.MILLISECONDS


def _kinesis(name: str, statistic: str, unit: Unit, meaning: str) -> Metric:
    return Metric("AWS/Kinesis", name, ("StreamName",), statistic, unit, meaning, KINESIS)


INCOMING_RECORDS = _kinesis("IncomingRecords", "Sum", _COUNT, "records that the stream took")
INCOMING_BYTES = _kinesis("IncomingBytes", "Sum", Unit.BYTES, "bytes that the stream took")
ITERATOR_AGE = _kinesis(
    "GetRecords.IteratorAgeMilliseconds", "Maximum", _MS, "age of the record that the slowest polling reader reads"
)
THROTTLED_WRITES = _kinesis("WriteProvisionedThroughputExceeded", "Sum", _COUNT, "writes that a full shard refused")
THROTTLED_READS = _kinesis("ReadProvisionedThroughputExceeded", "Sum", _COUNT, "reads that a busy shard refused")


def _lambda(name: str, statistic: str, unit: Unit, meaning: str) -> Metric:
    return Metric("AWS/Lambda", name, ("FunctionName",), statistic, unit, meaning, LAMBDA)


INVOCATIONS = _lambda("Invocations", "Sum", _COUNT, "calls of the function")
ERRORS = _lambda("Errors", "Sum", _COUNT, "calls that raised: the whole batch is retried")
THROTTLES = _lambda("Throttles", "Sum", _COUNT, "calls for which the account had no concurrency left")
DURATION = _lambda("Duration", "Maximum", _MS, "the longest call")
READ_AGE = _lambda("IteratorAge", "Maximum", _MS, "age of the last record of a batch that the function was given")


def _sqs(name: str, unit: Unit, meaning: str) -> Metric:
    return Metric("AWS/SQS", name, ("QueueName",), "Maximum", unit, meaning, SQS)


MESSAGES = _sqs("ApproximateNumberOfMessagesVisible", _COUNT, "messages that wait")
MESSAGE_AGE = _sqs("ApproximateAgeOfOldestMessage", Unit.SECONDS, "age of the oldest message")

UNDELIVERED = Metric(
    "AWS/SNS",
    "NumberOfNotificationsFailed",
    ("TopicName",),
    "Sum",
    _COUNT,
    "messages that a subscriber did not take after all retries",
    SNS,
)
FAILED_TARGETS = Metric(
    "AWS/Events",
    "FailedInvocations",
    ("RuleName",),
    "Sum",
    _COUNT,
    "events that a rule could not hand to its target, after all retries",
    EVENTS,
)
FRESHNESS = Metric(
    "AWS/Firehose",
    "DeliveryToS3.DataFreshness",
    ("DeliveryStreamName",),
    "Maximum",
    Unit.SECONDS,
    "age of the oldest record that is not in S3 yet",
    FIREHOSE,
    5 * MINUTE,
)


def _search(name: str, statistic: str, unit: Unit, meaning: str) -> Metric:
    return Metric("AWS/ES", name, ("DomainName", "ClientId"), statistic, unit, meaning, OPENSEARCH)


SEARCH_RED = _search("ClusterStatus.red", "Maximum", _COUNT, "1 while a primary shard is lost")
SEARCH_YELLOW = _search("ClusterStatus.yellow", "Maximum", _COUNT, "1 while a replica is lost")
SEARCH_BLOCKED = _search("ClusterIndexWritesBlocked", "Maximum", _COUNT, "1 while the cluster refuses writes")
SEARCH_FREE = _search("FreeStorageSpace", "Minimum", Unit.MEGABYTES, "free storage of the fullest node")
SEARCH_CPU = _search("CPUUtilization", "Maximum", Unit.PERCENT, "CPU of the busiest node")
SEARCH_MEMORY = _search("JVMMemoryPressure", "Maximum", Unit.PERCENT, "heap of the fullest node")
SEARCH_KEY = _search("KMSKeyError", "Maximum", _COUNT, "1 while the domain's key is disabled")
SEARCH_SNAPSHOT = _search("AutomatedSnapshotFailure", "Maximum", _COUNT, "1 when the automated snapshot failed")
SEARCH_INDEXED = _search("IndexingRate", "Average", _COUNT, "documents indexed a minute and node")

SERVICE_METRICS = (
    INCOMING_RECORDS,
    INCOMING_BYTES,
    ITERATOR_AGE,
    THROTTLED_WRITES,
    THROTTLED_READS,
    INVOCATIONS,
    ERRORS,
    THROTTLES,
    DURATION,
    READ_AGE,
    MESSAGES,
    MESSAGE_AGE,
    UNDELIVERED,
    FAILED_TARGETS,
    FRESHNESS,
    SEARCH_RED,
    SEARCH_YELLOW,
    SEARCH_BLOCKED,
    SEARCH_FREE,
    SEARCH_CPU,
    SEARCH_MEMORY,
    SEARCH_KEY,
    SEARCH_SNAPSHOT,
    SEARCH_INDEXED,
)
