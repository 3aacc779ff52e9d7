"""The environment that the laptop's dashboard and alarms are those of, and what its resources are called here.

It is prod, where every part is switched on; only what the demo sets otherwise differs. What a laptop cannot have is
listed with the reason, and a test holds the list against what the bridge publishes.
"""

from __future__ import annotations

from config.load import load
from config.model import Environment
from contracts.metrics import NAMESPACE
from contracts.names import DELIVERIES, StreamRole
from flink_jobs.settings import Settings
from local.demo import application
from local.demo.pipeline import ALERTS_FUNCTION, ALERTS_TOPIC, FAILURES_QUEUES, INDEXER_FUNCTION
from local.standins.moto import ACCOUNT, REGION
from monitoring.names import Names

ENVIRONMENT = "prod"
PREFIX = "laptop"

_QUOTA = "a laptop has no quota of concurrency"
_RATE = "the stand-in for Kinesis takes any rate"
_SERVICE = "only the service does that to a domain"
#: Metrics that nothing here publishes, and why.
NOT_ON_A_LAPTOP = {
    "Throttles": _QUOTA,
    "WriteProvisionedThroughputExceeded": _RATE,
    "ReadProvisionedThroughputExceeded": _RATE,
    "DeliveryToS3.DataFreshness": "a laptop has no Firehose: nothing archives here",
    "NumberOfNotificationsFailed": "the stand-in for SNS delivers at once or not at all, and counts neither",
    "PythonDriverErrors": "the driver's log line is the managed service's",
    "KMSKeyError": _SERVICE,
    "AutomatedSnapshotFailure": _SERVICE,
}


#: Alarms that the demo would raise by what it is: it plays hours that are over.
NOT_PLAYED = frozenset({"flink-event-time-behind"})


def environment(settings: Settings) -> Environment:
    """The settings of prod, with the parallelism and the checkpoints of this run."""
    deployed = load(ENVIRONMENT)
    changes: dict[str, object] = {}
    if settings.local is not None:
        changes = {
            "parallelism": settings.local.parallelism,
            "checkpoint_interval_seconds": settings.local.checkpoint_interval / 1000,
        }
    return deployed.model_copy(update={"application": deployed.application.model_copy(update=changes)})


def names() -> Names:
    """What the parts are called on this machine."""
    return Names(
        prefix=PREFIX,
        application=PREFIX,
        streams={
            StreamRole.INPUT: application.INPUT_STREAM,
            StreamRole.RESULTS: application.RESULTS_STREAM,
            StreamRole.REJECTED: application.REJECTED_STREAM,
        },
        functions={"alerts": ALERTS_FUNCTION, "search_indexer": INDEXER_FUNCTION},
        queues=FAILURES_QUEUES,
        topics={"alerts": ALERTS_TOPIC},
        deliveries={name: name for name in DELIVERIES},
        channels=(),
        search_domain=PREFIX,
        refresh_queue=None,  # a laptop has no warehouse, and prod's is off
        refresh_rule=None,
        namespace=NAMESPACE,
        account=ACCOUNT,
        region=REGION,
    )
