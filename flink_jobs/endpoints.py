"""Source and sinks of the application, with the connector's options."""

from __future__ import annotations

from typing import Any

from pyflink.datastream import StreamExecutionEnvironment

from flink_jobs.gateway import java, properties
from flink_jobs.graph import Documents
from flink_jobs.settings import BackfillSettings, Settings


def kinesis_records(environment: StreamExecutionEnvironment, settings: Settings) -> Any:
    """The stream of events, read once, decoded, with per-shard verdicts and one watermark."""
    options = _client(settings) | {
        "flink.stream.initpos": settings.input.start,
        "flink.shard.getrecords.intervalmillis": str(settings.input.poll_interval),
        "flink.shard.discovery.intervalmillis": str(settings.input.discovery_interval),
    }
    time = settings.time
    times = java("source.SourceTimes")(
        time.watermark_delay, time.start_grace, time.idle_timeout, time.look_ahead, time.future_tolerance
    )
    return java("source.KinesisSource").attach(
        environment._j_stream_execution_environment, settings.input.stream, properties(options), times
    )


def archived_records(environment: StreamExecutionEnvironment, settings: Settings, backfill: BackfillSettings) -> Any:
    """The records of an archive, with the verdicts that they got live; bounded."""
    return java("source.ArchiveSource").attach(
        environment._j_stream_execution_environment,
        backfill.archive,
        settings.time.watermark_delay,
        settings.time.future_tolerance,
        backfill.known_from,
    )


def kinesis_sinks(documents: Documents, settings: Settings) -> None:
    """Results and rejections to their streams."""
    options = _client(settings)
    if settings.local is not None:
        options["aws.http.protocol.version"] = "HTTP1_1"  # the stand-in does not speak HTTP/2
    output = settings.output
    sink = java("sink.KinesisSink")
    sink.attach(documents.results, "results", output.results_stream, properties(options), output.buffer)
    sink.attach(documents.rejected, "rejected", output.rejected_stream, properties(options), output.buffer)


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
