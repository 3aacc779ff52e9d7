"""Drives the application's graph on the session's mini cluster: records in, documents out.

The graph is the one that runs on the service, built by ``flink_jobs.graph`` from checked settings; only the ends
differ: an archive file instead of the stream, and a collecting sink.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pyflink.datastream import DataStream, StreamExecutionEnvironment

from contracts.rejections import REJECTED
from contracts.results import ResultType
from flink_jobs import endpoints, graph
from flink_jobs.engine.gateway import java, streams
from flink_jobs.settings import BackfillSettings, Settings
from local.oracle.records import LogRecord
from tests.events import Output
from tests.jobs import cluster

ROOT = Path(__file__).resolve().parent.parent.parent
JAR = ROOT / "build" / "maven" / "realtime-analytics.jar"
SQL = ROOT / "sql"


def environment(jar: Path, parallelism: int, options: Mapping[str, str] | None = None) -> StreamExecutionEnvironment:
    """An environment on the session's cluster, configured as ``flink_jobs.main`` configures the real one.

    ``options``: Flink's, on top of these.
    """
    result = cluster.started(jar).environment({"pipeline.object-reuse": "true", **(options or {})})
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
