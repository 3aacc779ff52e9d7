"""Drives the application's graph on a Flink mini cluster: records in, documents out.

The graph is the one that runs on the service, built by ``flink_jobs.graph`` from checked settings; only the ends
differ: an archive file instead of the stream, and a collecting sink.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from pyflink.common import Configuration
from pyflink.datastream import DataStream, StreamExecutionEnvironment

from contracts.rejections import REJECTED
from contracts.results import ResultType
from flink_jobs import endpoints, graph
from flink_jobs.engine.gateway import java, streams
from flink_jobs.settings import BackfillSettings, Settings, parse
from local.oracle.records import LogRecord

ROOT = Path(__file__).resolve().parent.parent.parent
JAR = ROOT / "build" / "maven" / "realtime-analytics.jar"
SQL = ROOT / "sql"

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
#: A whole day's start: every event of the tests lies at or after it. Offsets below count from here.
START = 1_790_000_000_000 // (24 * HOUR) * (24 * HOUR)
#: Far enough after every event for none to be in the future.
ARRIVAL = START + 60 * 24 * HOUR

SOURCE = "events"

Row = dict[str, Any]


@dataclass(frozen=True)
class Output:
    """What the graph gave: texts of documents by result_id."""

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
    """The settings with the given jobs (all without any) and what ``groups`` change from the defaults."""
    properties = {
        "kinesis.analytics.flink.run.options": {"python": "main.py", "jarfile": "a.jar", "pyFiles": "python"},
        "input": {"stream": SOURCE, "region": "us-east-1"},
        "output": {"results_stream": "results", "rejected_stream": "rejected"},
        **groups,
        # START is fixed: to a stream that takes the records now, they are as old as the calendar says.
        "time": {"past_tolerance": "0 s", **groups.get("time", {})},
    }
    if jobs:
        properties["jobs"] = {"enabled": ",".join(jobs)}
    return parse(properties, "test", local=True)


def environment(jar: Path, parallelism: int) -> StreamExecutionEnvironment:
    """A mini cluster with the job's jar, configured as ``flink_jobs.main`` configures the real one."""
    configuration = Configuration()
    configuration.set_string("pipeline.jars", jar.as_uri())
    configuration.set_string("pipeline.object-reuse", "true")
    configuration.set_string("python.executable", sys.executable)
    result = StreamExecutionEnvironment.get_execution_environment(configuration)
    result.set_parallelism(parallelism)
    return result


def run(
    records: Sequence[LogRecord],
    settings: Settings,
    jar: Path,
    archive: Path,
    parallelism: int = 2,
    verdicts: Mapping[tuple[str, str], str] | None = None,
) -> Output:
    """Runs the graph over the records, in their order, until every window is closed.

    ``verdicts``: reasons of the live rejections by (partition, position); with them, every record has its verdict.
    """
    with archive.open("w", encoding="utf-8") as lines:
        for record in records:
            document: dict[str, Any] = {
                "source": record.source,
                "partition": record.partition,
                "position": record.position,
                "arrival_time": record.arrival,
                "payload": base64.b64encode(record.payload).decode(),
            }
            if verdicts is not None:
                document["verdict"] = verdicts.get((record.partition, record.position), "accepted")
            lines.write(json.dumps(document) + "\n")
    env = environment(jar, parallelism)
    backfill = settings.backfill or BackfillSettings(str(archive), 0, 2**62, 0)
    source = endpoints.archived_records(env, settings, dataclasses.replace(backfill, archive=str(archive)))
    return outcome(env, source, settings)


def outcome(env: StreamExecutionEnvironment, source: Any, settings: Settings) -> Output:
    """What comes out of the graph over a source that ends."""
    documents = graph.build(env, source, settings, SQL)
    texts = java("sink.KeyedJson").texts(documents.results.union(streams([documents.rejected])))
    output = Output({}, {})
    with DataStream(texts).execute_and_collect() as collected:
        for text in collected:
            document = json.loads(text)
            known = output.rejected if document["result_type"] == REJECTED else output.results
            # Two records of the very same bytes are one anomaly, told twice in the same words; all else comes once.
            before = known.get(document["result_id"])
            told_again = before == text and document["result_type"] == ResultType.ANOMALY
            assert before is None or told_again, f"one id, two documents: {before}, {text}"
            known[document["result_id"]] = text
    return output
