"""How the functions read their streams: the same settings for the deployed event source mappings and the laptop's.

Limits are Lambda's for Kinesis (developer guide, "Process Kinesis records with Lambda").
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts import conditions
from contracts.entry import Entry
from contracts.results import RUN_BACKFILL, SCHEMAS, ResultType

Pattern = Mapping[str, Any]

_MOST_AGE_HOURS = 168  # a mapping's limit


@dataclass(frozen=True)
class EventSource:
    """One function reading one stream.

    ``batch_size`` records, or what came within ``window_seconds``, are an invocation. ``per_shard`` batches of a shard
    are in work at once (the parallelization factor), so that a stream's shards times it is the function's concurrency:
    it needs no other limit. ``filters``: a record that matches none of these patterns (JSON of the data, in Lambda's
    syntax) wakes nobody; without patterns all do.
    """

    batch_size: int = 500
    window_seconds: int = 1
    per_shard: int = 1
    filters: tuple[Pattern, ...] = ()

    def concurrency(self, shards: int) -> int:
        """Invocations at once, at most."""
        return shards * self.per_shard


def record_age_hours(retention_hours: int) -> int:
    """Age at which a record is given up: half of its stream's retention, so that it can be replayed for as long.

    There is no limit of attempts beside it. A function of ours buries what can never be processed by itself and raises
    for no record's content, so what is tried again is an outage: one of hours must lose nothing.
    """
    return min(_MOST_AGE_HOURS, retention_hours // 2)


def _only_categories(entry: Entry) -> bool:
    """Whether a job's results count by category alone, so that nobody needs them where no categories are set."""
    return all(count.dimension == "category" and not count.values for count in entry.counts)


#: Results that the alerts function has no use for, unless categories are counted: in no alert and in no metric.
NOT_ALERTED = tuple(job.value for job, entry in SCHEMAS.items() if not entry.alerts and _only_categories(entry))

#: All but what is for the index alone. Written as what it does not serve, so that a result without a type, or of one
#: that nobody knows, still comes and is buried with its reason. What is no JSON at all is passed over by Lambda where
#: there is a pattern; the indexer, which has none, buries it.
ALERTS_OF_RESULTS = EventSource(
    # One batch at a time: samples of a minute are summed and a storm becomes one digest within a batch.
    per_shard=1,
    filters=(
        {
            "data": {
                "result_type": [{"anything-but": list(NOT_ALERTED)} if NOT_ALERTED else {"exists": True}],
                "run": [{"anything-but": [RUN_BACKFILL]}],
            }
        },
        {"data": {"result_type": [{"exists": False}]}},
        {"data": {"run": [{"exists": False}]}},
    ),
)


def _fulfilled(where: str) -> Pattern:
    """What a pattern can say of a condition: that a column has a value, as in ``rank == 1``; else nothing."""
    match conditions.parsed(where):
        case ast.Compare(left=ast.Name(id=column), ops=[ast.Eq()], comparators=[ast.Constant(value=wanted)]):
            return {column: [wanted]}
        case ast.Name(id=column):
            return {column: [True]}
    return {}


#: Beside them where categories are counted (``alerts.categories``): the results that count.
BY_CATEGORY: tuple[Pattern, ...] = tuple(
    {"data": {"result_type": [job], **_fulfilled(count.where), "run": [{"anything-but": [RUN_BACKFILL]}]}}
    for job in NOT_ALERTED
    for count in SCHEMAS[ResultType(job)].counts
)

#: Every rejection is counted.
ALERTS_OF_REJECTIONS = EventSource()

#: Everything is indexed. Two batches a shard at once: after an outage the backlog must shrink while the stream goes on,
#: and documents of different ids need no order.
INDEXER_OF_RESULTS = EventSource(per_shard=2)
