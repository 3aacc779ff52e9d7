"""Source and sinks of the application, with the connector's options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyflink.datastream import StreamExecutionEnvironment

from flink_jobs.engine.contract import event_contract
from flink_jobs.engine.gateway import java, properties
from flink_jobs.graph import Documents
from flink_jobs.settings import ARCHIVE, IAM, KINESIS, MSK, S3, BackfillSettings, Settings

#: How the application signs in to MSK with its own role; aws-msk-iam-auth is in the jar.
_IAM_CLIENT = {
    "security.protocol": "SASL_SSL",
    "sasl.mechanism": "AWS_MSK_IAM",
    "sasl.jaas.config": "software.amazon.msk.auth.iam.IAMLoginModule required;",
    "sasl.client.callback.handler.class": "software.amazon.msk.auth.iam.IAMClientCallbackHandler",
}


def records(environment: StreamExecutionEnvironment, settings: Settings) -> Any:
    """The events of the source that is set, read once, decoded, with verdicts per partition and one watermark."""
    return _SOURCES[settings.input.source](environment, settings)


def kinesis_records(environment: StreamExecutionEnvironment, settings: Settings) -> Any:
    """The events of a Kinesis stream; a partition is a shard."""
    options = _client(settings) | {
        "flink.stream.initpos": settings.input.start,
        "flink.shard.getrecords.intervalmillis": str(settings.input.poll_interval),
        "flink.shard.discovery.intervalmillis": str(settings.input.discovery_interval),
    }
    return java("source.KinesisSource").attach(
        environment._j_stream_execution_environment, settings.input.stream, properties(options), _times(settings)
    )


def kafka_records(environment: StreamExecutionEnvironment, settings: Settings) -> Any:
    """The events of a topic of MSK, or of a Kafka of one's own."""
    given = settings.input
    client = {
        "bootstrap.servers": given.bootstrap_servers,
        "partition.discovery.interval.ms": str(given.discovery_interval),
        "isolation.level": "read_committed",  # what a transaction took back is no event
    }
    if given.authentication == IAM:
        client |= _IAM_CLIENT
    return java("source.KafkaTopic").attach(
        environment._j_stream_execution_environment,
        given.topic,
        properties(client),
        given.starts_at_latest,
        _times(settings),
    )


def file_records(environment: StreamExecutionEnvironment, settings: Settings) -> Any:
    """The events of files in S3, those that are there and those that will come."""
    given = settings.input
    plan = java("source.FilesPlan").live(
        given.prefix, given.format == ARCHIVE, given.starts_at_latest, given.discovery_interval, given.region
    )
    return java("source.FilesSource").attach(environment._j_stream_execution_environment, plan, _times(settings))


_SOURCES: dict[str, Callable[[StreamExecutionEnvironment, Settings], Any]] = {
    KINESIS: kinesis_records,
    MSK: kafka_records,
    S3: file_records,
}


def backfill_records(environment: StreamExecutionEnvironment, settings: Settings, backfill: BackfillSettings) -> Any:
    """The part of an archive that a backfill needs, sorted, with the verdicts that its records got live; bounded."""
    plan = java("source.FilesPlan").backfill(
        backfill.archive,
        backfill.rejections,
        backfill.known_from,
        backfill.end,
        backfill.end + backfill.delay,
        settings.input.region,
    )
    return java("source.FilesSource").attach(environment._j_stream_execution_environment, plan, _times(settings))


def archived_records(environment: StreamExecutionEnvironment, settings: Settings, backfill: BackfillSettings) -> Any:
    """The records of one file, in its order, with the verdicts that stand in it; for tests; bounded."""
    return java("source.ArchiveSource").attach(
        environment._j_stream_execution_environment,
        backfill.archive,
        settings.time.watermark_delay,
        _contract(settings),
        backfill.known_from,
    )


def sinks(documents: Documents, settings: Settings) -> None:
    """Results and rejections to their streams; of a backfill only results, and to files, too."""
    options = _client(settings)
    if settings.local is not None:
        options["aws.http.protocol.version"] = "HTTP1_1"  # the stand-in does not speak HTTP/2
    output = settings.output
    sink = java("sink.KinesisSink")
    sink.attach(documents.results, "results", output.results_stream, properties(options), output.buffer)
    if settings.backfill is not None:
        if settings.backfill.output:
            java("sink.FilesSink").attach(documents.results, settings.backfill.output)
        return
    sink.attach(documents.rejected, "rejected", output.rejected_stream, properties(options), output.buffer)


def _times(settings: Settings) -> Any:
    time = settings.time
    return java("source.SourceTimes")(
        time.watermark_delay, time.start_grace, time.idle_timeout, time.look_ahead, _contract(settings)
    )


def _contract(settings: Settings) -> Any:
    return event_contract(settings.time.future_tolerance, settings.time.past_tolerance)


def _client(settings: Settings) -> dict[str, str]:
    options = {"aws.region": settings.input.region}
    local = settings.local
    if local is not None and local.endpoint:
        options |= {
            "aws.endpoint": local.endpoint,
            "aws.credentials.provider": "BASIC",
            "aws.credentials.provider.basic.accesskeyid": local.access_key,
            "aws.credentials.provider.basic.secretkey": local.secret_key,
        }
    return options
