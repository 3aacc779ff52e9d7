"""The answer to a claim. Apart from :mod:`lambdas.common.once`, whose library costs a cold start."""

from __future__ import annotations

from enum import Enum


class Claim(Enum):
    """What became of asking for an id."""

    OURS = "ours"
    DONE = "done"
    #: Another invocation has it, or had it and died: it comes again until that one's time is over.
    BUSY = "busy"
    #: The table did not answer, or there was no time to ask.
    UNKNOWN = "unknown"
