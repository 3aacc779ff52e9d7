"""Settings of the alerts function, from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.metrics import NAMESPACE
from lambdas.common.settings import matching, required

TOPIC_VARIABLE = "ALERT_TOPIC_ARN"
NAMESPACE_VARIABLE = "METRIC_NAMESPACE"


@dataclass(frozen=True)
class Settings:
    """``topic_arn``: the SNS topic (not FIFO) that alerts go to; ``namespace``: where CloudWatch keeps the counts."""

    topic_arn: str
    namespace: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Settings from ``ALERT_TOPIC_ARN``; raises :class:`~lambdas.common.errors.SettingError`."""
        arn = required(env, TOPIC_VARIABLE, "the ARN of the SNS topic that alerts go to")
        return cls(
            topic_arn=matching(
                TOPIC_VARIABLE,
                arn,
                r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}",
                "allowed is the ARN of a standard topic, arn:aws:sns:<region>:<account>:<name>",
            ),
            namespace=matching(
                NAMESPACE_VARIABLE,
                env.get(NAMESPACE_VARIABLE) or NAMESPACE,
                r"[A-Za-z][A-Za-z0-9_.#/-]{0,254}",
                "allowed are 1 to 255 letters, digits and _ . # / -, beginning with a letter",
            ),
        )
