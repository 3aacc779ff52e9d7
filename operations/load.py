"""What a rate of events causes: records, bytes, calls, samples, objects. A month has 730 hours.

Shares are the laptop's traffic's (``make demo ARGS='--events 100000 --seed 1'``): 100,000 events of visitors over two
hours became 67,000 results, of which 25 were anomalies and 8 fraud.
"""

from __future__ import annotations

from dataclasses import dataclass

from config.model import Environment, Stream
from config.sources import alerts_of_rejections, alerts_of_results
from contracts.event_sources import INDEXER_OF_RESULTS, EventSource

HOURS = 730
SECONDS = HOURS * 3600
GB = 1024**3

#: JSON of one event, one result, one rejection (the record in its envelope).
EVENT_BYTES = 180
RESULT_BYTES = 380
REJECTION_BYTES = 2 * EVENT_BYTES
#: Per event: results; those that are a sample of a metric (sessions, conversions, anomalies, fraud; best categories
#: where they are counted); recommendations, which wake the alerts function only as a best category; alerts; rejections.
RESULTS_PER_EVENT = 0.667
SAMPLES_PER_EVENT = 0.119
RECOMMENDATIONS_PER_EVENT = 0.459
BEST_CATEGORIES_PER_EVENT = 0.179
ALERTS_PER_EVENT = 0.00033
REJECTED_PER_EVENT = 0.0113
#: Event types with a value: each has a result of the aggregation every five minutes.
EVENT_TYPES = 4
_WINDOWS = HOURS * 12
#: Firehose writes a file after 300 s or 64 MB (stacks/lake.py).
_FILE_SECONDS, _FILE_BYTES = 300, 64 * 1024**2


@dataclass(frozen=True)
class Flow:
    """One stream's records a second and the bytes of each."""

    records: float
    size: int

    @property
    def bytes_month(self) -> float:
        """Bytes a month."""
        return self.records * self.size * SECONDS


@dataclass(frozen=True)
class Load:
    """What ``events`` a second cause in ``environment``."""

    environment: Environment
    events: float

    def flows(self) -> dict[str, Flow]:
        """By stream, as the settings call them; ``input`` whatever the source."""
        return {
            "input": Flow(self.events, EVENT_BYTES),
            "results": Flow(self.events * RESULTS_PER_EVENT, RESULT_BYTES),
            "rejected": Flow(self.events * REJECTED_PER_EVENT, REJECTION_BYTES),
        }

    def archived(self) -> dict[str, Flow]:
        """Those of the flows that the lake keeps."""
        return {
            role: flow for role, flow in self.flows().items() if role != "input" or self.environment.archives_events
        }

    def calls_month(self) -> dict[str, float]:
        """Calls a month by who reads what: a batch is full, or its time is over; no records, no call."""
        environment, flows = self.environment, self.flows()
        served = (RESULTS_PER_EVENT - RECOMMENDATIONS_PER_EVENT + self._best_categories()) * self.events
        results, rejected = environment.streams.results, environment.streams.rejected
        calls = {
            "alerts from results": _calls(served, results, alerts_of_results(environment)),
            "alerts from rejected": _calls(flows["rejected"].records, rejected, alerts_of_rejections(environment)),
        }
        if environment.search.enabled:
            calls["search_indexer from results"] = _calls(flows["results"].records, results, INDEXER_OF_RESULTS)
        return calls

    def _best_categories(self) -> float:
        """Samples of best categories per event, where they are counted."""
        return BEST_CATEGORIES_PER_EVENT if self.environment.alerts.categories else 0.0

    def metric_requests_month(self) -> float:
        """PutMetricData a month: a call of the alerts function has one when any of its records is a sample."""
        calls = self.calls_month()
        per_event = SAMPLES_PER_EVENT + self._best_categories()
        samples = self.events * per_event * SECONDS + EVENT_TYPES * _WINDOWS
        return min(calls["alerts from results"], samples) + calls["alerts from rejected"]

    def claims_month(self) -> float:
        """What is done once, two writes of the table each: counting a window; counting and sending an alert."""
        return EVENT_TYPES * _WINDOWS + 2 * self.alerts_month()

    def alerts_month(self) -> float:
        """Alerts a month, before digests."""
        return self.events * ALERTS_PER_EVENT * SECONDS

    def files_month(self) -> float:
        """Objects that Firehose writes a month."""
        files = (max(SECONDS / _FILE_SECONDS, flow.bytes_month / _FILE_BYTES) for flow in self.archived().values())
        return sum(files)


def _calls(records: float, stream: Stream, source: EventSource) -> float:
    """Calls a month for ``records`` a second; an empty poll calls nobody, and Lambda polls some times a second."""
    per_shard = records / stream.shards
    by_time = min(1 / max(source.window_seconds, 0.2), per_shard)
    return stream.shards * max(by_time, per_shard / source.batch_size) * SECONDS
