"""One demo from start to reconciliation."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from contracts.results import ResultType
from flink_jobs.settings import Settings
from local.demo import application
from local.demo.collector import Collector
from local.demo.flink_view import FlinkView
from local.demo.observation import indexed_documents, metric_sums
from local.demo.options import Options
from local.demo.pipeline import Pipeline, poll_messages
from local.demo.reconciliation import Observed, Reconciliation, reconcile
from local.processes import Supervisor
from local.standins.flink_rest import ENDED_STATES
from local.traffic.delivery import Delivery
from local.traffic.generator import HOUR, MINUTE, Request
from local.traffic.plan import Traffic

_TICK_SECONDS = 0.5
#: Without any progress for as long, something is stuck.
_STUCK_SECONDS = 180.0
#: CloudWatch refuses samples of two weeks ago; a day of room.
_OLDEST = 13 * 24 * HOUR


class DemoFailed(Exception):
    """The run broke; the message says where and what to look at."""


@dataclass
class Status:
    """What the screen shows, as of now."""

    sent: int = 0
    planned: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    results: dict[str, int] = field(default_factory=dict)
    alerts: int = 0
    event_time: int | None = None
    phase: str = "starting"


def request(options: Options, settings: Settings, now: int) -> Request:
    """The traffic to generate. Without a start: the last whole hour such that the closing heartbeats are past."""
    longest = max(
        settings.session.gap,
        settings.behavior.gap,
        settings.aggregation.window,
        settings.recommendation.step,
        settings.anomaly.slice,
    )
    closing = longest + settings.time.watermark_delay + MINUTE
    start = options.start
    if start is None:
        start = (now - options.span - closing) // HOUR * HOUR
    elif start < now - _OLDEST:
        raise DemoFailed(
            f"--start: CloudWatch takes no sample older than two weeks; allowed is the last {_OLDEST // HOUR} hours"
        )
    elif start + options.span + closing > now + settings.time.future_tolerance:
        raise DemoFailed(
            f"--start: the closing heartbeats, {(options.span + closing) // MINUTE} minutes after it, would be in the "
            "future and rejected; start earlier"
        )
    return Request(
        events=options.events,
        seed=options.seed,
        start=start,
        span=options.span,
        shards=options.shards,
        poison=options.poison,
        closing=closing,
        watermark_delay=settings.time.watermark_delay,
        idle=options.idle,
    )


class Run:
    """Feeds a running pipeline, watches it, and reconciles.

    Args:
        show: called twice a second with the status.
        tell: called with a sentence worth a line: the first result, alerts, restarts.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        supervisor: Supervisor,
        settings: Settings,
        traffic: Traffic,
        rate: int,
        show: Callable[[Status], None],
        tell: Callable[[str], None],
    ) -> None:
        self._pipeline = pipeline
        self._supervisor = supervisor
        self._settings = settings
        self._traffic = traffic
        self._rate = rate
        self._show = show
        self._tell = tell
        self._stop = threading.Event()
        self._view = FlinkView(pipeline.flink.rest, pipeline.job_id)
        kinesis = pipeline.moto.client("kinesis")
        self._results = Collector(kinesis, application.RESULTS_STREAM)
        self._rejected = Collector(kinesis, application.REJECTED_STREAM)
        self._delivery = Delivery(pipeline.input.log, self._stop)
        self._sqs = pipeline.moto.client("sqs")
        self._alerts: list[dict[str, Any]] = []
        # The watermark rests for the idle timeout while a shard is silent.
        self._patience = max(_STUCK_SECONDS, settings.time.idle_timeout / 1000 + 60)
        self._restarts = 0
        self._first_told = False
        self._progress: tuple[object, float] = (None, time.monotonic())
        self.status = Status(planned=len(traffic.records) + len(traffic.closing) + (traffic.idle is not None))

    def play(self) -> Reconciliation:
        """Sends, waits until everything has come out at the other end, and reconciles."""
        self._results.start()
        self._rejected.start()
        try:
            self._send("sending events", self._traffic.records, self._rate)
            closing = list(self._traffic.closing)
            target = self._traffic.end
            if self._traffic.idle is not None:
                # All shards but the last go on; the watermark waits for it until the idle timeout.
                self._send("closing all shards but one", closing[:-1])
                self._until("waiting for the watermark to pass the idle shard", lambda: self._watermark_at(target))
                closing = [self._traffic.idle, closing[-1]]
            self._send("closing heartbeats", closing)
            self._until("Flink reads the rest", self._all_read)
            self._until("the watermark closes the last windows", lambda: self._watermark_at(self._closed()))
            passed = int(time.time() * 1000)
            # A checkpoint that began after the watermark had passed has flushed every sink.
            self._until("a checkpoint flushes the sinks", lambda: self._view.completed_checkpoint_trigger() > passed)
            flushed = time.monotonic()
            self._until("the functions catch up", lambda: self._caught_up(flushed))
            self._drain_alerts()
            self._tick("reconciling")
            return self._reconcile()
        finally:
            self._stop.set()
            self._results.stop()
            self._rejected.stop()

    def _closed(self) -> int:
        """A watermark beyond every window's end. A job's may stay up to a minute behind the source's."""
        heartbeat = json.loads(self._traffic.closing[0].payload)["event_time"]
        return int(heartbeat) - self._settings.time.watermark_delay - MINUTE

    def _send(self, phase: str, records: list[Any], rate: int = 0) -> None:
        error: list[BaseException] = []

        def send() -> None:
            try:
                self._delivery.send(records, rate)
            except Exception as failure:  # noqa: BLE001 - raised in the owner's thread, below
                error.append(failure)

        sender = threading.Thread(target=send, name="producer", daemon=True)
        sender.start()
        self._until(phase, lambda: not sender.is_alive())
        if error:
            raise DemoFailed(f"{phase}: {error[0]}") from error[0]

    def _until(self, phase: str, done: Callable[[], bool]) -> None:
        self._tick(phase)
        while not done():
            self._stop.wait(_TICK_SECONDS)
            self._tick(phase)

    def _tick(self, phase: str) -> None:
        if self._pipeline.flink.revive_taskmanager():
            self._tell(
                "the TaskManager had died, a new one took its place; from now on alerts and metrics may come twice "
                "(the streams are at least once), results may not"
            )
        self._supervisor.raise_if_died()
        for mapping in self._pipeline.mappings():
            mapping.raise_if_failed()
        state = self._pipeline.flink.job_state(self._pipeline.job_id)
        exceptions = self._pipeline.flink.job_exceptions(self._pipeline.job_id)
        if state in ENDED_STATES:
            reason = exceptions[0] if exceptions else "no exception was recorded"
            raise DemoFailed(f"the Flink job is {state}: {reason[:2000]}")
        if len(exceptions) > self._restarts:
            self._restarts = len(exceptions)
            self._tell(f"Flink restarts the job: {exceptions[0].splitlines()[0]}")
        self._take_alerts()
        self._tell_first_result()
        status = self.status
        status.phase = phase
        status.sent = self._delivery.sent
        status.counts = self._view.counts()
        status.event_time = self._view.watermark()
        status.results = dict(self._results.types)
        status.alerts = len(self._alerts)
        self._show(status)
        progress = (
            phase,
            status.sent,
            tuple(status.counts.items()),
            status.event_time,
            len(self._results.documents),
        )
        if progress != self._progress[0]:
            self._progress = (progress, time.monotonic())
        elif time.monotonic() - self._progress[1] > self._patience:
            raise DemoFailed(
                f"{phase}: nothing moved for {self._patience:.0f} s; look at {self._supervisor.logs} and "
                f"{self._pipeline.flink.rest_url}"
            )

    def _tell_first_result(self) -> None:
        if self._results.first is not None and not self._first_told:
            self._first_told = True
            self._tell(f"first result: {self._results.first}")

    def _take_alerts(self) -> None:
        for body in poll_messages(self._sqs, self._pipeline.alerts_queue):
            alert = json.loads(body)
            self._alerts.append(alert)
            self._tell(f"ALERT {alert['severity']}: {alert['message']}")

    def _drain_alerts(self) -> None:
        before = -1
        while before != len(self._alerts):
            before = len(self._alerts)
            self._take_alerts()

    def _all_read(self) -> bool:
        return self._view.counts().get("read", 0) >= self._delivery.sent

    def _watermark_at(self, target: int) -> bool:
        mark = self._view.watermark()
        return mark is not None and mark >= target

    def _caught_up(self, since: float) -> bool:
        return (
            self._results.caught_up(since)
            and self._rejected.caught_up(since)
            and self._pipeline.search.done()
            and all(mapping.caught_up(since) for mapping in self._pipeline.mappings())
        )

    def _reconcile(self) -> Reconciliation:
        pipeline = self._pipeline
        observed = Observed(
            counts=self._view.counts(),
            results=self._results.documents,
            rejected=self._rejected.documents,
            conflicts=self._results.conflicts + self._rejected.conflicts,
            alerts=self._alerts,
            indexed=indexed_documents(pipeline.search.result()[0]),
            metrics=metric_sums(pipeline.moto.client("cloudwatch"), self._traffic.start, int(time.time() * 1000)),
            given_up=sum(mapping.counts().given_up for mapping in pipeline.mappings()),
        )
        return reconcile(self._delivery.log, self._delivery.planned, self._traffic.truth, self._settings, observed)

    def results_text(self) -> str:
        """Every distinct result, a line each, in order of id: the same for the same seed and start."""
        jobs = {job.value for job in ResultType}
        documents = sorted(self._results.documents.items())
        return "".join(text + "\n" for _, text in documents if json.loads(text)["result_type"] in jobs)
