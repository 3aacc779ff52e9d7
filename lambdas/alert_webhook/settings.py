"""Settings of the webhook function, from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lambdas.alert_webhook.messages import FORMATS
from lambdas.common.settings import matching, one_of, required
from lambdas.common.sink_settings import dead_letter_queue

SECRET_VARIABLE = "WEBHOOK_SECRET_ARN"  # noqa: S105 - a variable's name
FORMAT_VARIABLE = "WEBHOOK_FORMAT"


@dataclass(frozen=True)
class Settings:
    """``secret_arn``: the secret with the address; ``form``: one of :data:`FORMATS`; ``queue_url``: dead letters."""

    secret_arn: str
    form: str
    queue_url: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Settings from ``WEBHOOK_SECRET_ARN``; raises :class:`~lambdas.common.errors.SettingError`."""
        arn = required(env, SECRET_VARIABLE, "the ARN of the secret with the webhook's address")
        return cls(
            secret_arn=matching(
                SECRET_VARIABLE,
                arn,
                r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[!-~]{1,519}",
                "it must be a secret's ARN, arn:aws:secretsmanager:<region>:<account>:secret:<name>",
            ),
            form=one_of(env, FORMAT_VARIABLE, tuple(FORMATS), default="json"),
            queue_url=dead_letter_queue(env),
        )
