"""``make sql``: Flink's SQL client over the streams of a demo that runs (``make demo ARGS=--keep``).

For trying a query before it becomes a job. Tables: ``events`` (as the jobs see them, but without the application's
verdicts: late and duplicate events are there, what is no event has null columns), a view a result type, ``rejected``.
Queries run in the client's own mini cluster, so the demo's slots stay the job's.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from contracts.columns import Column, ColumnType
from contracts.events import own_fields
from contracts.lake import every_result
from contracts.rejections import REJECTED, REJECTION_COLUMNS
from contracts.results import ENVELOPE, SCHEMAS
from flink_jobs import properties
from flink_jobs.event_table import SQL_TYPES
from local.demo import application
from local.environment import child_environment
from local.process_table import process_table
from local.run_record import read_record
from local.standins.flink_distribution import FlinkDistribution
from local.standins.java import loopback_option
from scripts.package import JAR

RUNS = application.ROOT / ".run"
#: Jars of local/standins/sql_client/pom.xml.
GATEWAY = application.ROOT / ".cache" / "sql-client"
_CLIENT = "org.apache.flink.table.client.SqlClient"
_SETTINGS: Mapping[str, str] = {
    "execution.target": "local",
    "sql-client.execution.result-mode": "tableau",
    "table.local-time-zone": "UTC",
}


def own_column(column: Column) -> str:
    """The column of a field that a team has added."""
    text = f"JSON_VALUE(payload, '$.{column.name}')"
    typed = text if column.type is ColumnType.STRING else f"TRY_CAST({text} AS {SQL_TYPES[column.type]})"
    return f"    `{column.name}` AS {typed},\n"


#: Of the event, in SQL: enough to try a query; the application's decoder (flink_jobs/java) is what decides.
_EVENTS = f"""CREATE TABLE events (
    payload STRING,
    arrival TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
    written AS COALESCE(JSON_VALUE(payload, '$.event_time'), JSON_VALUE(payload, '$.timestamp')),
    event_time AS COALESCE(
        TO_TIMESTAMP_LTZ(TRY_CAST(COALESCE(JSON_VALUE(payload, '$.event_time'), '') AS BIGINT), 3),
        TRY_CAST(REPLACE(REPLACE(JSON_VALUE(payload, '$.event_time'), 'T', ' '), 'Z', '') AS TIMESTAMP_LTZ(3)),
        arrival
    ),
    user_id AS TRY_CAST(JSON_VALUE(payload, '$.user_id') AS BIGINT),
    event_type AS JSON_VALUE(payload, '$.event_type'),
    `value` AS TRY_CAST(JSON_VALUE(payload, '$.value') AS DOUBLE),
    amount AS TRY_CAST(JSON_VALUE(payload, '$.value') AS DECIMAL(38, 6)),
    session_id AS JSON_VALUE(payload, '$.session_id'),
    category AS JSON_VALUE(payload, '$.category'),
{"".join(map(own_column, own_fields()))}    WATERMARK FOR event_time AS event_time - INTERVAL '5' SECOND
)"""


class NoDemoRuns(Exception):
    """There is no demo whose streams could be read; the message says how to start one."""


def running_demo(name: str | None = None, runs: Path = RUNS) -> Path:
    """Run directory of a demo that is alive; ``name`` chooses among several."""
    table = process_table()
    for record_file in sorted(runs.glob(f"{name or '*'}/processes.json")):
        folder = record_file.parent
        record = read_record(folder)
        alive = record is not None and not record.ended and table.identify(record.owner.pid) == record.owner
        if alive and (folder / application.PROPERTIES).exists():
            return folder
    raise NoDemoRuns("no demo runs: start one in another terminal with make demo ARGS=--keep")


def statements(endpoint: str, start: str = "TRIM_HORIZON") -> list[str]:
    """Settings and tables over the streams at ``endpoint``."""
    made = [f"SET '{key}' = '{value}'" for key, value in _SETTINGS.items()]
    made.append(f"{_EVENTS} WITH ({_options(application.INPUT_STREAM, endpoint, start, 'raw')})")
    made.append(_table("every_result", every_result(), application.RESULTS_STREAM, endpoint, start))
    for kind, schema in SCHEMAS.items():
        names = ", ".join(f"`{column.name}`" for column in (*ENVELOPE, *schema.columns))
        made.append(f"CREATE VIEW {kind.value} AS SELECT {names} FROM every_result WHERE result_type = '{kind.value}'")  # noqa: S608 - the contracts' names
    columns = (*ENVELOPE[:2], *REJECTION_COLUMNS)
    made.append(_table(REJECTED, columns, application.REJECTED_STREAM, endpoint, start))
    return made


def _table(name: str, columns: Sequence[Column], stream: str, endpoint: str, start: str) -> str:
    body = ", ".join(f"`{column.name}` {SQL_TYPES[column.type]}" for column in columns)
    return f"CREATE TABLE {name} ({body}) WITH ({_options(stream, endpoint, start, 'json')})"


def _options(stream: str, endpoint: str, start: str, form: str) -> str:
    options = {
        "connector": "kinesis",
        "stream": stream,
        "aws.region": "us-east-1",
        "aws.endpoint": endpoint,
        "aws.credentials.provider": "BASIC",
        "aws.credentials.basic.accesskeyid": "testing",
        "aws.credentials.basic.secretkey": "testing",
        "scan.stream.initpos": start,
        "scan.shard.getrecords.intervalmillis": "1000",
        "format": form,
    }
    if form == "json":
        options["json.timestamp-format.standard"] = "ISO-8601"
    return ", ".join(f"'{key}' = '{value}'" for key, value in options.items())


def command(folder: Path, jar: Path, init: Sequence[str], file: Path | None = None) -> tuple[list[str], dict[str, str]]:
    """Command and environment of a client whose files are in ``folder``; ``file`` is run instead of asking a person."""
    flink = FlinkDistribution.installed()
    # JSON is YAML
    settings = {"rest.bind-address": "127.0.0.1", "taskmanager.numberOfTaskSlots": 4}
    (folder / "config.yaml").write_text(json.dumps(settings), encoding="utf-8")
    script = folder / "init.sql"
    script.write_text(";\n".join(init) + ";\n", encoding="utf-8")
    arguments = ["embedded", "-i", str(script), "-j", str(jar), *(["-f", str(file)] if file else [])]
    clients = [*(flink.home / "opt").glob("flink-sql-client-*.jar"), *GATEWAY.glob("flink-sql-gateway-*.jar")]
    line = flink.java(_CLIENT, arguments, options=["-Xmx768m", loopback_option(folder)], python=True, extra=clients)
    return line, child_environment(flink.environment(folder))


def main() -> int:
    """Command line; the client's exit code."""
    parser = argparse.ArgumentParser(prog="make sql", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--name", help="the demo's --name, where several run")
    parser.add_argument("--file", type=Path, help="SQL to run instead of asking")
    parser.add_argument("--latest", action="store_true", help="read from now on, not from the beginning")
    arguments = parser.parse_args()
    try:
        run = running_demo(arguments.name)
    except NoDemoRuns as error:
        print(error, file=sys.stderr)
        return 1
    groups = properties.load(run / application.PROPERTIES)
    start = "LATEST" if arguments.latest else "TRIM_HORIZON"
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "application"
        application.unpack(home)
        line, environment = command(
            Path(folder), home / JAR, statements(groups["local"]["endpoint"], start), arguments.file
        )
        return subprocess.run(line, env=environment, check=False).returncode  # noqa: S603 - Flink's own client


if __name__ == "__main__":
    sys.exit(main())
