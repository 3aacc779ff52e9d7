"""Cases of a specification: rows in, rows out, side by side. All cases of a file run in ONE execution of Flink."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.results import ENVELOPE
from local.oracle.records import LogRecord
from tests.jobs.harness import Output, Row, log


@dataclass(frozen=True)
class Case:
    """Events of one subject, and the job's own columns of the results that they must give, oldest first."""

    events: Sequence[bytes]
    results: Sequence[Mapping[str, Any]]


def logged(cases: Mapping[str, Case]) -> list[LogRecord]:
    """The cases' events as one log: each case's in its order, the cases side by side in event time."""
    timed: list[tuple[int, bytes]] = []
    for case in cases.values():
        newest = 0
        for payload in case.events:
            newest = max(newest, json.loads(payload)["event_time"])
            timed.append((newest, payload))
    timed.sort(key=lambda record: record[0])
    return log(payload for _, payload in timed)


def results_of(case: Case, output: Output, job: str, subject: str) -> list[Row]:
    """The job's own columns of what came of the case, whose events share or list values of the ``subject`` column."""
    subjects = {json.loads(payload)[subject] for payload in case.events}
    envelope = {column.name for column in ENVELOPE}
    return [
        {name: value for name, value in row.items() if name not in envelope}
        for row in output.rows(job)
        if row[subject] in subjects
    ]
