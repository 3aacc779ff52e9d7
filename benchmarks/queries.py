"""The queries as a person would port them to Flink SQL from the document that the system comes from.

``format=json`` in front, one watermark for everything, the hour as OVER RANGE, fraud as a tumbling count: what they
lose is told in docs/benchmarks, here it is only what they cost. The events are written as JSON lines beside the file.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from benchmarks import events

_SOURCE = """
CREATE TEMPORARY TABLE events (
    event_time BIGINT,
    user_id BIGINT,
    event_type STRING,
    `value` DOUBLE,
    session_id STRING,
    category STRING,
    rowtime AS TO_TIMESTAMP_LTZ(event_time, 3),
    WATERMARK FOR rowtime AS rowtime - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'json', 'json.ignore-parse-errors' = 'true')
"""

QUERIES = {
    "seed_aggregation": """
SELECT window_start, event_type, COUNT(*), COUNT(DISTINCT user_id), SUM(`value`), AVG(`value`)
FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(rowtime), INTERVAL '5' MINUTE))
GROUP BY window_start, window_end, event_type""",
    "seed_anomaly": """
SELECT * FROM (
    SELECT rowtime, user_id, event_type, `value`,
        ABS(`value` - AVG(`value`) OVER hour_before) / NULLIF(STDDEV_SAMP(`value`) OVER hour_before, 0) AS score
    FROM events
    WINDOW hour_before AS (
        PARTITION BY event_type ORDER BY rowtime RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW)
) WHERE score > 3""",
    "seed_session": """
SELECT user_id, window_start, window_end, COUNT(*), SUM(`value`)
FROM TABLE(SESSION(TABLE events PARTITION BY user_id, DESCRIPTOR(rowtime), INTERVAL '30' MINUTE))
GROUP BY user_id, window_start, window_end""",
    "seed_behavior": """
SELECT session_id, user_id, window_start, window_end, LISTAGG(event_type, ' -> '), SUM(`value`),
    MAX(CASE WHEN event_type = 'purchase' THEN 1 ELSE 0 END)
FROM TABLE(SESSION(TABLE events PARTITION BY (session_id, user_id), DESCRIPTOR(rowtime), INTERVAL '30' MINUTE))
GROUP BY session_id, user_id, window_start, window_end""",
    "seed_recommendation": """
SELECT window_end, user_id, category, SUM(
    CASE event_type WHEN 'view' THEN 1.0E0 WHEN 'click' THEN 2.0E0 WHEN 'purchase' THEN 5.0E0 ELSE 0.0E0 END
    * EXP(-(UNIX_TIMESTAMP(CAST(window_end AS STRING)) - event_time / 1000) / 3600.0E0)) AS score
FROM TABLE(HOP(TABLE events, DESCRIPTOR(rowtime), INTERVAL '5' MINUTE, INTERVAL '1' HOUR))
GROUP BY window_start, window_end, user_id, category""",
    "seed_fraud": """
SELECT window_end, user_id, COUNT(*)
FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(rowtime), INTERVAL '5' MINUTE))
WHERE event_type = 'purchase'
GROUP BY window_start, window_end, user_id
HAVING COUNT(*) > 10""",
}


def _lines(file: Path, count: int) -> Path:
    path = file.with_suffix(f".{count}.json")
    if not path.exists():
        partial = path.with_suffix(".partial")
        with partial.open("wb") as lines:
            lines.writelines(payload + b"\n" for payload in islice(events.read(file), count))
        partial.rename(path)
    return path


def run(env: StreamExecutionEnvironment, name: str, file: Path, count: int) -> None:
    """Runs a query over the first events of the file, to nowhere."""
    tables = StreamTableEnvironment.create(env)
    tables.get_config().set_local_timezone("UTC")
    tables.execute_sql(_SOURCE.format(path=_lines(file, count)))
    columns = tables.sql_query(QUERIES[name]).get_schema()
    types = ", ".join(f"c{at} {kind}" for at, kind in enumerate(_types(columns)))
    tables.execute_sql(f"CREATE TEMPORARY TABLE {name} ({types}) WITH ('connector' = 'blackhole')")
    tables.execute_sql(f"INSERT INTO {name} {QUERIES[name]}").wait()


def _types(schema: Any) -> list[str]:
    """SQL types of a query's columns; a time attribute as a plain time."""
    j_schema = schema._j_table_schema
    return [
        kind.getLogicalType().asSerializableString().replace(" NOT NULL", "").replace(" *ROWTIME*", "")
        for kind in j_schema.getFieldDataTypes()
    ]
