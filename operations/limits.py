"""How many events a second the settings carry, limit by limit, and which setting raises each.

A limit is a quota of AWS or what was measured (docs/benchmarks); the lowest one breaks first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from config.model import Environment
from config.rules import polling_readers
from contracts.kafka import SERVERLESS_KB, SERVERLESS_KB_PER_PARTITION
from contracts.kinesis import (
    ON_DEMAND_RECORDS,
    READ_KB_PER_SHARD,
    WRITE_KB_PER_SHARD,
    WRITE_RECORDS_PER_SHARD,
)
from operations.load import GB, RESULT_BYTES, RESULTS_PER_EVENT, Load
from operations.measured import measured

#: Above this share of its CPU the service scales up, or the alarm is near.
_CPU_SHARE = 0.75
#: Share of a volume that may be full before OpenSearch blocks writes (monitoring/sink_alarms.py).
_FULL_SHARE = 0.75
#: A result in the index is as large as its JSON; with more than one node it is there twice.
_INDEX_FACTOR = 1.0


@dataclass(frozen=True)
class Limit:
    """``most`` events a second; ``setting`` is what to raise."""

    what: str
    most: float
    setting: str


def limits(environment: Environment) -> list[Limit]:
    """All of them, the one that breaks first in front."""
    found = [*_streams(environment), *_topic(environment), *_application(environment), *_search(environment)]
    return sorted(found, key=lambda limit: limit.most)


def _streams(environment: Environment) -> Iterator[Limit]:
    readers = polling_readers(environment)
    for role, flow in Load(environment, 1.0).flows().items():
        if role == "input" and environment.kinesis is None:
            continue
        settings, setting = getattr(environment.streams, role), f"streams.{role}.shards"
        if role == "input" and environment.streams.input.existing_arn is not None:
            setting = "the shards of streams.input.existing_arn"
        if settings.mode == "on_demand":
            yield Limit(
                f"{role}: a stream on demand takes {ON_DEMAND_RECORDS:,} records/s at first, then doubles by itself",
                ON_DEMAND_RECORDS / flow.records,
                f"streams.{role}.mode = provisioned, with shards",
            )
            continue
        per_event = flow.records * flow.size / 1024
        for what, most in (
            (f"{WRITE_RECORDS_PER_SHARD:,} records/s written", WRITE_RECORDS_PER_SHARD / flow.records),
            (f"{WRITE_KB_PER_SHARD:,} KB/s written", WRITE_KB_PER_SHARD / per_event),
            (
                f"{READ_KB_PER_SHARD:,} KB/s for its {len(readers[role])} polling readers",
                READ_KB_PER_SHARD / (per_event * max(1, len(readers[role]))),
            ),
        ):
            yield Limit(f"{role}: a shard takes {what}", settings.shards * most, setting)


def _topic(environment: Environment) -> Iterator[Limit]:
    """A cluster of ours; what an existing one takes, its owner knows."""
    topic = environment.msk
    if topic is None or topic.cluster_arn is not None:
        return
    flow = Load(environment, 1.0).flows()["input"]
    per_event = flow.records * flow.size / 1024
    yield Limit(
        f"input: a partition of MSK Serverless takes {SERVERLESS_KB_PER_PARTITION:,} KB/s",
        topic.partitions * SERVERLESS_KB_PER_PARTITION / per_event,
        "source.msk.partitions",
    )
    yield Limit(
        f"input: MSK Serverless takes {SERVERLESS_KB:,} KB/s in all",
        SERVERLESS_KB / per_event,
        "a provisioned cluster: source.msk.cluster_arn",
    )


def _application(environment: Environment) -> Iterator[Limit]:
    settings, found, own = environment.application, measured(), environment.application.kpus
    per_kpu = _CPU_SHARE * 1e6 / found.cpu_seconds
    basis = f"{found.cpu_seconds:.0f} CPU s a million events, {_CPU_SHARE:.0%} of a KPU"
    yield Limit(f"application: {own} KPUs ({basis})", own * per_kpu, "application.parallelism")
    yield Limit(
        f"application: the account's {settings.kpu_quota} KPUs",
        settings.kpu_quota * per_kpu,
        "the service quota, then application.kpu_quota",
    )
    yield Limit(
        "application: 50 GB of disk a KPU for the state", own * 50 * GB / found.state_bytes, "application.parallelism"
    )


def _search(environment: Environment) -> Iterator[Limit]:
    search = environment.search
    if not search.enabled:
        return
    copies = 2 if search.instances > 1 else 1
    room = search.instances * search.volume_gb * GB * _FULL_SHARE
    per_event = RESULTS_PER_EVENT * RESULT_BYTES * _INDEX_FACTOR * copies * search.index_days * 86_400
    yield Limit(
        f"search: {search.instances} x {search.volume_gb} GB, three quarters full with {search.index_days} days",
        room / per_event,
        "search.volume_gb, or lower search.index_days",
    )
