"""Writes sql/redshift/*.sql from the contracts: the landing view of the stream, and a typed view a result type.

``--check`` says what is not up to date, and writes nothing. Each file holds the statements of one object; the stack
hands them to the set-up function, in the order of their names.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from contracts.columns import Column, ColumnType
from contracts.warehouse import EXTERNAL_SCHEMA, LANDING, SCHEMA, STREAM_PLACEHOLDER, TYPES, views

FOLDER = Path(__file__).resolve().parent.parent / "sql" / "redshift"
_HEAD = "-- Written by `make docs` from contracts/: change it there.\n"

_SCHEMA = f"""{_HEAD}-- The account's streams as a schema; the namespace's default role may read the results' stream.
CREATE EXTERNAL SCHEMA IF NOT EXISTS {EXTERNAL_SCHEMA} FROM KINESIS IAM_ROLE DEFAULT;
"""

_LANDING = f"""{_HEAD}-- Every record as it came. A schedule refreshes it, or it would keep the workgroup awake.
CREATE MATERIALIZED VIEW {SCHEMA}.{LANDING} AUTO REFRESH NO AS
SELECT
    approximate_arrival_timestamp,
    partition_key,
    shard_id,
    sequence_number,
    refresh_time,
    JSON_PARSE(kinesis_data) AS payload
FROM {EXTERNAL_SCHEMA}."{STREAM_PLACEHOLDER}"
WHERE CAN_JSON_PARSE(kinesis_data);
"""  # noqa: S608 - names of the contracts


def files() -> dict[str, str]:
    """Content by file name, in the order in which they are run."""
    made = {"00_schema.sql": _SCHEMA, "10_landing.sql": _LANDING}
    return made | {f"20_{name}.sql": _view(name, columns) for name, columns in views().items()}


def _view(name: str, columns: tuple[Column, ...]) -> str:
    """A result each once, however often the stream has it: the copy that arrived last."""
    names = ",\n    ".join(f'"{column.name}"' for column in columns)
    typed = "\n".join(f'        payload."{column.name}"{_cast(column)} AS "{column.name}",' for column in columns)
    return f"""{_HEAD}DROP VIEW IF EXISTS {SCHEMA}.{name};

CREATE VIEW {SCHEMA}.{name} AS
SELECT
    {names}
FROM (
    SELECT
{typed}
        ROW_NUMBER() OVER (
            PARTITION BY payload."result_id"::VARCHAR(512)
            ORDER BY approximate_arrival_timestamp DESC, shard_id DESC, sequence_number DESC
        ) AS copy_number
    FROM {SCHEMA}.{LANDING}
    WHERE payload."result_type"::VARCHAR(32) = '{name}'
) AS copies
WHERE copy_number = 1
WITH NO SCHEMA BINDING;
"""  # noqa: S608 - names of the contracts


def _cast(column: Column) -> str:
    """From SUPER; a time is a text there, and only texts become times."""
    text = "::VARCHAR(64)" if column.type is ColumnType.TIMESTAMP else ""
    return f"{text}::{TYPES[column.type]}"


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m scripts.redshift", description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    wanted = files()
    found = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.sql")}
    stale = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if check:
        for name in stale:
            print(f"sql/redshift/{name} is not what the contracts say: run `make docs`", file=sys.stderr)
        return 1 if stale else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in stale:
        if name in wanted:
            (FOLDER / name).write_text(wanted[name], encoding="utf-8")
        else:
            (FOLDER / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
