"""One environment as an app: which stacks it has, and what they know of each other."""

from __future__ import annotations

import aws_cdk as cdk

from config.model import Environment
from stacks.acknowledgments import acknowledge
from stacks.analytics import AnalyticsStack
from stacks.audit import AuditStack
from stacks.backfill import BackfillStack
from stacks.constructs.base import EnvironmentStack
from stacks.delivery import DeliveryStack
from stacks.lake import LakeStack
from stacks.network import NetworkStack
from stacks.observability import ObservabilityStack
from stacks.search import SearchStack
from stacks.sinks import SinksStack
from stacks.streams import StreamsStack
from stacks.topic import TopicStack
from stacks.warehouse import WarehouseStack


def compose(app: cdk.App, environment: Environment) -> dict[str, EnvironmentStack]:
    """Adds the environment's stacks to ``app``; returns them by part, in the order in which they deploy."""
    network = NetworkStack(app, environment)
    streams = StreamsStack(app, environment)
    topic = TopicStack(app, environment, network, environment.msk) if environment.msk else None
    sinks = SinksStack(app, environment, network, streams)
    search = SearchStack(app, environment, network, streams) if environment.search.enabled else None
    lake = LakeStack(app, environment, network, streams, topic) if environment.lake.enabled else None
    warehouse = WarehouseStack(app, environment, network, streams) if environment.warehouse.enabled else None
    analytics = AnalyticsStack(app, environment, network, streams, topic)
    backfill = BackfillStack(app, environment, network, streams, analytics) if environment.archives_events else None
    if backfill is not None and lake is not None:
        backfill.add_stack_dependency(lake)  # it knows the archive by its name
    audit = AuditStack(app, environment, lake) if environment.audit.enabled else None
    observability = ObservabilityStack(app, environment, streams, analytics)
    delivery = DeliveryStack(app, environment, streams) if environment.pipeline.github_repository else None
    # The application starts when who reads its results is there, so that the first alert finds its way.
    for needed in (network, streams, topic, sinks, search, lake, warehouse):
        if needed is not None:
            analytics.add_stack_dependency(needed)
    parts: dict[str, EnvironmentStack | None] = {
        "network": network,
        "streams": streams,
        "topic": topic,
        "sinks": sinks,
        "search": search,
        "lake": lake,
        "warehouse": warehouse,
        "analytics": analytics,
        "backfill": backfill,
        "observability": observability,
        "audit": audit,
        "delivery": delivery,
    }
    made = {part: stack for part, stack in parts.items() if stack is not None}
    acknowledge(made)
    return made
