"""Custom resources under CDK's provider framework: what it sends, and what it wants back.

The framework calls ``onEvent`` once and merges what that returns into the event that every ``isComplete`` call
then sees; an ``isComplete`` that is not complete can hand nothing on (the framework refuses ``Data`` then). So what
is to be remembered is decided in ``onEvent``: the time. An exception fails the resource with its text.
(Source: custom-resources/lib/provider-framework/runtime/framework.ts of aws-cdk-lib.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NotRequired, TypedDict

#: Member of the event that ``on_event`` adds: epoch seconds of its call.
SINCE = "Since"


class RequestError(ValueError):
    """An event or a resource property is not what it must be; the text names it and what is allowed."""


class RequestType(StrEnum):
    """What CloudFormation asks for."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"


class OnEventAnswer(TypedDict):
    """Answer of ``on_event``; the framework merges it into the events of ``is_complete``."""

    PhysicalResourceId: str
    Since: float


class IsCompleteAnswer(TypedDict):
    """Answer of ``is_complete``. ``Data`` are the attributes of the resource, only when it is complete."""

    IsComplete: bool
    Data: NotRequired[dict[str, str]]


@dataclass(frozen=True)
class ResourceRequest:
    """One request of CloudFormation. ``since``: when ``on_event`` took it (None in ``on_event`` itself)."""

    type: RequestType
    request_id: str
    stack_id: str
    physical_id: str | None
    properties: Mapping[str, object]
    since: datetime | None

    @classmethod
    def of(cls, event: Mapping[str, object]) -> ResourceRequest:
        """The request of an event; raises :class:`RequestError` for what the framework does not send."""
        try:
            kind = RequestType(str(event.get("RequestType")))
        except ValueError as error:
            raise RequestError(
                "not a custom resource's event: `RequestType` is not Create, Update or Delete"
            ) from error
        properties = event.get("ResourceProperties")
        if not isinstance(properties, Mapping):
            raise RequestError("not a custom resource's event: `ResourceProperties` is not an object")
        since, physical_id = event.get(SINCE), event.get("PhysicalResourceId")
        return cls(
            type=kind,
            request_id=str(event.get("RequestId", "")),
            stack_id=str(event.get("StackId", "")),
            physical_id=physical_id if isinstance(physical_id, str) else None,
            properties=properties,
            since=datetime.fromtimestamp(since, UTC) if isinstance(since, int | float) else None,
        )

    def waited(self, now: datetime) -> timedelta:
        """Time since ``on_event``; raises :class:`RequestError` where that did not leave it."""
        return now - self.started()

    def started(self) -> datetime:
        """When ``on_event`` was called, UTC."""
        if self.since is None:
            raise RequestError(f"not an event of isComplete: `{SINCE}` is missing")
        return self.since

    def text(self, name: str, pattern: str, allowed: str, default: str | None = None) -> str:
        """Property ``name`` when ``pattern`` matches all of it."""
        value = self.properties.get(name, default)
        if not isinstance(value, str) or re.fullmatch(pattern, value) is None:
            raise RequestError(f"property {name} is {value!r}: {allowed}")
        return value

    def one_of(self, name: str, allowed: Sequence[str], default: str | None = None) -> str:
        """Property ``name``, one of ``allowed``."""
        value = self.properties.get(name, default)
        if not isinstance(value, str) or value not in allowed:
            raise RequestError(f"property {name} is {value!r}: allowed are {', '.join(allowed)}")
        return value

    def number(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """Property ``name`` as a whole number; CloudFormation hands every property on as text."""
        value = self.properties.get(name, None if default is None else str(default))
        allowed = f"allowed is a whole number from {low} to {high}"
        if not isinstance(value, str) or re.fullmatch(r"\d{1,9}", value, re.ASCII) is None:
            raise RequestError(f"property {name} is {value!r}: {allowed}")
        if not low <= int(value) <= high:
            raise RequestError(f"property {name} is {value!r}: {allowed}")
        return int(value)


def accepted(physical_id: str, now: datetime) -> OnEventAnswer:
    """Answer of ``on_event``."""
    return {"PhysicalResourceId": physical_id, "Since": now.timestamp()}


def complete(**data: str) -> IsCompleteAnswer:
    """Answer of ``is_complete`` that ends the waiting."""
    return {"IsComplete": True, "Data": data}


def incomplete() -> IsCompleteAnswer:
    """Answer of ``is_complete`` that has the framework ask again."""
    return {"IsComplete": False}
