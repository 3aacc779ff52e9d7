"""Flink's own metrics, over its REST interface, as the managed service publishes them for an application."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import psutil

from local.bridge.samples import Sample
from local.standins.flink_rest import FlinkRest
from monitoring import flink_metrics as flink
from monitoring.series import Metric, series

#: Of the job as a whole.
_OF_JOB: tuple[Metric, ...] = (
    flink.FULL_RESTARTS,
    flink.CHECKPOINT_DURATION,
    flink.CHECKPOINT_SIZE,
    flink.CHECKPOINT_FAILURES,
)
#: Of every task; the application's is the sum.
_SUMMED = (flink.RECORDS_IN, flink.RECORDS_OUT)
#: Of every task; each is a sample of the application's.
_EACH = (flink.BACK_PRESSURE, flink.BUSY)
#: Of operators inside of tasks, by the end of their names.
_OF_OPERATORS = (
    flink.WATERMARK_IN,
    flink.WATERMARK_OUT,
    flink.LATE_DROPPED,
    flink.BEHIND_LATEST,
    flink.FILES_GONE,
)
_HEAP_USED, _HEAP_MAX = "Status.JVM.Memory.Heap.Used", "Status.JVM.Memory.Heap.Max"
_CPU = "Status.JVM.CPU.Load"
#: Flink registers operators' metrics one by one while they start: listed again as often.
_LIST_SECONDS = 10.0


@dataclass(frozen=True)
class Capacity:
    """What the application is given: slots in use, slots a KPU, and bytes of memory of the TaskManager."""

    parallelism: int
    parallelism_per_kpu: int
    memory: int

    @property
    def kpus(self) -> int:
        """Processing units that the service would run it with."""
        return math.ceil(self.parallelism / self.parallelism_per_kpu)


@dataclass
class _Vertex:
    id: str
    names: list[str] = field(default_factory=list)


class FlinkMetrics:
    """Reads one job. Nothing is told before all its tasks have run for the first time.

    Args:
        rest: of the JobManager.
        job_id: the job.
        application: the dimension's value.
        stream: that the source reads.
        capacity: of the application.
    """

    def __init__(self, rest: FlinkRest, job_id: str, application: str, stream: str, capacity: Capacity) -> None:
        self._rest = rest
        self._job_id = job_id
        self._application = application
        self._stream = stream
        self._capacity = capacity
        self._vertices: list[_Vertex] = []
        self._listed_at = 0.0
        self._began = False

    def samples(self, task_manager: int | None) -> Iterator[Sample]:
        """Samples of now; ``task_manager`` is its process id. Raises OSError or RestError when nobody answers."""
        now = time.time()
        if not self._began:
            running, wanted = self._rest.running_tasks(self._job_id)
            self._began = running == wanted > 0
            if not self._began:
                return
        yield from self._state(now)
        yield from self._job(now)
        yield from self._tasks(now)
        yield from self._memory_and_cpu(now)
        if task_manager is not None:
            yield from _container(self._application, task_manager, self._capacity, now)
        yield self._sample(flink.KPUS, self._capacity.kpus, now)

    def _sample(self, metric: Metric, value: float, now: float) -> Sample:
        values = (self._application, self._stream) if metric is flink.BEHIND_LATEST else (self._application,)
        return Sample(series(metric, *values), value, now)

    def _state(self, now: float) -> Iterator[Sample]:
        """Uptime and downtime from the job's own state: Flink's metrics stand still while it asks a dead process."""
        job = self._call(f"/jobs/{self._job_id}")
        running, when = job["state"] == "RUNNING", job["timestamps"]
        since = when["RUNNING"] if running else max(when[state] for state in ("RESTARTING", "FAILING", "CANCELLING"))
        passed = max(0.0, float(job["now"] - since))
        yield self._sample(flink.UPTIME, passed if running else 0.0, now)
        yield self._sample(flink.DOWNTIME, 0.0 if running else passed, now)

    def _job(self, now: float) -> Iterator[Sample]:
        names = ",".join(metric.name for metric in _OF_JOB)
        found = {each["id"]: float(each["value"]) for each in self._call(f"/jobs/{self._job_id}/metrics?get={names}")}
        for metric in _OF_JOB:
            if found.get(metric.name, -1.0) >= 0:
                yield self._sample(metric, found[metric.name], now)

    def _tasks(self, now: float) -> Iterator[Sample]:
        sums = dict.fromkeys((metric.name for metric in _SUMMED), 0.0)
        told = 0
        for vertex in self._listed():
            path = f"/jobs/{self._job_id}/vertices/{vertex.id}/subtasks/metrics"
            wanted = [metric.name for metric in (*_SUMMED, *_EACH)] + vertex.names
            for each in self._call(f"{path}?agg=max&get={','.join(quote(name) for name in wanted)}"):
                name, value = str(each["id"]), float(each["max"])
                if name in sums:
                    sums[name] += value
                    told += 1
                    continue
                for metric in (*_EACH, *_OF_OPERATORS):
                    if name.rpartition(".")[2] == metric.name and value >= 0:  # below: no watermark yet
                        yield self._sample(metric, value, now)
        if told:
            for metric in _SUMMED:
                yield self._sample(metric, sums[metric.name], now)

    def _listed(self) -> list[_Vertex]:
        if time.monotonic() - self._listed_at < _LIST_SECONDS:
            return self._vertices
        vertices = [_Vertex(str(each["id"])) for each in self._call(f"/jobs/{self._job_id}")["vertices"]]
        ends = tuple(f".{metric.name}" for metric in _OF_OPERATORS)
        for vertex in vertices:
            listed = self._call(f"/jobs/{self._job_id}/vertices/{vertex.id}/subtasks/metrics")
            vertex.names = [str(each["id"]) for each in listed if str(each["id"]).endswith(ends)]
        self._vertices, self._listed_at = vertices, time.monotonic()
        return vertices

    def _memory_and_cpu(self, now: float) -> Iterator[Sample]:
        for task_manager in self._rest.task_managers():
            path = f"/taskmanagers/{quote(task_manager)}/metrics?get={_CPU},{_HEAP_USED},{_HEAP_MAX}"
            found = {each["id"]: float(each["value"]) for each in self._call(path)}
            if len(found) == 3:  # a lost one is listed for a while and tells nothing
                yield self._sample(flink.CPU, 100 * found[_CPU], now)
                yield self._sample(flink.HEAP, 100 * found[_HEAP_USED] / found[_HEAP_MAX], now)

    def _call(self, path: str) -> Any:
        return self._rest.client.call("GET", path)


_processes: dict[int, psutil.Process] = {}


def _container(application: str, pid: int, capacity: Capacity, now: float) -> Iterator[Sample]:
    """The TaskManager with its Python workers, against its memory and this machine's cores."""
    try:
        parent = psutil.Process(pid)
        family = [parent, *parent.children(recursive=True)]
        # psutil measures between two calls on one object
        known = {each.pid: _processes.get(each.pid, each) for each in family}
        cpu = sum(each.cpu_percent() for each in known.values())
        memory = sum(each.memory_info().rss for each in known.values())
        disk = psutil.disk_usage(parent.cwd()).percent
    except psutil.Error:  # it died between two lines: the next sample is the new one's
        return
    _processes.clear()
    _processes.update(known)
    yield Sample(series(flink.CONTAINER_CPU, application), cpu / (psutil.cpu_count() or 1), now)
    yield Sample(series(flink.CONTAINER_MEMORY, application), 100 * memory / capacity.memory, now)
    yield Sample(series(flink.CONTAINER_DISK, application), disk, now)
