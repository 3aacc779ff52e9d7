"""Property groups of the application in one environment: what the stack hands to the managed service."""

from __future__ import annotations

from config.model import Environment, PropertyGroups
from contracts.kafka import IAM_PORT
from contracts.lake import BACKFILL, EVENTS
from contracts.names import StreamRole, input_stream_name, stream_name
from flink_jobs.settings import IAM, MSK, S3
from scripts.package import RUN_OPTIONS

RUN_OPTIONS_GROUP = "kinesis.analytics.flink.run.options"
BACKFILL_GROUP = "backfill"
#: A range that no event is in, until `make backfill` sets one: started by mistake, the application ends at once.
_NO_RANGE = {"start": "1970-01-01T00:00:00Z", "end": "1970-01-01T00:00:01Z"}


#: Stands for the brokers where nothing connects to them.
_SOME_BROKERS = f"brokers.invalid:{IAM_PORT}"


def property_groups(environment: Environment, brokers: str = _SOME_BROKERS) -> PropertyGroups:
    """The groups, complete: the file's, where events come from and results go, and where the zip's parts are.

    ``brokers`` of MSK are known in a deployment only.
    """
    groups = {group: dict(values) for group, values in environment.application.properties.items()}
    groups[RUN_OPTIONS_GROUP] = {**groups.get(RUN_OPTIONS_GROUP, {}), **RUN_OPTIONS}
    groups["input"] = {
        **groups.get("input", {}),
        **_source(environment, brokers),
        "region": environment.region,
    }
    groups["output"] = {
        **groups.get("output", {}),
        "results_stream": stream_name(environment.prefix, StreamRole.RESULTS),
        "rejected_stream": stream_name(environment.prefix, StreamRole.REJECTED),
    }
    return groups


def _source(environment: Environment, brokers: str) -> dict[str, str]:
    """Keys of the group ``input`` that say where events come from."""
    if (topic := environment.msk) is not None:
        return {"source": MSK, "bootstrap_servers": brokers, "topic": topic.topic, "authentication": IAM}
    if (files := environment.files) is not None:
        return {"source": S3, "prefix": f"s3://{files.bucket}/{files.prefix}", "format": files.format}
    return {"stream": input_stream_name(environment.prefix, environment.streams.input.existing_arn)}


def backfill_groups(environment: Environment, bucket: str) -> PropertyGroups:
    """The groups of the application that plays the archive in ``bucket``: the live one's, and its places.

    The input is not read and the stream of rejections not written; both must be named all the same.
    """
    return {
        **property_groups(environment),
        BACKFILL_GROUP: {
            **environment.backfill.properties,
            **_NO_RANGE,
            "archive": f"s3://{bucket}/{EVENTS}/",
            "output": f"s3://{bucket}/{BACKFILL}/",
        },
    }
