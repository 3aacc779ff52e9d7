"""One backfill on a running pipeline: watched to its end, and held against what the live run gave."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.settings import time_of
from flink_jobs import properties
from flink_jobs.properties import Groups
from flink_jobs.settings import BackfillSettings, Settings
from local.demo import application
from local.demo.archive import EVENTS, REJECTED, archive_of
from local.demo.collector import Collector
from local.demo.flink_view import FlinkView
from local.demo.pipeline import Pipeline, poll_messages
from local.processes import Supervisor, wait_until

_SECONDS = 600.0
_TELL_SECONDS = 3.0
#: Groups that belong to a run, not to what its results mean.
_RUN_GROUPS = ("kinesis.analytics.flink.run.options", "input", "output", "local")

Document = dict[str, Any]


class BackfillFailed(Exception):
    """There is nothing to read, or the job did not finish; the message says what to do or where to look."""


def groups_of(run_dir: Path, start: str, end: str, output: Path) -> Groups:
    """Property groups for a backfill of what a demo archived: its own settings, and the group ``backfill``.

    Raises:
        BackfillFailed: the run left no archive.
    """
    archive = archive_of(run_dir)
    file = run_dir / "application_properties.json"
    if not (archive / EVENTS).is_dir() or not file.is_file():
        raise BackfillFailed(f"{run_dir} holds no archive of events; let a run finish first: make demo")
    groups = {name: keys for name, keys in properties.load(file).items() if name not in _RUN_GROUPS}
    groups["backfill"] = {
        "archive": (archive / EVENTS).as_uri(),
        "rejections": (archive / REJECTED).as_uri(),
        "start": start,
        "end": end,
        "delay": "30 d",  # the demo's events are of hours or days before their arrival
        "output": output.as_uri(),
    }
    return groups


@dataclass(frozen=True)
class Comparison:
    """What a backfill gave beside the live run's results that became true in its range."""

    equal: int
    different: tuple[str, ...]
    unknown: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether every result is one of the live run's, with the same content."""
        return not self.different and not self.unknown


def compare(found: dict[str, str], live: str, settings: Settings) -> Comparison:
    """Holds documents (id to JSON) against the live run's, a JSON line each. ``run`` is not compared."""
    backfill = _range(settings)
    lived = {row["result_id"]: row for row in map(_content, live.splitlines())}
    given = {identity: _content(text) for identity, text in found.items()}
    inside = {identity for identity, row in lived.items() if backfill.start < _millis(row) <= backfill.end}
    return Comparison(
        equal=sum(lived.get(identity) == row for identity, row in given.items()),
        different=tuple(sorted(each for each in given.keys() & lived.keys() if given[each] != lived[each])),
        unknown=tuple(sorted(given.keys() - lived.keys())),
        left_out=tuple(sorted(inside - given.keys())),
    )


def _range(settings: Settings) -> BackfillSettings:
    if settings.backfill is None:
        raise BackfillFailed("the settings have no group backfill")
    return settings.backfill


def _content(text: str) -> Document:
    row: Document = json.loads(text)
    return {name: value for name, value in row.items() if name != "run"}


def _millis(row: Document) -> int:
    return time_of(row["event_time"])


class Replay:
    """Follows a backfill's job. ``say`` is told of progress, a line each."""

    def __init__(
        self, pipeline: Pipeline, supervisor: Supervisor, settings: Settings, say: Callable[[str], None]
    ) -> None:
        self._pipeline = pipeline
        self._supervisor = supervisor
        self._backfill = _range(settings)
        self._say = say
        self._told_at = 0.0

    def play(self, job_id: str) -> dict[str, str]:
        """Waits until the job has finished and everything behind it is done; returns its results by id.

        Raises:
            BackfillFailed: the job failed.
            WaitTimeout: it took more than ten minutes.
        """
        view = FlinkView(self._pipeline.flink.rest, job_id)
        wait_until(lambda: self._finished(job_id, view), _SECONDS, "the backfill", interval=0.5)
        self._pipeline.search.result()
        results = Collector(self._pipeline.moto.client("kinesis"), application.RESULTS_STREAM)
        results.start()
        try:
            since = time.monotonic()
            wait_until(
                lambda: results.caught_up(since)
                and all(mapping.caught_up(since) for mapping in self._pipeline.mappings()),
                _SECONDS,
                "the functions",
            )
        finally:
            results.stop()
        if results.conflicts:
            raise BackfillFailed(f"one id with two contents: {results.conflicts[0]}")
        return results.documents

    def alerts(self) -> int:
        """How many alerts have come: a backfill sends none."""
        return len(poll_messages(self._pipeline.moto.client("sqs"), self._pipeline.alerts_queue))

    def _finished(self, job_id: str, view: FlinkView) -> bool:
        self._supervisor.raise_if_died()
        state = self._pipeline.flink.job_state(job_id)
        if state in ("FAILED", "CANCELED"):
            exceptions = self._pipeline.flink.job_exceptions(job_id)
            reason = exceptions[0][:2000] if exceptions else "no exception was recorded"
            raise BackfillFailed(f"the backfill's job is {state}: {reason}")
        if state == "RUNNING" and time.monotonic() - self._told_at >= _TELL_SECONDS:
            self._told_at = time.monotonic()
            self._say(self._progress(view))
        return state == "FINISHED"

    def _progress(self, view: FlinkView) -> str:
        read, mark = view.counts().get("read", 0), view.watermark()
        if mark is None:
            return f"records read {read}, no event time yet"
        first, last = self._backfill.known_from, self._backfill.end
        mark = min(mark, last)  # at its end the job says the end of time
        share = max(0.0, (mark - first) / (last - first))
        return f"records read {read}, event time {time.strftime('%F %T', time.gmtime(mark / 1000))}Z, {share:.0%}"
