"""``make demo ARGS='--against .run/last'``: what changed between two runs of the same traffic."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RESULTS, ALERTS, REPORT = "results.jsonl", "alerts.jsonl", "report.json"
#: What makes the traffic: two runs that differ in it cannot be compared.
TRAFFIC = ("events", "seed", "start", "span", "shards", "poison", "idle")
_ROWS = 3


class NoRun(Exception):
    """There is nothing to compare with; the message says how to get it."""


@dataclass(frozen=True)
class Outcome:
    """What a run left behind: documents by result_id, alerts by result_id, and its traffic."""

    results: Mapping[str, dict[str, Any]]
    alerts: Mapping[str, dict[str, Any]]
    traffic: Mapping[str, Any]


@dataclass
class Change:
    """Of one job, or of the alerts: how many there were and are, and what became of them."""

    before: int = 0
    now: int = 0
    changed: int = 0
    gone: int = 0
    new: int = 0

    @property
    def any(self) -> bool:
        """Whether something is different."""
        return bool(self.changed or self.gone or self.new)


@dataclass
class Changes:
    """By job, of the alerts, and the first rows that differ, in words."""

    jobs: dict[str, Change] = field(default_factory=dict)
    alerts: Change = field(default_factory=Change)
    rows: list[str] = field(default_factory=list)


def read(folder: Path) -> Outcome:
    """The outcome in a run's folder.

    Raises:
        NoRun: a file of it is not there, or is none of a demo.
    """
    try:
        report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
        return read_files(folder / RESULTS, folder / ALERTS, report["traffic"])
    except (OSError, ValueError, KeyError) as error:
        raise NoRun(
            f"--against: {folder} holds no run that ended ({type(error).__name__}). Run make demo once: it keeps its "
            "outcome in .run/last."
        ) from error


def read_files(results: Path, alerts: Path, traffic: Mapping[str, Any]) -> Outcome:
    """The outcome in these files."""
    return Outcome(_documents(results), _documents(alerts), traffic)


def keep_last(files: Mapping[str, Path], last: Path) -> None:
    """Copies the outcome of a run that ended to where the next one looks for it."""
    last.mkdir(parents=True, exist_ok=True)
    for name, file in files.items():
        shutil.copy(file, last / name)


def _documents(file: Path) -> dict[str, dict[str, Any]]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return {document["result_id"]: document for document in map(json.loads, lines)}


def check_traffic(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raises NoRun where two runs sent other events."""
    for key in TRAFFIC:
        if before.get(key) != now.get(key):
            raise NoRun(
                f"--against: that run had --{key} {before.get(key)}, this one {now.get(key)}: only runs of the same "
                "traffic can be compared. Leave the option out."
            )


def changes(before: Outcome, now: Outcome) -> Changes:
    """What is different between two runs of the same traffic."""
    found = Changes()
    jobs = Counter(document["result_type"] for document in (*before.results.values(), *now.results.values()))
    for job in sorted(jobs):
        old, new = ({i: d for i, d in each.results.items() if d["result_type"] == job} for each in (before, now))
        found.jobs[job] = _change(old, new)
        found.rows += _rows(job, old, new)
    found.alerts = _change(before.alerts, now.alerts)
    return found


def _change(old: Mapping[str, dict[str, Any]], new: Mapping[str, dict[str, Any]]) -> Change:
    both = old.keys() & new.keys()
    return Change(
        len(old),
        len(new),
        sum(old[each] != new[each] for each in both),
        len(old.keys() - new.keys()),
        len(new.keys() - old.keys()),
    )


def _rows(job: str, old: Mapping[str, dict[str, Any]], new: Mapping[str, dict[str, Any]]) -> list[str]:
    """The first rows that differ, by the time at which they became true."""
    ids = [each for each in old.keys() | new.keys() if old.get(each) != new.get(each)]
    ids.sort(key=lambda each: ((new.get(each) or old[each])["event_time"], each))
    return [_told(job, old.get(each), new.get(each)) for each in ids[:_ROWS]]


def _told(job: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> str:
    if old is None or new is None:
        return f"{job}: {'new' if old is None else 'gone'}: {_row(new or old or {})}"
    columns = [f"{name} {old.get(name)} -> {new.get(name)}" for name in new if old.get(name) != new.get(name)]
    same = {name: value for name, value in new.items() if old.get(name) == value}
    return f"{job}: {', '.join(columns)} in {_row(same)}"


def _row(document: dict[str, Any]) -> str:
    shown = {name: value for name, value in document.items() if name not in ("result_type", "result_id", "run")}
    return ", ".join(f"{name} {value}" for name, value in shown.items())
