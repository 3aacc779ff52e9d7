"""Alarms on the streams and on the archive that is read from them."""

from __future__ import annotations

from collections.abc import Iterator

from config.model import Environment
from contracts.names import StreamRole
from monitoring import service_metrics as service
from monitoring.names import Names
from monitoring.rules import READ_LAG_MS, Comparison, Missing, Rule, Severity
from monitoring.series import MINUTE, series
from monitoring.source_alarms import source_alarms

_ARCHIVE_LAG_SECONDS = 30 * MINUTE
_QUIET = "nobody writes or reads the stream: no-events tells that"


def stream_alarms(environment: Environment, names: Names) -> Iterator[Rule]:
    """Those of Kinesis and Firehose."""
    yield from _traffic(environment, names)
    for role, stream in names.streams.items():
        yield Rule(
            f"lag-{role}",
            {"m": series(service.ITERATOR_AGE, stream)},
            READ_LAG_MS,
            "a reader of the stream is ten minutes behind; at the retention's end records are lost",
            Missing.FINE,
            _QUIET,
            severity=Severity.PAGE if role == StreamRole.INPUT else Severity.TICKET,
            here="stop the reader for ten minutes",
        )
        yield Rule(
            f"throttled-writes-{role}",
            {"m": series(service.THROTTLED_WRITES, stream)},
            0,
            "a shard takes no more: writers retry; add shards",
            Missing.FINE,
            _QUIET,
            not_here="the stand-in for Kinesis takes any rate",
        )
    for role, delivery in names.deliveries.items():
        yield Rule(
            f"archive-{role}",
            {"m": series(service.FRESHNESS, delivery)},
            _ARCHIVE_LAG_SECONDS,
            "the archive is half an hour behind",
            Missing.FINE,
            "Firehose tells no age while it has nothing to deliver",
            not_here="a laptop has no Firehose",
        )


def _traffic(environment: Environment, names: Names) -> Iterator[Rule]:
    settings, events = environment.alerts, names.streams.get(StreamRole.INPUT)
    if events is None:
        yield from source_alarms(environment, names)
        return
    rejected = names.streams[StreamRole.REJECTED]
    if settings.no_events_minutes:
        yield Rule(
            "no-events",
            {"m": series(service.INCOMING_RECORDS, events)},
            1,
            f"no event for {settings.no_events_minutes} minutes: producers have stopped, or cannot write",
            Missing.BREACHING,
            "Kinesis publishes nothing for a stream that nobody writes to",
            comparison=Comparison.BELOW,
            periods=settings.no_events_minutes,
            of=settings.no_events_minutes,
            severity=Severity.PAGE,
            here="send nothing",
        )
    yield Rule(
        "rejected-rate",
        {
            "r": series(service.INCOMING_RECORDS, rejected, period=5 * MINUTE),
            "e": series(service.INCOMING_RECORDS, events, period=5 * MINUTE),
        },
        settings.rejected_percent,
        f"more than {settings.rejected_percent:g} % of the events are rejected: a producer sends what nobody can read",
        Missing.FINE,
        "without events nothing is rejected; no-events tells that",
        expression="IF(e > 0, 100 * FILL(r, 0) / e, 0)",
        here="send poison or late events",
    )
