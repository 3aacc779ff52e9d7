"""One demo from start to reconciliation."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from contracts.results import SCHEMAS, ResultType
from flink_jobs.settings import Settings
from local.demo import application
from local.demo.collector import Collector
from local.demo.findings import Findings, Rejections
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
DAY = 24 * HOUR
_OLDEST = 13 * DAY


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
        getattr(of_job, key) for job, of_job in settings.of_jobs.items() for key in SCHEMAS[ResultType(job)].longest
    )
    closing = longest + settings.time.watermark_delay + MINUTE
    start = options.start
    if start is None:
        start = (now - options.span - closing) // HOUR * HOUR
    elif start < now - _OLDEST:
        raise DemoFailed(
            f"--start: CloudWatch takes no sample older than two weeks; allowed is the last {_OLDEST // HOUR} hours"
        )
    elif 0 < settings.time.past_tolerance < now - start:
        raise DemoFailed(
            f"--start: events of {(now - start) // DAY} days ago would be rejected as past. Start later, or add "
            f"--set time.past_tolerance='{(now - start) // DAY + 2} d'."
        )
    elif start + options.span + closing > now:
        raise DemoFailed(
            f"--start: the closing heartbeats, {(options.span + closing) // MINUTE} minutes after it, would be in the "
            "future, where no event moves the clock. Start earlier."
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
    """Feeds a running pipeline, watches it, and reconciles. Use it as a context manager.

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
        self._supervisor = supervisor
        self._rate = rate
        self._show = show
        self._tell = tell
        self.settings = settings
        self.pipeline = pipeline
        self.verdict: Reconciliation | None = None
        self._stop = threading.Event()
        self._view = FlinkView(pipeline.flink.rest, pipeline.job_id)
        kinesis = pipeline.moto.client("kinesis")
        self.findings = Findings(traffic.truth)
        self.results = Collector(kinesis, application.RESULTS_STREAM, self.findings.take)
        self.rejections = Rejections()
        self.rejected = Collector(kinesis, application.REJECTED_STREAM, self.rejections.take)
        self.delivery = Delivery(pipeline.input.log, self._stop)
        self._sqs = pipeline.moto.client("sqs")
        self.alerts: list[dict[str, Any]] = []
        self.traffic = traffic
        self._replayed = False
        # The watermark rests for the idle timeout while a shard is silent.
        self._patience = max(_STUCK_SECONDS, settings.time.idle_timeout / 1000 + 60)
        self._restarts = 0
        self._first_told = False
        self._progress: tuple[object, float] = (None, time.monotonic())
        self.status = Status(planned=len(traffic.records) + len(traffic.closing) + (traffic.idle is not None))

    def __enter__(self) -> Self:
        """Begins to read what comes out."""
        self.results.start()
        self.rejected.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the threads."""
        self._stop.set()
        self.results.stop()
        self.rejected.stop()

    def play(self) -> Reconciliation:
        """Sends, waits until everything has come out at the other end, and reconciles."""
        self._send("sending events", self.traffic.records, self._rate)
        self.delivery.close()
        closing = list(self.traffic.closing)
        target = self.traffic.end
        if self.traffic.idle is not None:
            # All shards but the last go on; the watermark waits for it until the idle timeout.
            self._send("closing all shards but one", closing[:-1])
            self._until("waiting for the watermark to pass the idle shard", lambda: self._watermark_at(target))
            closing = [self.traffic.idle, closing[-1]]
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
        self.verdict = self._reconcile()
        return self.verdict

    def keep(self) -> None:
        """Watches on after the reconciliation, and lets events in again; ends by an exception only."""
        self.delivery.reopen()
        while not self._stop.wait(_TICK_SECONDS):
            self._look("kept running")

    def _closed(self) -> int:
        """A watermark beyond every window's end. A job's may stay up to a minute behind the source's."""
        heartbeat = json.loads(self.traffic.closing[0].payload)["event_time"]
        return int(heartbeat) - self.settings.time.watermark_delay - MINUTE

    def _send(self, phase: str, records: list[Any], rate: int = 0) -> None:
        error: list[BaseException] = []

        def send() -> None:
            try:
                self.delivery.send(records, rate)
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
        """Looks, and breaks the run off when nothing has moved for long."""
        self._look(phase)
        status = self.status
        progress = (
            phase,
            status.sent,
            tuple(status.counts.items()),
            status.event_time,
            len(self.results.documents),
        )
        if progress != self._progress[0]:
            self._progress = (progress, time.monotonic())
        elif time.monotonic() - self._progress[1] > self._patience:
            raise DemoFailed(
                f"{phase}: nothing moved for {self._patience:.0f} s; look at {self._supervisor.logs} and "
                f"{self.pipeline.flink.rest_url}"
            )

    def _look(self, phase: str) -> None:
        if self.pipeline.flink.revive_taskmanager():
            self._replayed = True
            self._tell(
                "the TaskManager had died, a new one took its place; results, documents and alerts stay exact, "
                "sessions, conversions and rejections may be counted twice (the streams are at least once)"
            )
        self._supervisor.raise_if_died()
        for mapping in self.pipeline.mappings():
            mapping.raise_if_failed()
        state = self.pipeline.flink.job_state(self.pipeline.job_id)
        exceptions = self.pipeline.flink.job_exceptions(self.pipeline.job_id)
        if state in ENDED_STATES:
            reason = exceptions[0] if exceptions else "no exception was recorded"
            raise DemoFailed(f"the Flink job is {state}: {reason[:2000]}")
        if len(exceptions) > self._restarts:
            self._restarts = len(exceptions)
            self._replayed = True
            self._tell(f"Flink restarts the job: {exceptions[0].splitlines()[0]}")
        self._take_alerts()
        self._tell_first_result()
        status = self.status
        status.phase = phase
        status.sent = self.delivery.sent
        status.counts = self._view.counts()
        status.event_time = self._view.watermark()
        status.results = dict(self.results.types)
        status.alerts = len(self.alerts)
        self._show(status)

    def _tell_first_result(self) -> None:
        if self.results.first is not None and not self._first_told:
            self._first_told = True
            self._tell(f"first result: {self.results.first}")

    def _take_alerts(self) -> None:
        for body in poll_messages(self._sqs, self.pipeline.alerts_queue):
            alert = json.loads(body)
            self.alerts.append(alert)
            self._tell(f"ALERT {alert['severity']}: {alert['message']}")

    def _drain_alerts(self) -> None:
        before = -1
        while before != len(self.alerts):
            before = len(self.alerts)
            self._take_alerts()

    def _all_read(self) -> bool:
        return self._view.counts().get("read", 0) >= self.delivery.sent

    def _watermark_at(self, target: int) -> bool:
        mark = self._view.watermark()
        return mark is not None and mark >= target

    def _caught_up(self, since: float) -> bool:
        return (
            self.results.caught_up(since)
            and self.rejected.caught_up(since)
            and self.pipeline.search.done()
            and self.pipeline.search.result()[0].is_ready()  # it may have been stopped on purpose
            and all(mapping.caught_up(since) for mapping in self.pipeline.mappings())
        )

    def _reconcile(self) -> Reconciliation:
        pipeline = self.pipeline
        observed = Observed(
            counts=self._view.counts(),
            results=self.results.documents,
            rejected=self.rejected.documents,
            conflicts=self.results.conflicts + self.rejected.conflicts,
            alerts=self.alerts,
            indexed=indexed_documents(pipeline.search.result()[0]),
            metrics=metric_sums(pipeline.moto.client("cloudwatch"), self.traffic.start, int(time.time() * 1000)),
            given_up=sum(mapping.counts().given_up for mapping in pipeline.mappings()),
            replayed=self._replayed,
        )
        return reconcile(self.delivery.log, self.delivery.planned, self.traffic.truth, self.settings, observed)

    def alerts_text(self) -> str:
        """Every alert, a line each, in order of the result's id."""
        received = sorted(self.alerts, key=lambda alert: str(alert["result_id"]))
        return "".join(json.dumps(alert) + "\n" for alert in received)

    def results_text(self) -> str:
        """Every distinct result, a line each, in order of id: the same for the same seed and start."""
        jobs = {job.value for job in ResultType}
        documents = sorted(self.results.documents.items())
        return "".join(text + "\n" for _, text in documents if json.loads(text)["result_type"] in jobs)
