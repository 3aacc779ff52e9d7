"""What the running job tells over REST: the intake's own counts, watermarks, checkpoints."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from local.standins.flink_rest import FlinkRest

_COUNT_MARK = ".records_"


class FlinkView:
    """Reads one job's metrics. All calls raise OSError or RestError when the cluster does not answer."""

    def __init__(self, rest: FlinkRest, job_id: str) -> None:
        self._rest = rest
        self._job = f"/jobs/{job_id}"
        self._vertices: list[str] = []

    def counts(self) -> dict[str, int]:
        """Sums over all operators and subtasks of the checkpointed counts: read, accepted, rejected_late ...

        Empty until every operator runs.
        """
        sums: dict[str, int] = {}
        for vertex in self._all_vertices():
            path = f"{self._job}/vertices/{vertex}/subtasks/metrics"
            # Listed each time: operators register their gauges one by one while they start.
            names = [str(metric["id"]) for metric in self._call(path) if _COUNT_MARK in str(metric["id"])]
            if names:
                for metric in self._call(f"{path}?agg=sum&get={','.join(quote(name) for name in names)}"):
                    name = str(metric["id"]).split(_COUNT_MARK)[1]
                    sums[name] = sums.get(name, 0) + int(metric["sum"])
        return sums

    def watermark(self) -> int | None:
        """The lowest watermark that any operator behind the source has seen; None before the first."""
        lowest: int | None = None
        for vertex in self._all_vertices():
            for mark in self._call(f"{self._job}/vertices/{vertex}/watermarks"):
                value = int(mark["value"])
                lowest = value if lowest is None else min(lowest, value)
        return None if lowest is None or lowest < 0 else lowest

    def completed_checkpoint_trigger(self) -> int:
        """When the latest completed checkpoint was triggered, epoch milliseconds; 0 before the first."""
        latest = self._call(f"{self._job}/checkpoints")["latest"]["completed"]
        return 0 if latest is None else int(latest["trigger_timestamp"])

    def _all_vertices(self) -> list[str]:
        if not self._vertices:
            self._vertices = [str(vertex["id"]) for vertex in self._call(self._job)["vertices"]]
        return self._vertices

    def _call(self, path: str) -> Any:
        return self._rest.client.call("GET", path)
