"""Starts the parts of the laptop run and wires them as the deployment does."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from contracts.event_sources import (
    ALERTS_OF_REJECTIONS,
    ALERTS_OF_RESULTS,
    BY_CATEGORY,
    INDEXER_OF_RESULTS,
    EventSource,
    record_age_hours,
)
from flink_jobs import properties
from flink_jobs.properties import Groups
from flink_jobs.settings import KINESIS
from lambdas.alerts import handler as alerts
from lambdas.alerts.settings import told_settings
from lambdas.common.logs import JsonFormatter
from lambdas.search_indexer import handler as indexer
from lambdas.search_indexer.template import put_templates
from local.bridge.function_metrics import EmbeddedMetrics, FunctionMetrics
from local.demo import application, inputs
from local.demo.inputs import Input
from local.event_source_mapping import EventSourceMapping, LambdaFunction, MappingSettings, sqs_destination
from local.processes import Supervisor
from local.standins.flink import FlinkCluster
from local.standins.moto import Moto
from local.standins.opensearch import OpenSearch
from local.traffic.generator import PLAIN_CATEGORIES

OPENSEARCH_LIB = application.ROOT / ".cache" / "opensearch" / "lib"

#: Retention of the laptop's streams, as a stream of Kinesis has it that says nothing else.
_RETENTION_HOURS = 24

#: Remembers what the alerts function has done.
PROCESSED_TABLE = "processed"

ALERTS_FUNCTION = "alerts"
INDEXER_FUNCTION = "search-indexer"
ALERTS_TOPIC = "alerts"
#: Queues of what a reader could not process, by what the dashboard calls them.
FAILURES_QUEUES = {"alerts-failures": "alerts-failures", "search-failures": "search-failures"}

#: A query of metrics to a TaskManager that has just died holds up all others until this timeout (ten minutes by
#: default), and the job's own metrics stand still. The state of a job is kept for a second, not for three.
_FLINK: dict[str, str | int | float | bool] = {
    "metrics.fetcher.update-interval": 500,
    "web.timeout": 5_000,
    "web.refresh-interval": 1_000,
}

Say = Callable[[str], None]

#: As an environment has it that counts categories.
_ALERTS_OF_RESULTS = replace(ALERTS_OF_RESULTS, filters=(*ALERTS_OF_RESULTS.filters, *BY_CATEGORY))


@dataclass(frozen=True)
class Telling:
    """What the functions tell of themselves: their calls, and metrics in their log lines."""

    calls: FunctionMetrics = field(default_factory=FunctionMetrics)
    lines: EmbeddedMetrics = field(default_factory=EmbeddedMetrics)


@dataclass(frozen=True)
class Pipeline:
    """The running parts. ``alerts_queue`` is the SQS queue that is subscribed to the alerts' topic.

    OpenSearch is the slowest to start and nothing waits for it but its own poller: ``search`` gives both once it
    answers, and raises what went wrong with it.
    """

    moto: Moto
    flink: FlinkCluster
    job_id: str
    alerting: tuple[EventSourceMapping, ...]
    search: Future[tuple[OpenSearch, EventSourceMapping]]
    alerts_queue: str
    input: Input
    telling: Telling

    def mappings(self) -> tuple[EventSourceMapping, ...]:
        """The pollers that run by now; raises the error of one that could not start."""
        return (*self.alerting, self.search.result()[1]) if self.search.done() else self.alerting


@contextmanager
def running(
    supervisor: Supervisor, groups: Groups, shards: int, slots: int, say: Say, source: str = KINESIS
) -> Iterator[Pipeline]:
    """Starts everything and submits the application; stops the pollers at the end (the supervisor the rest).

    Args:
        supervisor: owns the processes.
        groups: the caller's property groups; this run's streams and endpoint are added.
        shards: of the input.
        slots: task slots, at least the parallelism.
        say: told what happens, a line each.
        source: kinesis, msk or s3.
    """
    with ExitStack() as stack, ThreadPoolExecutor(max_workers=3) as pool:
        flink_start = pool.submit(FlinkCluster.start, supervisor, slots=slots, settings=_FLINK)
        moto = Moto.start(supervisor)
        say(f"moto server: {moto.endpoint} (Kinesis, SNS, SQS, CloudWatch)")
        source_start = pool.submit(inputs.make, source, supervisor, moto, shards)
        queues = _resources(moto)
        telling = Telling()
        _lambda_environment(supervisor, moto, queues, telling, told_settings(groups))
        alerting_function = LambdaFunction(ALERTS_FUNCTION, alerts.handler, observer=telling.calls.take)
        alerting = tuple(
            stack.enter_context(_mapping(moto, stream, alerting_function, how, queues.alerts_failures))
            for stream, how in (
                (application.RESULTS_STREAM, _ALERTS_OF_RESULTS),
                (application.REJECTED_STREAM, ALERTS_OF_REJECTIONS),
            )
        )
        flink = flink_start.result()
        say(f"Flink: {flink.rest_url}")
        search = pool.submit(_start_search, supervisor, moto, queues, telling, say)
        stack.callback(_stop_search, search)
        made = source_start.result()
        if made.broker is not None:
            say(f"Kafka: {made.broker.address}")
        job_id = submit(supervisor, flink, application.property_groups(groups, moto.endpoint, source=made.keys))
        say(f"application.zip runs as job {job_id}")
        yield Pipeline(moto, flink, job_id, alerting, search, queues.alerts, made, telling)


def _start_search(
    supervisor: Supervisor, moto: Moto, queues: _Queues, telling: Telling, say: Say
) -> tuple[OpenSearch, EventSourceMapping]:
    opensearch = OpenSearch.start(supervisor, OPENSEARCH_LIB)
    os.environ.update(OPENSEARCH_ENDPOINT=opensearch.url, DEAD_LETTER_QUEUE_URL=queues.search_failures)
    indexer.function.cache_clear()
    put_templates(opensearch.url)
    function = LambdaFunction(INDEXER_FUNCTION, indexer.handler, observer=telling.calls.take)
    mapping = _mapping(moto, application.RESULTS_STREAM, function, INDEXER_OF_RESULTS, queues.search_failures)
    mapping.start()
    say(f"OpenSearch: {opensearch.url}")
    return opensearch, mapping


def _stop_search(search: Future[tuple[OpenSearch, EventSourceMapping]]) -> None:
    """Stops the indexer's poller; an error of its start has been raised by ``mappings`` or is of no more interest."""
    if not search.cancel() and search.exception() is None:
        search.result()[1].stop()


@dataclass(frozen=True)
class _Queues:
    topic: str
    alerts: str
    alerts_failures: str
    search_failures: str


def _resources(moto: Moto) -> _Queues:
    kinesis, sns, sqs = moto.client("kinesis"), moto.client("sns"), moto.client("sqs")
    for stream in (application.RESULTS_STREAM, application.REJECTED_STREAM):
        kinesis.create_stream(StreamName=stream, ShardCount=1)
        kinesis.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 1})
    topic = sns.create_topic(Name=ALERTS_TOPIC)["TopicArn"]
    alerts = sqs.create_queue(QueueName="alerts-inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=alerts, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    failures = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in FAILURES_QUEUES.values()]
    dynamodb = moto.client("dynamodb")
    dynamodb.create_table(
        TableName=PROCESSED_TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return _Queues(topic, alerts, *failures)


def submit(supervisor: Supervisor, flink: FlinkCluster, groups: Groups) -> str:
    """Submits the application with these property groups; returns the job's id."""
    home = supervisor.scratch("application")
    application.unpack(home)
    file = supervisor.run_dir / application.PROPERTIES
    file.write_text(properties.dump(groups), encoding="utf-8")
    return flink.submit(application.run_arguments(home, groups), env=application.environment(file))


def _mapping(moto: Moto, stream: str, function: LambdaFunction, how: EventSource, failures: str) -> EventSourceMapping:
    """The mapping as it is deployed, but for ``per_shard``: here a shard has one batch in work at a time."""
    settings = MappingSettings(
        batch_size=how.batch_size,
        maximum_batching_window_in_seconds=how.window_seconds,
        bisect_batch_on_function_error=True,
        maximum_record_age_in_seconds=record_age_hours(_RETENTION_HOURS) * 3600,
        filters=how.filters,
    )
    destination = sqs_destination(moto.client("sqs"), failures)
    return EventSourceMapping(moto.client("kinesis"), stream, function, settings, destination=destination)


def _lambda_environment(
    supervisor: Supervisor, moto: Moto, queues: _Queues, telling: Telling, job_settings: Groups
) -> None:
    """The handlers read their environment as they do on AWS; this process is their execution environment.

    Each function is made, and reads it, where its own variables stand in it.
    """
    os.environ.update(
        moto.environment(),
        ALERT_TOPIC_ARN=queues.topic,
        PROCESSED_TABLE=PROCESSED_TABLE,
        DEAD_LETTER_QUEUE_URL=queues.alerts_failures,
        # Traffic of hours ago is not too old here, and each planted alert is looked for by itself.
        ALERT_MAX_AGE_SECONDS=str(14 * 24 * 3600),
        ALERT_DIGEST_ABOVE="10000",
        METRIC_CATEGORIES=json.dumps(PLAIN_CATEGORIES),
        JOB_SETTINGS=json.dumps(job_settings),
        OPENSEARCH_TIMEOUT_SECONDS="30",
    )
    _log_to(supervisor.logs / "lambdas.log", telling.lines)
    alerts.function.cache_clear()
    alerts.function()


def _log_to(file: Path, lines: EmbeddedMetrics) -> None:
    """Sends the functions' log lines to a file, and reads their metrics; on AWS CloudWatch Logs does both."""
    handler = logging.FileHandler(file, encoding="utf-8")
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("lambdas")
    logger.handlers[:] = [handler, lines]
    logger.propagate = False


def poll_messages(client: Any, queue: str) -> list[str]:
    """Takes up to ten messages from an SQS queue; returns their bodies."""
    messages = client.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    if messages:
        client.delete_message_batch(
            QueueUrl=queue,
            Entries=[
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(messages)
            ],
        )
    return [message["Body"] for message in messages]
