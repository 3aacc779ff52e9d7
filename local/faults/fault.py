"""What a fault is, and how far it has come."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any


class NotNow(Exception):
    """The fault cannot be injected now; the message says why, and when it can."""


@dataclass
class Progress:
    """One injection. Times are epoch seconds; ``failed`` says why it will never be noticed."""

    number: int
    fault: str
    said: str
    at: float = field(default_factory=time.time)
    noticed: float | None = None
    how_noticed: str = ""
    recovered: float | None = None
    how_recovered: str = ""
    failed: str = ""

    @property
    def over(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.recovered is not None or bool(self.failed)

    def notice(self, how: str) -> None:
        """The pipeline has seen it."""
        if self.noticed is None:
            self.noticed, self.how_noticed = time.time(), how

    def recover(self, how: str) -> None:
        """It is dealt with."""
        self.notice(how)
        if self.recovered is None:
            self.recovered, self.how_recovered = time.time(), how

    def as_json(self) -> dict[str, Any]:
        """For the page."""
        return {
            "number": self.number,
            "fault": self.fault,
            "said": self.said,
            "at": self.at,
            "noticed": self.noticed,
            "how_noticed": self.how_noticed,
            "recovered": self.recovered,
            "how_recovered": self.how_recovered,
            "failed": self.failed,
        }


class Fault(ABC):
    """A kind of fault. ``key`` is the letter that injects it on the page; ``expect`` says what one will see."""

    name: str
    title: str
    key: str
    expect: str

    @abstractmethod
    def inject(self) -> tuple[str, Any]:
        """Does it; answers what was done, and what :meth:`look` needs. :class:`NotNow` where it cannot be done."""

    @abstractmethod
    def look(self, progress: Progress, token: Any) -> None:
        """Looks how far it has come. Raises OSError or RestError when a part does not answer."""
