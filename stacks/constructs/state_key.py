"""Who may use the key of the application's state, and for what.

Source: "Managing CMK using APIs" of the managed service's developer guide. Every statement is tied to this one
application by its encryption context.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from stacks.constructs.base import EnvironmentStack
from stacks.constructs.policies import allow, service_may_use

_SERVICE = "kinesisanalytics.amazonaws.com"
_INFRASTRUCTURE = "infrastructure.kinesisanalytics.amazonaws.com"
_CONTEXT = "kms:EncryptionContext:aws:kinesisanalytics:arn"
_GRANT: Mapping[str, Any] = {"ForAllValues:StringEquals": {"kms:GrantOperations": "Decrypt"}}


def allow_flink(key: kms.Key, application_arn: str, of: str = "") -> None:
    """Lets the managed service encrypt durable state (checkpoints, snapshots) and running state with the key.

    ``of`` begins the statements' names where a key serves more than one application.
    """
    account = EnvironmentStack.of(key).account
    source = {"aws:SourceArn": application_arn, "aws:SourceAccount": account}
    for sid, service in (("FlinkDescribes", _SERVICE), ("FlinkInfrastructureDescribes", _INFRASTRUCTURE)):
        service_may_use(key, f"{of}{sid}", service, ["kms:DescribeKey"], {"StringEquals": source})
    context = {_CONTEXT: application_arn}
    service_may_use(
        key, f"{of}DurableStateIsWritten", _SERVICE, ["kms:GenerateDataKey"], {"StringEquals": {**source, **context}}
    )
    service_may_use(key, f"{of}DurableStateIsRead", _SERVICE, ["kms:Decrypt"], {"StringEquals": context})
    service_may_use(
        key,
        f"{of}RunningState",
        _INFRASTRUCTURE,
        ["kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext"],
        {"StringEquals": context},
    )
    service_may_use(
        key,
        f"{of}RunningStateIsGranted",
        _INFRASTRUCTURE,
        ["kms:CreateGrant"],
        {"StringEquals": {**context, "kms:GrantConstraintType": "EncryptionContextSubset"}, **_GRANT},
    )


def operator_statements(key: kms.IKey, application_arn: str, region: str) -> list[iam.PolicyStatement]:
    """What who starts the application or takes a snapshot needs: the service checks the key in the caller's name."""
    via = {"kms:ViaService": f"kinesisanalytics.{region}.amazonaws.com"}
    context = {**via, _CONTEXT: application_arn}
    return [
        allow("DescribeStateKey", ["kms:DescribeKey"], [key.key_arn], {"StringEquals": via}),
        allow(
            "UseStateKey",
            ["kms:Decrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"],
            [key.key_arn],
            {"StringEquals": context},
        ),
        allow(
            "GrantRunningState",
            ["kms:CreateGrant"],
            [key.key_arn],
            {"StringEquals": {**context, "kms:GrantConstraintType": "EncryptionContextSubset"}, **_GRANT},
        ),
    ]
