"""Puts together who watches a run and who shows it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flink_jobs.settings import Settings
from local.cloudwatch.clocks import Clocks
from local.demo import application, monitored
from local.demo.run import Run
from local.demo.watch import Watch
from local.faults.board import Board, faults_of
from local.page.dashboard import Dashboard
from local.page.live import Live
from local.page.server import Content, Page
from local.traffic.generator import Request


@contextmanager
def served(run: Run, wanted: Request, settings: Settings, name: str) -> Iterator[str]:
    """Watches the run, lets faults in, and serves the page; gives its address."""
    environment, names = monitored.environment(settings), monitored.names()
    watch = Watch(
        run.pipeline,
        environment,
        names,
        settings,
        {
            application.INPUT_STREAM: lambda: (run.delivery.sent, run.delivery.bytes_sent),
            application.RESULTS_STREAM: lambda: (run.results.read, run.results.bytes_read),
            application.REJECTED_STREAM: lambda: (run.rejected.read, run.rejected.bytes_read),
        },
    )
    clocks = Clocks(wanted.start // 1000, (wanted.start + wanted.span + wanted.closing) // 1000, int(watch.began))
    dashboard = Dashboard(environment, names, run.pipeline.moto.client("cloudwatch"), clocks, watch)
    faults = Board(faults_of(run))
    live = Live(run, watch, faults, name)
    with Page(Content(live.snapshot, dashboard.snapshot, faults.inject)) as page:
        watch.start()
        faults.start()
        try:
            yield page.url
        finally:
            faults.stop()
            watch.stop()
