"""Settings that the functions which read results share: where their metrics and their dead letters go."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.metrics import NAMESPACE
from lambdas.common.settings import matching, required

NAMESPACE_VARIABLE = "METRIC_NAMESPACE"
QUEUE_VARIABLE = "DEAD_LETTER_QUEUE_URL"


def metric_namespace(env: Mapping[str, str]) -> str:
    """CloudWatch's namespace of the environment's metrics."""
    return matching(
        NAMESPACE_VARIABLE,
        env.get(NAMESPACE_VARIABLE) or NAMESPACE,
        r"[A-Za-z][A-Za-z0-9_.#/-]{0,254}",
        "allowed are 1 to 255 letters, digits and _ . # / -, beginning with a letter",
    )


def dead_letter_queue(env: Mapping[str, str]) -> str:
    """URL of the SQS queue that dead letters go to."""
    return matching(
        QUEUE_VARIABLE,
        required(env, QUEUE_VARIABLE, "the URL of the SQS queue that dead letters go to"),
        r"https?://[!-~]{3,1024}",
        "allowed is a queue's URL",
    )
