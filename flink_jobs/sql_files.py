"""Reads the queries of sql/ and puts the job's settings into them.

A query is Flink SQL in which ``:key`` stands for a setting of its job, as the job's entry defines it::

    TUMBLE(TABLE events, DESCRIPTOR (event_time), :window)

A duration becomes an INTERVAL, a list of names ``'a', 'b'``. Comments, texts and quoted names are left as they are.
"""

from __future__ import annotations

import re
from pathlib import Path

from contracts.events import ContractError
from contracts.results import SCHEMAS, ResultType
from contracts.settings import SettingsError, kinds
from flink_jobs.settings import Settings

_PARAMETER = re.compile(
    r"(?P<other>--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|`[^`]*`)|(?<![\w:]):(?P<key>[A-Za-z_]\w*)", re.DOTALL
)


def parameters(sql: str) -> list[str]:
    """Keys of the settings that the query names, in order."""
    return [match["key"] for match in _PARAMETER.finditer(sql) if match["key"]]


def render(sql: str, job: ResultType, settings: Settings) -> str:
    """The query with its settings as literals.

    Raises:
        SettingsError: it names a setting that the job has not, or the job has one that neither it nor an alert names.
    """
    entry, place = SCHEMAS[job], f"sql/{job.value}.sql"
    of_job = kinds(entry.settings) if entry.settings else {}

    def literal(match: re.Match[str]) -> str:
        if match["other"] is not None:
            return match["other"]
        key = match["key"]
        kind = of_job.get(key)
        if kind is None:
            raise SettingsError(
                f"{place}: :{key} is no setting of the job; allowed are {', '.join(of_job) or 'none'}: add it to "
                f"contracts/jobs/{job.value}.py"
            )
        if kind.sql is None:
            raise SettingsError(
                f"{place}: :{key} has no literal in SQL; allowed are numbers, durations, texts and lists"
            )
        return kind.sql(getattr(getattr(settings, job.value), key))

    rendered = _PARAMETER.sub(literal, sql)
    for key in of_job.keys() - set(parameters(sql)) - entry.told_settings:
        raise SettingsError(
            f"{place}: the setting {key!r} has no effect; write :{key} in the query, or take it out of "
            f"contracts/jobs/{job.value}.py"
        )
    return rendered


def read(directory: Path, job: ResultType, settings: Settings) -> str:
    """The query of a job with its settings, without a closing semicolon.

    Raises:
        ContractError: there is none.
        SettingsError: as :func:`render`.
    """
    file = directory / f"{job.value}.sql"
    if not file.is_file():
        raise ContractError(
            f"{job.value}: there is neither sql/{job.value}.sql nor flink_jobs/jobs/{job.value}.py: write one"
        )
    sql = file.read_text(encoding="utf-8-sig")
    return render(sql, job, settings).strip().removesuffix(";")
