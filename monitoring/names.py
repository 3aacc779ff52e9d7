"""Names of the deployed resources that metrics are of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from config.functions import enabled
from config.model import Environment
from contracts.metrics import namespace
from contracts.names import (
    DELIVERIES,
    EVENT_BUS,
    EVENTS_DELIVERY,
    FAILURE_QUEUES,
    REFRESH_FAILURES,
    StreamRole,
    alarm_name,
    alerts_topic_name,
    application_name,
    channel_queue_name,
    delivery_name,
    function_name,
    input_stream_name,
    queue_name,
    refresh_failed_rule_name,
    stream_name,
)

#: Packages of the functions that read a stream.
ALERTS, INDEXER = "alerts", "search_indexer"


@dataclass(frozen=True)
class Names:
    """By what the kit calls them; empty where a part is switched off.

    ``streams`` has that of events only where they come from one, ``deliveries`` only what is archived. ``channels`` are
    the queues of the alerts' channels. ``functions`` are called as their metrics' dimension says: by the package.
    ``namespace`` is that of the kit's own metrics. ``account`` and ``region`` may be tokens of CDK.
    """

    prefix: str
    application: str
    streams: Mapping[str, str]
    functions: Mapping[str, str]
    queues: Mapping[str, str]
    topics: Mapping[str, str]
    deliveries: Mapping[str, str]
    channels: tuple[str, ...]
    search_domain: str | None
    refresh_queue: str | None
    refresh_rule: str | None
    namespace: str
    account: str
    region: str
    partition: str = "aws"

    def alarm_arn(self, rule: str) -> str:
        """ARN of the alarm of a rule."""
        name = alarm_name(self.prefix, rule)
        return f"arn:{self.partition}:cloudwatch:{self.region}:{self.account}:alarm:{name}"


def deployed(environment: Environment, account: str, region: str, partition: str = "aws") -> Names:
    """Names of what the environment deploys."""
    prefix, stream = environment.prefix, environment.kinesis
    searched = environment.search.enabled
    functions = (ALERTS, INDEXER) if searched else (ALERTS,)
    channels = [function.package for function in enabled(environment)]
    channels += [EVENT_BUS] if environment.alerts.event_bus is not None else []
    return Names(
        prefix=prefix,
        application=application_name(prefix),
        streams={
            **({} if stream is None else {StreamRole.INPUT: input_stream_name(prefix, stream.existing_arn)}),
            StreamRole.RESULTS: stream_name(prefix, StreamRole.RESULTS),
            StreamRole.REJECTED: stream_name(prefix, StreamRole.REJECTED),
        },
        functions={name: function_name(prefix, name) for name in functions},
        queues={FAILURE_QUEUES[name]: queue_name(prefix, name) for name in functions},
        topics={"alerts": alerts_topic_name(prefix)},
        deliveries={name: delivery_name(prefix, name) for name in _deliveries(environment)},
        channels=tuple(channel_queue_name(prefix, channel) for channel in channels),
        search_domain=prefix if searched else None,
        refresh_queue=f"{prefix}-{REFRESH_FAILURES}" if environment.warehouse.enabled else None,
        refresh_rule=refresh_failed_rule_name(prefix) if environment.warehouse.enabled else None,
        namespace=namespace(environment.name),
        account=account,
        region=region,
        partition=partition,
    )


def _deliveries(environment: Environment) -> Iterator[str]:
    """What is archived."""
    for name in DELIVERIES if environment.lake.enabled else ():
        if name != EVENTS_DELIVERY or environment.archives_events:
            yield name
