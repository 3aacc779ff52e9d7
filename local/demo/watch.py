"""Watches a running pipeline: bridges its metrics into the local CloudWatch and judges the deployed alarms by them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator

from botocore.exceptions import BotoCoreError, ClientError

from config.model import Environment
from flink_jobs.settings import Settings
from local.bridge.flink_metrics import Capacity, FlinkMetrics
from local.bridge.samples import Sample, put
from local.bridge.search_metrics import SearchMetrics
from local.bridge.stream_metrics import QueueMetrics, StreamMetrics, Taken
from local.cloudwatch.alarms import Alarms
from local.demo import application
from local.demo.monitored import NOT_PLAYED
from local.demo.pipeline import Pipeline
from local.standins.flink import TASK_MANAGER
from local.standins.rest import RestError
from monitoring.alarms import alarms
from monitoring.names import Names
from monitoring.series import Series, series
from monitoring.service_metrics import ITERATOR_AGE

_SECONDS = 2.0
_TASK_MANAGER_BYTES = 1728 * 1024 * 1024


class Watch:
    """A thread of its own. ``silent`` are the parts that did not answer last time, with their words.

    Args:
        pipeline: what is watched.
        environment: whose alarms are judged.
        names: of the resources.
        settings: of the application.
        taken: counters of the streams, by name.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        environment: Environment,
        names: Names,
        settings: Settings,
        taken: dict[str, Taken],
    ) -> None:
        self.began = time.time()
        self.silent: dict[str, str] = {}
        self._pipeline = pipeline
        self._cloudwatch = pipeline.moto.client("cloudwatch")
        rules = [rule for rule in alarms(environment, names) if rule.name not in NOT_PLAYED]
        self.alarms = Alarms(self._cloudwatch, rules, names.prefix, self.began)
        parallelism = settings.local.parallelism if settings.local is not None else 1
        capacity = Capacity(parallelism, environment.application.parallelism_per_kpu, _TASK_MANAGER_BYTES)
        self._flink = FlinkMetrics(
            pipeline.flink.rest, pipeline.job_id, names.application, application.INPUT_STREAM, capacity
        )
        self._streams = StreamMetrics(taken)
        self._queues = QueueMetrics(pipeline.moto.client("sqs"), names.queues)
        self._search = SearchMetrics(names.search_domain or "", names.account, environment.search.volume_gb)
        self._behind = series(ITERATOR_AGE, application.INPUT_STREAM)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Puts the alarms and begins."""
        self.alarms.put()
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.wait(_SECONDS):
            try:
                self._round()
                self.silent.pop("cloudwatch", None)
            except Exception as error:  # noqa: BLE001 - the page says it; the next round may do better
                self.silent["cloudwatch"] = f"{type(error).__name__}: {error}"

    def _round(self) -> None:
        samples: list[Sample] = []
        for part, source in (
            ("functions", self._functions),
            ("streams", lambda: self._streams.samples(self._pipeline.mappings())),
            ("queues", self._queues.samples),
            ("flink", self._of_flink),
            ("search", self._of_search),
        ):
            samples += self._asked(part, source)
        put(self._cloudwatch, samples)
        self.alarms.evaluate(time.time())

    def _asked(self, part: str, source: Callable[[], Iterable[Sample]]) -> list[Sample]:
        """What a part tells, as far as it answers; what does not has no samples, as on AWS."""
        samples: list[Sample] = []
        try:
            for sample in source():
                samples.append(sample)  # what came before an error is kept
        except (OSError, RestError, ClientError, BotoCoreError) as error:
            self.silent[part] = str(error)
        else:
            self.silent.pop(part, None)
        return samples

    def _functions(self) -> Iterator[Sample]:
        yield from self._pipeline.telling.calls.samples()
        yield from self._pipeline.telling.lines.samples()

    def _of_flink(self) -> Iterator[Sample]:
        pid = next((each.pid for each in self._pipeline.flink.processes if each.name == TASK_MANAGER), None)
        behind: Series = self._behind
        for sample in self._flink.samples(pid):
            yield sample
            if sample.series.name == "millisBehindLatest":  # Kinesis tells the same of its readers
                yield Sample(behind, sample.value, sample.time)

    def _of_search(self) -> Iterator[Sample]:
        if self._pipeline.search.done():
            yield from self._search.samples(self._pipeline.search.result()[0])
