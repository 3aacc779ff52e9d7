"""What tests are made of on either side of the JVM: events, logs, settings, documents, and cases of a specification."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from contracts.results import ENVELOPE
from flink_jobs.settings import Settings, parse
from local.oracle.records import LogRecord

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
#: A whole day's start: every event of the tests lies at or after it. Offsets below count from here.
START = 1_790_000_000_000 // (24 * HOUR) * (24 * HOUR)
#: Far enough after every event for none to be in the future.
ARRIVAL = START + 60 * 24 * HOUR

SOURCE = "events"

#: The jobs that come with the kit, whose results the kit's own tests know. A team's jobs have tests of their own.
KIT_JOBS = ("aggregation", "anomaly", "behavior", "fraud", "recommendation", "session")

Row = dict[str, Any]


@dataclass(frozen=True)
class Output:
    """What came of a log: texts of documents by result_id."""

    results: dict[str, str]
    rejected: dict[str, str]

    def rows(self, job: str) -> list[Row]:
        """The job's results, oldest first."""
        found = [row for row in map(parsed, self.results.values()) if row["result_type"] == job]
        return sorted(found, key=lambda row: (row["event_time"], row["result_id"]))

    def rejections(self) -> list[Row]:
        """The rejections, by partition and position."""
        found = map(parsed, self.rejected.values())
        return sorted(found, key=lambda row: (row["partition"], len(row["position"]), row["position"]))

    def reasons(self) -> dict[tuple[str, str], str]:
        """Reason by (partition, position)."""
        return {(row["partition"], row["position"]): row["reason"] for row in self.rejections()}


def parsed(text: str) -> Row:
    """A document; numbers with a fraction as Decimal, so that sums show to the digit."""
    row: Row = json.loads(text, parse_float=Decimal)
    return row


def at(offset: int) -> str:
    """The time ``offset`` milliseconds after START, as the contract writes it."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=START + offset)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{offset % SECOND:03d}Z"


def event(offset: int, **fields: Any) -> bytes:
    """A payload: user 1 views something ``offset`` milliseconds after START, unless ``fields`` say otherwise."""
    content = {"event_time": START + offset, "user_id": 1, "event_type": "view", **fields}
    return json.dumps(content, ensure_ascii=False).encode()


def log(payloads: Iterable[bytes], partition: str = "shard-0", first: int = 0) -> list[LogRecord]:
    """Payloads as they stand in one partition."""
    return [
        LogRecord(SOURCE, partition, str(position), ARRIVAL, payload)
        for position, payload in enumerate(payloads, start=first)
    ]


def configured(*jobs: str, **groups: dict[str, str]) -> Settings:
    """The settings with the given jobs (the kit's own without any) and what ``groups`` change from the defaults."""
    properties = {
        "kinesis.analytics.flink.run.options": {"python": "main.py", "jarfile": "a.jar", "pyFiles": "python"},
        "input": {"stream": SOURCE, "region": "us-east-1"},
        "output": {"results_stream": "results", "rejected_stream": "rejected"},
        **groups,
        # START is fixed: to a stream that takes the records now, they are as old as the calendar says.
        "time": {"past_tolerance": "0 s", **groups.get("time", {})},
    }
    properties["jobs"] = {"enabled": ",".join(jobs or KIT_JOBS), **groups.get("jobs", {})}
    return parse(properties, "test", local=True)


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
