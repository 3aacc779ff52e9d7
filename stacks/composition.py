"""One environment as an app: which stacks it has, and what they know of each other."""

from __future__ import annotations

import aws_cdk as cdk

from config.model import Environment
from stacks.analytics import AnalyticsStack
from stacks.lake import LakeStack
from stacks.network import NetworkStack
from stacks.sinks import SinksStack
from stacks.streams import StreamsStack


def compose(app: cdk.App, environment: Environment) -> dict[str, cdk.Stack]:
    """Adds the environment's stacks to ``app``; returns them by part, in the order in which they deploy."""
    network = NetworkStack(app, environment)
    streams = StreamsStack(app, environment)
    stacks: dict[str, cdk.Stack] = {"network": network, "streams": streams}
    stacks["sinks"] = SinksStack(app, environment, network, streams)
    if environment.lake.enabled:
        stacks["lake"] = LakeStack(app, environment, network, streams)
    stacks["analytics"] = AnalyticsStack(app, environment, network, streams)
    return stacks
