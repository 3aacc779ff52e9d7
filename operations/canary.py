"""A canary: one event sent into the pipeline, and the wait for the result that it must become."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.events import HEARTBEAT
from contracts.results import RUN_LIVE, ResultType
from operations.tail import Tail, open_shards

#: ``event_type`` of the canary, and its own series in every table, chart and metric.
CANARY = "canary"
#: A user that no producer has.
_USER = -1
_HEARTBEAT_SECONDS = 5.0
#: Two readers of the results may poll already; one read a second leaves them their five.
_POLL_SECONDS = 1.0


class CanaryError(Exception):
    """The canary did not come through; the message says how far it came."""


@dataclass
class Canary:
    """Sends one event and waits for its aggregation.

    The job closes a window when every shard's time has passed it, so after the canary heartbeats go to each shard,
    as regular traffic would: they are accepted and in no job.

    ``now`` answers seconds since 1970, ``wait`` is given seconds, ``tell`` a line.
    """

    kinesis: Any
    input_stream: str
    results_stream: str
    rejected_stream: str
    tell: Callable[[str], None] = print
    now: Callable[[], float] = time.time
    wait: Callable[[float], None] = time.sleep
    id: str = field(default_factory=lambda: f"canary-{uuid.uuid4()}")

    def fly(self, patience: float) -> dict[str, Any]:
        """The result that holds the canary; CanaryError after ``patience`` seconds, or when it was rejected."""
        results, rejections = (Tail(self.kinesis, stream) for stream in (self.results_stream, self.rejected_stream))
        began = self.now()
        event_time = int(began * 1000)
        self._send({"event_type": CANARY, "value": 1.0, "event_id": self.id}, event_time, None)
        self.tell(f"{self.id} is in {self.input_stream}; its window closes when the stream's time has passed it")
        last_heartbeat, told = began, began
        while self.now() - began < patience:
            for document in rejections.read():
                if self.id in str(document.get("payload")):
                    raise CanaryError(f"the canary was rejected: {document.get('reason')} ({document.get('detail')})")
            for document in results.read():
                if self._holds(document, event_time):
                    self.tell(f"its result is in {self.results_stream} after {self.now() - began:.0f} s")
                    return document
            if self.now() - last_heartbeat >= _HEARTBEAT_SECONDS:
                last_heartbeat = self.now()
                for key in self._hash_keys():
                    self._send({"event_type": HEARTBEAT}, int(self.now() * 1000), key)
            if self.now() - told >= 30:
                told = self.now()
                self.tell(f"waiting, {told - began:.0f} s of {patience:.0f}")
            self.wait(_POLL_SECONDS)
        raise CanaryError(
            f"no result of the canary within {patience:.0f} s: look at the application's state and log "
            "(docs/runbook.md), and at the lag of its stream"
        )

    @staticmethod
    def _holds(document: dict[str, Any], event_time: int) -> bool:
        if document.get("result_type") != ResultType.AGGREGATION or document.get("event_type") != CANARY:
            return False
        start, end = (_milliseconds(document[name]) for name in ("window_start", "window_end"))
        return start <= event_time < end

    def _send(self, columns: dict[str, Any], event_time: int, hash_key: str | None) -> None:
        event = {"event_time": event_time, "user_id": _USER, **columns}
        place = {} if hash_key is None else {"ExplicitHashKey": hash_key}
        self.kinesis.put_record(
            StreamName=self.input_stream, Data=json.dumps(event).encode(), PartitionKey=self.id, **place
        )

    def _hash_keys(self) -> Iterator[str]:
        return (shard["HashKeyRange"]["StartingHashKey"] for shard in open_shards(self.kinesis, self.input_stream))


@dataclass
class Watch:
    """Waits for a result of what others write: where nothing can be sent from here. Arguments as of :class:`Canary`."""

    kinesis: Any
    results_stream: str
    tell: Callable[[str], None] = print
    now: Callable[[], float] = time.time
    wait: Callable[[float], None] = time.sleep

    def wait_for_one(self, patience: float) -> dict[str, Any]:
        """The next result of the live run; CanaryError after ``patience`` seconds."""
        results = Tail(self.kinesis, self.results_stream)
        began = self.now()
        self.tell(f"nothing is sent: waiting for the next live result in {self.results_stream}")
        while self.now() - began < patience:
            for document in results.read():
                if document.get("run") == RUN_LIVE:
                    return document
            self.wait(_POLL_SECONDS)
        raise CanaryError(
            f"no result within {patience:.0f} s: do producers write, and does the application run (docs/runbook.md)?"
        )


def _milliseconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)
