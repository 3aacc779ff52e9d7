"""What Lambda tells of an invocation beside its event."""

from __future__ import annotations

from collections.abc import Callable

#: For a caller that tells no time, such as the laptop's poller: a minute, Lambda's limit of our functions.
_UNTOLD_MILLISECONDS = 60_000


def remaining(context: object) -> Callable[[], int]:
    """Answers the milliseconds that the invocation has left, from Lambda's context object."""
    told = getattr(context, "get_remaining_time_in_millis", None)
    return told if callable(told) else lambda: _UNTOLD_MILLISECONDS
