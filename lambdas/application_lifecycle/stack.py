"""What CloudFormation is doing to the stack, from its events: whether it rolls back, and what it had changed.

A rollback sends a custom resource the same kind of Update as a deployment, and sends it, too, when the resource's
own Update is what failed. Only the stack's events tell these apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.application_lifecycle.service import DeniedError, LaterError

_STACK, _APPLICATION = "AWS::CloudFormation::Stack", "AWS::KinesisAnalyticsV2::Application"
#: Stack events with which a deployment begins; what is older belongs to another one.
_BEGINNINGS = ("UPDATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "IMPORT_IN_PROGRESS")


class CloudFormationClient(Protocol):
    """What is used of boto3's CloudFormation client."""

    def describe_stack_events(self, **request: Any) -> Mapping[str, Any]:
        """The stack's events, newest first, a page at a time."""
        ...


@dataclass(frozen=True)
class Deployment:
    """The stack's operation under way, and whether it has begun to update the application before rolling back."""

    rolling_back: bool
    application_changed: bool


def deployment(client: CloudFormationClient, stack_id: str, application: str) -> Deployment:
    """The operation of the stack ``stack_id`` that is under way.

    Raises :class:`LaterError` when that cannot be learnt now: taking either for granted could hang a rollback or cost
    state. Raises :class:`DeniedError` when the role may not ask.
    """
    rolling_back = changed = False
    request: dict[str, Any] = {"StackName": stack_id}
    while True:
        try:
            page = client.describe_stack_events(**request)
        except (ClientError, BotoCoreError) as error:
            text = f"whether this is a rollback is not known: {error}"
            if isinstance(error, ClientError) and error.response["Error"].get("Code") == "AccessDenied":
                raise DeniedError(text) from error
            raise LaterError(text) from error
        for event in page["StackEvents"]:
            kind, status = event.get("ResourceType"), str(event.get("ResourceStatus"))
            if kind == _STACK and event.get("PhysicalResourceId") == stack_id:
                if status in _BEGINNINGS:
                    return Deployment(rolling_back, changed)
                rolling_back = rolling_back or "ROLLBACK" in status
            elif kind == _APPLICATION and event.get("PhysicalResourceId") == application:
                changed = True
        if not page.get("NextToken"):
            return Deployment(rolling_back, changed)
        request["NextToken"] = page["NextToken"]
