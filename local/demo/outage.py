"""OpenSearch stopped in the middle of a run and started again, with what one sees of it told."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum, auto

from local.demo.pipeline import Pipeline
from local.demo.run import Status


class _Phase(Enum):
    BEFORE = auto()
    DOWN = auto()
    STARTING = auto()
    CATCHING_UP = auto()
    OVER = auto()


class SearchOutage:
    """Takes OpenSearch away for ``seconds`` once documents are being indexed. Call :meth:`look` with each status.

    Meanwhile the indexer's mapping tries the same records again and again, as Lambda's does; nothing else notices.
    """

    def __init__(self, pipeline: Pipeline, seconds: float, tell: Callable[[str], None]) -> None:
        self._pipeline = pipeline
        self._seconds = seconds
        self._tell = tell
        self._phase = _Phase.BEFORE
        self._since = 0.0
        self._done = 0

    @property
    def over(self) -> bool:
        """Whether it has been, and the index has caught up."""
        return self._phase is _Phase.OVER

    def look(self, status: Status) -> None:
        """Does what is due."""
        if not self._pipeline.search.done() or self.over:
            return
        opensearch, mapping = self._pipeline.search.result()
        passed = time.monotonic() - self._since
        counts = mapping.counts()
        if self._phase is _Phase.BEFORE and counts.done and status.sent * 2 >= status.planned:
            self._done = counts.done
            opensearch.stop()
            self._enter(_Phase.DOWN)
            self._tell(f"OpenSearch is stopped for {self._seconds:g} s; {counts.done} records were indexed")
        elif self._phase is _Phase.DOWN and passed >= self._seconds:
            opensearch.resume()
            self._enter(_Phase.STARTING)
            self._tell(
                f"OpenSearch is started again after {passed:.0f} s; the indexer was refused {counts.partial} times, "
                f"{counts.given_up} records were given up"
            )
        elif self._phase is _Phase.STARTING and opensearch.is_ready():
            self._enter(_Phase.CATCHING_UP)
            self._tell(f"OpenSearch answers again after {passed:.0f} s; its index has what it had")
        elif self._phase is _Phase.CATCHING_UP and counts.done > self._done and mapping.caught_up(self._since):
            self._enter(_Phase.OVER)
            self._tell(f"the index has caught up: {counts.done - self._done} records since it was stopped")

    def _enter(self, phase: _Phase) -> None:
        self._phase, self._since = phase, time.monotonic()
