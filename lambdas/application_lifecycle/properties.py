"""Resource properties that both custom resources have."""

from __future__ import annotations

from datetime import timedelta

from lambdas.common.custom_resource import ResourceRequest

APPLICATION = "ApplicationName"
#: Not read but for the snapshot's name: a change of them is what makes CloudFormation send an Update.
CODE, PROPERTIES = "Code", "Properties"
WAIT = "WaitMinutes"

#: Below the 45 minutes that the stack gives the provider, so that our text is what fails the deployment.
DEFAULT_WAIT_MINUTES = 40

#: A role's rights may take this long to reach every host of IAM; until then a denied call is made again.
ROLE_GRACE = timedelta(minutes=2)


def application_name(request: ResourceRequest) -> str:
    """The application's name, as the API takes it."""
    return request.text(APPLICATION, r"[a-zA-Z0-9_.-]{1,128}", "allowed are 1 to 128 letters, digits, _, . and -")


def key(request: ResourceRequest, name: str) -> str:
    """A hash or other short text that tells one state of the application from another."""
    return request.text(name, r"[!-~]{1,256}", "allowed are 1 to 256 printable ASCII characters")


def patience(request: ResourceRequest) -> timedelta:
    """How long to wait from ``on_event`` on before it is an error."""
    return timedelta(minutes=request.number(WAIT, 1, 60, DEFAULT_WAIT_MINUTES))
