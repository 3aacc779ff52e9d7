"""The functions that take alerts from a queue of their own: one entry each.

Packaging, the stack, cdk-nag's accepted findings, the IAM proof, the alarms and the bill read :data:`FUNCTIONS`;
nothing of a function is repeated there. docs/add-a-function.md says how to add one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from config.model import Channel, Environment
from contracts.names import WEBHOOK


@dataclass(frozen=True)
class Right:
    """A statement of the function's role.

    ``resources`` are ARNs, in which ``{region}``, ``{account}`` and ``{prefix}`` stand for the environment's.
    ``conditions`` are compared by ``StringEquals``. ``caller`` is None where the function's own code makes the calls,
    which the IAM proof then records. Otherwise it says who calls on the function's behalf, and ``source`` the title and
    address of the page that says so.
    """

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, str] = field(default_factory=dict)
    caller: str | None = None
    source: tuple[str, str] = ("", "")


def _nothing(_: Environment) -> Mapping[str, str]:
    return {}


def _no_rights(_: Environment) -> tuple[Right, ...]:
    return ()


@dataclass(frozen=True)
class AlertFunction:
    """A function of ``lambdas/<package>/handler.py`` that gets alerts, whose ``handler`` takes a batch of SQS.

    ``channel`` answers which alerts it gets, or None where the environment does not have the function. ``variables``
    are its environment beside ``DEAD_LETTER_QUEUE_URL`` and ``LOG_LEVEL``; ``rights`` what it may do beside reading its
    queue and sending dead letters.
    """

    package: str
    description: str
    channel: Callable[[Environment], Channel | None]
    variables: Callable[[Environment], Mapping[str, str]] = _nothing
    rights: Callable[[Environment], tuple[Right, ...]] = _no_rights

    @property
    def module(self) -> str:
        """The module with the function ``handler``."""
        return f"lambdas.{self.package}.handler"

    @property
    def handler(self) -> str:
        """The handler as Lambda takes it."""
        return f"{self.module}.handler"

    @property
    def construct(self) -> str:
        """The name of its construct in the stack of the sinks."""
        return "".join(word.capitalize() for word in self.package.split("_"))


def enabled(environment: Environment) -> tuple[AlertFunction, ...]:
    """The functions that the environment has."""
    return tuple(function for function in FUNCTIONS if function.channel(environment) is not None)


def _webhook_variables(environment: Environment) -> Mapping[str, str]:
    webhook = environment.alerts.webhook
    return {} if webhook is None else {"WEBHOOK_SECRET_ARN": webhook.secret_arn, "WEBHOOK_FORMAT": webhook.format}


def _webhook_rights(environment: Environment) -> tuple[Right, ...]:
    webhook = environment.alerts.webhook
    if webhook is None:
        return ()
    rights = [Right("ReadTheAddress", ("secretsmanager:GetSecretValue",), (webhook.secret_arn,))]
    if webhook.key_arn is not None:
        rights.append(
            Right(
                "DecryptTheAddress",
                ("kms:Decrypt",),
                (webhook.key_arn,),
                {"kms:ViaService": f"secretsmanager.{environment.region}.amazonaws.com"},
                caller="Secrets Manager, for who reads",
                source=(
                    "Secrets Manager user guide, encryption and decryption",
                    "https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html",
                ),
            )
        )
    return tuple(rights)


FUNCTIONS: tuple[AlertFunction, ...] = (
    AlertFunction(
        package=WEBHOOK,
        description="Alerts to a webhook",
        channel=lambda environment: environment.alerts.webhook,
        variables=_webhook_variables,
        rights=_webhook_rights,
    ),
)
