"""``make demo``: starts everything, plays seeded traffic, reconciles; the exit code says whether it agrees."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contracts.entry import check
from contracts.events import ContractError
from contracts.results import SCHEMAS, ResultType
from contracts.settings import SettingsError
from flink_jobs.settings import Settings
from local.demo import application
from local.demo.against import (
    ALERTS,
    REPORT,
    RESULTS,
    TRAFFIC,
    NoRun,
    Outcome,
    changes,
    check_traffic,
    keep_last,
    read,
    read_files,
)
from local.demo.archive import archiving
from local.demo.bill import bill
from local.demo.inputs import PLANNED
from local.demo.options import Options, parse, refuse
from local.demo.outage import SearchOutage
from local.demo.pipeline import Pipeline, running
from local.demo.run import DemoFailed, Run, Status, request
from local.demo.screen import Screen
from local.demo.serving import served
from local.environment import leave_the_users_settings
from local.processes import RunInUse, Supervisor, Terminated
from local.stale_runs import clean_up_stale
from local.traffic.generator import Request, generate

RUNS = application.ROOT / ".run"
_DIFFERS = (
    "moto stands in for Kinesis, SNS, SQS and CloudWatch: no throttling, no KMS, HTTP/1.1",
    "one TaskManager and a heap state backend; the managed service uses RocksDB and its own checkpoints",
    "OpenSearch runs without TLS and without users; the handlers run in one process, without Lambda's limits",
)


def main(arguments: list[str]) -> int:
    """Exit code 0 reconciled, 1 differs or broke, 2 not allowed (by way of SystemExit)."""
    options = parse(arguments)
    try:
        settings = application.checked(application.property_groups(options.settings, source=PLANNED[options.source]))
        for job in map(ResultType, settings.jobs.enabled):
            check(job.value, SCHEMAS[job])
        wanted = request(options, settings, int(time.time() * 1000))
        before = None if options.against is None else read(options.against)  # ahead of this run's own outcome
        if before is not None:
            check_traffic(before.traffic, _sent(wanted))
    except SettingsError as error:
        refuse(error)
    except (ContractError, DemoFailed, NoRun) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    leave_the_users_settings()
    screen = Screen()
    for line in clean_up_stale(RUNS):
        screen.tell(f"cleaned up: {line}")
    began = time.monotonic()
    supervisor: Supervisor | None = None
    try:
        with ExitStack() as stack:
            supervisor = _enter_free_run(stack, options.name)
            return _play(options, settings, wanted, before, supervisor, screen, began)
    except KeyboardInterrupt:
        print("demo: stopped by Ctrl-C; everything it started has ended", file=sys.stderr)
        return 128 + signal.SIGINT
    except Terminated:
        print("demo: stopped by a signal; everything it started has ended", file=sys.stderr)
        raise
    except Exception as error:  # noqa: BLE001 - the outermost edge: one line for the user, the trace into a file
        logs = "" if supervisor is None else f"\ndemo: logs are in {supervisor.logs}"
        if supervisor is not None and supervisor.logs.is_dir():
            (supervisor.logs / "demo-error.log").write_text(traceback.format_exc(), encoding="utf-8")
        print(f"demo: {_words(error)}{logs}", file=sys.stderr)
        return 1


def _sent(wanted: Request) -> dict[str, Any]:
    """What makes the traffic."""
    return {key: getattr(wanted, key) for key in TRAFFIC}


def _words(error: Exception) -> str:
    """Our own errors speak for themselves; of others the type says half of it."""
    return str(error) if type(error).__module__.startswith("local.") else f"{type(error).__name__}: {error}"


def _enter_free_run(stack: ExitStack, name: str) -> Supervisor:
    """Takes the run directory that was asked for, or the next one that no living demo has."""
    for number in range(1, 100):
        try:
            return stack.enter_context(Supervisor(RUNS / (name if number == 1 else f"{name}-{number}")))
        except RunInUse:
            continue
    raise RunInUse(f".run/{name} and 98 more are in use; give another --name")


def _play(
    options: Options,
    settings: Settings,
    wanted: Request,
    before: Outcome | None,
    supervisor: Supervisor,
    screen: Screen,
    began: float,
) -> int:
    start = datetime.fromtimestamp(wanted.start / 1000, UTC).isoformat().replace("+00:00", "Z")
    screen.tell(f"run {supervisor.run_dir.name}: --seed {wanted.seed} --start {start} --events {wanted.events}")
    report = options.report or supervisor.run_dir / REPORT
    results, alerts = supervisor.run_dir / RESULTS, supervisor.run_dir / ALERTS
    for old in (report, results, alerts):  # a run that fails must not leave another's verdict
        old.unlink(missing_ok=True)
    if options.idle and not wanted.idle:
        screen.tell("no shard falls idle: with parallelism above 1 its events could come behind the others' watermark")
    traffic = generate(wanted)
    slots = settings.local.parallelism if settings.local is not None else 1
    with ExitStack() as stack:
        parts = running(supervisor, options.settings, wanted.shards, slots, screen.tell, options.source)
        pipeline = stack.enter_context(parts)
        up = time.monotonic()
        screen.tell(f"events flow after {up - began:.0f} s")
        outage = SearchOutage(pipeline, options.search_outage, screen.tell) if options.search_outage else None

        def show(status: Status) -> None:
            screen.show(status)
            if outage is not None:
                outage.look(status)

        run = stack.enter_context(Run(pipeline, supervisor, settings, traffic, options.rate, show, screen.tell))
        archive = stack.enter_context(archiving(pipeline.moto, supervisor.run_dir, options.source))
        if options.page:
            screen.tell(f"live page: {stack.enter_context(served(run, wanted, settings, supervisor.run_dir.name))}")
        with screen:
            outcome = run.play()
        archive.finish()
        screen.reconciliation(outcome)
        seconds = {"start": round(up - began, 1), "run": round(time.monotonic() - up, 1)}
        sent = _sent(wanted)
        written = {"seconds": seconds, "traffic": sent, **outcome.as_json()}
        report.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
        results.write_text(run.results_text(), encoding="utf-8")
        alerts.write_text(run.alerts_text(), encoding="utf-8")
        if before is not None:
            screen.changes(changes(before, read_files(results, alerts, sent)))
        keep_last({REPORT: report, RESULTS: results, ALERTS: alerts}, RUNS / "last")
        screen.tell(
            f"start {seconds['start']} s, run {seconds['run']} s; report: {_shown(report)}; results: {_shown(results)}"
        )
        _where_next(screen, pipeline, options.keep)
        verdict = "reconciled: everything agrees" if outcome.ok else "NOT reconciled: see what differs above"
        screen.tell(verdict)
        if options.keep:
            screen.tell("kept running; Ctrl-C ends it")
            run.keep()
    return 0 if outcome.ok else 1


def _where_next(screen: Screen, pipeline: Pipeline, keep: bool) -> None:
    screen.tell("different from AWS: " + "; ".join(_DIFFERS))
    if keep:
        screen.tell(f"look at Flink: {pipeline.flink.rest_url}")
        screen.tell(f"search: curl '{pipeline.search.result()[0].url}/realtime-analytics-fraud-*/_search?pretty'")
        screen.tell(f"AWS API: aws --endpoint-url {pipeline.moto.endpoint} cloudwatch list-metrics")
    else:
        screen.tell("look around while it runs: make demo ARGS=--keep")
    screen.tell("change a query in sql/ or a setting (ARGS=\"--set aggregation.window='1 min'\") and run it again")
    screen.bill(*bill())
    screen.tell("deploy the same: make deploy ENV=dev (docs/deploy.md); other rates and formulas: make cost ENV=dev")


def _shown(path: Path) -> str:
    """The path as a person would type it from here."""
    return os.path.relpath(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
