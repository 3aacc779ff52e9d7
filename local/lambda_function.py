"""A Lambda handler called in this process."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Handler = Callable[[dict[str, Any], Any], object]


@dataclass(frozen=True)
class LambdaContext:
    """What a handler gets as its second argument, with the attributes and the method of the service's."""

    function_name: str
    invoked_function_arn: str
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 256
    log_group_name: str = "local"
    log_stream_name: str = "local"
    deadline: float = field(default_factory=lambda: time.monotonic() + 60)

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left of the time-out. Nothing enforces it here."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


@dataclass(frozen=True)
class Invocation:
    """A call that has ended. ``iterator_age``: milliseconds since its last record arrived, None without records."""

    function: str
    ended: float
    milliseconds: float
    raised: bool
    iterator_age: float | None


class LambdaFunction:
    """A handler as one execution environment: its calls never overlap, so its globals need no locks.

    Args:
        name: the function's name.
        handler: called with the event and a `LambdaContext`.
        region: of its ARN.
        account: of its ARN.
        timeout: seconds, as told by the context.
        observer: told of each call that has ended, in the caller's thread; must not raise.
    """

    def __init__(
        self,
        name: str,
        handler: Handler,
        *,
        region: str = "us-east-1",
        account: str = "123456789012",
        timeout: float = 60.0,
        observer: Callable[[Invocation], None] | None = None,
    ) -> None:
        self.name = name
        self.arn = f"arn:aws:lambda:{region}:{account}:function:{name}"
        self.role_arn = f"arn:aws:iam::{account}:role/{name}"
        self._handler = handler
        self._timeout = timeout
        self._observer = observer
        self._lock = threading.Lock()

    def invoke(self, event: dict[str, Any], request_id: str) -> object:
        """Call the handler and return its answer; its exceptions pass through."""
        with self._lock:
            began, raised = time.monotonic(), True
            try:
                answer = self._handler(
                    event, LambdaContext(self.name, self.arn, request_id, deadline=began + self._timeout)
                )
                raised = False
                return answer
            finally:
                if self._observer is not None:
                    milliseconds = (time.monotonic() - began) * 1000
                    age = _iterator_age(event, time.time() - milliseconds / 1000)
                    self._observer(Invocation(self.name, time.time(), milliseconds, raised, age))


def _iterator_age(event: dict[str, Any], now: float) -> float | None:
    arrived = [each["kinesis"]["approximateArrivalTimestamp"] for each in event.get("Records", ()) if "kinesis" in each]
    return max(0.0, (now - arrived[-1]) * 1000) if arrived else None
