"""All faults that can be injected into a run, and how far each injection has come."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from local.demo.run import Run
from local.faults.events import Anomaly, FraudBurst, Injector, Late, Poison
from local.faults.fault import Fault, NotNow, Progress
from local.faults.parts import IdleShard, KilledTaskManager, StoppedSearch
from local.standins.rest import RestError

_LOOK_SECONDS = 0.5


def faults_of(run: Run) -> list[Fault]:
    """Every kind, in the order of the page's buttons."""
    injector = Injector(run)
    return [
        Poison(injector),
        Late(injector),
        FraudBurst(injector),
        Anomaly(injector),
        IdleShard(run),
        KilledTaskManager(run),
        StoppedSearch(run),
    ]


class Board:
    """Injects faults, one at a time, and follows them in a thread of its own."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = {fault.name: fault for fault in faults}
        self.progress: list[Progress] = []
        self._tokens: dict[int, object] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="faults", daemon=True)

    def start(self) -> None:
        """Begins to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stop.set()
        self._thread.join(10)

    def inject(self, name: str) -> Progress:
        """Injects a fault. KeyError for one that there is not, NotNow for one that cannot be now."""
        fault = self.faults[name]
        with self._lock:
            try:
                said, token = fault.inject()
            except (OSError, RestError) as error:
                raise NotNow(f"a part does not answer: {error}") from error
            progress = Progress(len(self.progress) + 1, name, said)
            self._tokens[progress.number] = token
            self.progress.append(progress)
        return progress

    def as_json(self) -> dict[str, Any]:
        """For the page."""
        return {
            "kinds": [
                {"name": each.name, "title": each.title, "key": each.key, "expect": each.expect}
                for each in self.faults.values()
            ],
            "injected": [each.as_json() for each in reversed(self.progress)],
        }

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            with self._lock:
                for progress in self.progress:
                    if not progress.over:
                        self._look(progress)

    def _look(self, progress: Progress) -> None:
        try:
            self.faults[progress.fault].look(progress, self._tokens[progress.number])
        except (OSError, RestError):
            return  # a part that is down tells nothing: looked at again
        except Exception as error:  # noqa: BLE001 - the page says it; the other faults go on
            progress.failed = f"{type(error).__name__}: {error}"
