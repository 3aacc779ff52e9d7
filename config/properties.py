"""Property groups of the application in one environment: what the stack hands to the managed service."""

from __future__ import annotations

from config.model import Environment, PropertyGroups
from contracts.names import StreamRole, input_stream_name, stream_name
from scripts.package import RUN_OPTIONS

RUN_OPTIONS_GROUP = "kinesis.analytics.flink.run.options"


def property_groups(environment: Environment) -> PropertyGroups:
    """The groups, complete: the file's, the streams' names and region, and where the zip's parts are."""
    groups = {group: dict(values) for group, values in environment.application.properties.items()}
    groups[RUN_OPTIONS_GROUP] = {**groups.get(RUN_OPTIONS_GROUP, {}), **RUN_OPTIONS}
    groups["input"] = {
        **groups.get("input", {}),
        "stream": input_stream_name(environment.prefix, environment.streams.input.existing_arn),
        "region": environment.region,
    }
    groups["output"] = {
        **groups.get("output", {}),
        "results_stream": stream_name(environment.prefix, StreamRole.RESULTS),
        "rejected_stream": stream_name(environment.prefix, StreamRole.REJECTED),
    }
    return groups
