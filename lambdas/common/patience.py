"""How long something is tried again: waits with jitter, within the time that an invocation has left."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

#: Between two tries: a random wait up to these seconds, doubled each time, so that functions do not try in step.
_FIRST_WAIT = 0.2
_LONGEST_WAIT = 5.0
_DOUBLINGS = 10


@dataclass(frozen=True)
class Patience:
    """Tries again while ``remaining`` milliseconds are above ``reserve`` seconds.

    ``wait`` is given seconds, ``share`` answers a random number from 0 to 1. ``most``: tries again at most, where
    ``remaining`` does not fall.
    """

    remaining: Callable[[], int]
    reserve: float
    most: int = 1000
    wait: Callable[[float], None] = time.sleep
    share: Callable[[], float] = random.random

    def lasts(self) -> bool:
        """Whether there is time for one more call that hangs until its timeout."""
        return self.remaining() / 1000 >= self.reserve

    def next(self, tries: int) -> bool:
        """Wait before the next try, ``tries`` having been made again already; False when there is no time for one."""
        if tries >= self.most:
            return False
        longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(tries, _DOUBLINGS))
        seconds = longest * self.share()
        if self.remaining() / 1000 - seconds < self.reserve:
            return False
        self.wait(seconds)
        return True
