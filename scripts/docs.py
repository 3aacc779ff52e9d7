"""Writes what is derived: the pages of docs/ on settings, contracts, metrics and alarms, and sql/events.sql.

``python -m scripts.docs`` writes them, ``--check`` fails when a file is not what it would write.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

from contracts.columns import Column
from contracts.entry import Entry
from contracts.events import EVENT_FIELDS, HEARTBEAT
from contracts.rejections import REASON_MEANINGS, REJECTION_COLUMNS
from contracts.results import ENVELOPE, SCHEMAS
from contracts.settings import Kind
from flink_jobs.event_table import COLUMNS
from flink_jobs.settings import GROUPS, REQUIRED_GROUPS
from monitoring.catalogue import CATALOGUE
from monitoring.series import HOUR, MINUTE, Metric
from scripts import alarm_page

ROOT = Path(__file__).resolve().parent.parent


def pages() -> dict[str, str]:
    """File name in docs/ to its text."""
    return {
        "settings.md": _settings(),
        "contracts.md": _contracts(),
        "metrics.md": _metrics(),
        "alarms.md": alarm_page.page(),
    }


def files() -> dict[str, str]:
    """Everything that is derived: a file's place in the checkout to its text."""
    return {f"docs/{name}": text for name, text in pages().items()} | {"sql/events.sql": _event_table()}


def _event_table() -> str:
    columns = "\n".join(f"    `{name}` {kind}," for name, kind in COLUMNS.items())
    time = next(iter(COLUMNS))
    return f"""-- Written by `make docs` from contracts/events.py: change it there.
-- The events that the jobs read, as a test table for the Flink SQL client: point path at a folder of JSON lines, run
-- this file, then any query of this folder. In the application a view of the same columns stands here, behind the
-- source, the decoder and the verdicts.
CREATE TEMPORARY TABLE events (
{columns}
    WATERMARK FOR `{time}` AS `{time}` - INTERVAL '5' SECOND
) WITH (
    'connector' = 'filesystem',
    'path' = '/tmp/events',
    'format' = 'json',
    'json.timestamp-format.standard' = 'ISO-8601'
);
"""


def _settings() -> str:
    lines = [
        "# Settings",
        "",
        "The application's settings in groups, with what each key does; written by `make docs` from",
        "`flink_jobs/settings.py` and, for a job, from its entry in `contracts/jobs/`. To set `fraud.low`:",
        "",
        "- for an environment on AWS, in `config/<env>.toml`, as a text:",
        "",
        "```toml",
        "[application.properties.fraud]",
        'low = "5"',
        "```",
        "",
        "- on a laptop, for one run: `make demo ARGS='--set fraud.low=5'`. Put a value with a space in quotes:",
        "  `make demo ARGS=\"--set aggregation.window='1 min'\"`.",
        "",
        f"The groups {', '.join(f'`{group}`' for group in REQUIRED_GROUPS)} are required;",
        "the stacks and the demo write them. A key that is not listed, or a value that is not allowed, ends the",
        "application with one line that says so, and exit code 2.",
    ]
    for group, cls in GROUPS.items():
        summary = (cls.__doc__ or "").splitlines()[0]
        lines += ["", f"## {group}", "", summary, "", "| key | default | what it does | allowed |"]
        lines.append("| --- | --- | --- | --- |")
        for field in dataclasses.fields(cls):
            kind: Kind = field.metadata["kind"]
            default = "required" if field.default is dataclasses.MISSING else kind.text(field.default) or "none"
            lines.append(f"| `{field.name}` | {_cell(default)} | {_cell(kind.meaning)} | {_cell(kind.allowed)} |")
    return "\n".join(lines) + "\n"


def _contracts() -> str:
    lines = [
        "# Contracts",
        "",
        "What is read and written; made by `make docs` from `contracts/`. Times are ISO 8601 in UTC with milliseconds.",
        "",
        "## Event",
        "",
        "One JSON object a record. An `event_type` of",
        f"`{HEARTBEAT}` is accepted, moves the watermark and is counted by no job.",
        *_table(EVENT_FIELDS),
        "",
        "## Result",
        "",
        "Every result begins with the envelope.",
        *_table(ENVELOPE),
    ]
    for job, schema in SCHEMAS.items():
        key = ", ".join(f"`{name}`" for name in schema.key)
        window = f"`{schema.start}`" if schema.start == schema.end else f"`{schema.start}`, `{schema.end}`"
        lines += [
            "",
            f"### {job.value}",
            "",
            f"{schema.meaning[0].upper()}{schema.meaning[1:]}.",
            "",
            f"`result_id` names {window} and {key}.",
            *_table(schema.columns),
            *_told(schema),
        ]
    lines += [
        "",
        "## Rejection",
        "",
        "The envelope with `result_type` = `rejected`, then:",
        *_table(REJECTION_COLUMNS),
        "",
        "| reason | meaning |",
        "| --- | --- |",
        *(f"| `{reason.value}` | {_cell(meaning)} |" for reason, meaning in REASON_MEANINGS.items()),
    ]
    return "\n".join(lines) + "\n"


def _told(entry: Entry) -> list[str]:
    """What a job's results are counted in, and when they alert."""
    lines: list[str] = []
    for count in entry.counts:
        where = "" if count.where == "True" else f" where `{count.where}`"
        by = "" if count.dimension is None else f", by `{count.dimension}`"
        what = f"`{count.value}`" if count.value else "one for each result"
        lines.append(f"- metric `{count.metric}`: {what}{where}{by}{'; counted once' if count.claimed else ''}")
    for alert in entry.alerts:
        when = "every result" if alert.when == "True" else f"where `{alert.when}`"
        severity = (
            f"`{alert.severity}`"
            if isinstance(alert.severity, str)
            else ", ".join(
                f"{level} where `{text}`" if text != "True" else f"else {level}"
                for level, text in alert.severity.items()
            )
        )
        lines.append(f"- alert `{alert.type}`: {when}; severity {severity}")
    return ["", *lines] if lines else []


def _metrics() -> str:
    lines = [
        "# Metrics",
        "",
        "Every metric that the dashboard, an alarm or the live page may use; written by `make docs` from",
        "`monitoring/`. The kit's own are in the environment's namespace, `RealTimeAnalytics/<env>`. Flink's are at",
        "metrics level APPLICATION; those of one major version only are marked. Alarms: [runbook](runbook.md).",
    ]
    for publisher in dict.fromkeys(metric.publisher for metric in CATALOGUE):
        source = f"<{publisher.source}>" if publisher.source.startswith("https") else f"`{publisher.source}`"
        lines += [
            "",
            f"## {publisher.name[0].upper()}{publisher.name[1:]}",
            "",
            f"Source: {source}",
            "",
            "| metric | dimensions | read as | unit | what it means |",
            "| --- | --- | --- | --- | --- |",
            *(_metric_row(metric) for metric in CATALOGUE if metric.publisher == publisher),
        ]
    lines += [
        "",
        "## What is not published",
        "",
        "The application's own gauges (`records_read`, `records_accepted`, `records_rejected_...`) are read over",
        "Flink's REST on a laptop. On the managed service only what stands in the metric group `kinesisanalytics`",
        "reaches CloudWatch, of ours only `files_gone`: the rate of rejections comes from what Kinesis counts of the",
        "streams of events and rejections, and the reasons from the alerts function.",
    ]
    return "\n".join(lines) + "\n"


def _metric_row(metric: Metric) -> str:
    name = f"`{metric.name}`" + "".join(f" (Flink {major}.x)" for major in metric.flink)
    period = f"{metric.period // HOUR} h" if metric.period >= HOUR else f"{metric.period // MINUTE} min"
    dimensions = ", ".join(f"`{dimension}`" for dimension in metric.dimensions)
    return f"| {name} | {dimensions} | {metric.statistic}, {period} | {metric.unit} | {_cell(metric.meaning)} |"


def _table(columns: tuple[Column, ...]) -> list[str]:
    rows = [
        f"| `{column.name}` | {column.type.value}{', or null' if column.nullable else ''} | {_cell(column.meaning)} |"
        for column in columns
    ]
    return ["", "| field | type | meaning |", "| --- | --- | --- |", *rows]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main(arguments: list[str]) -> int:
    """Exit code 1 when a page is stale and ``--check`` was given."""
    stale = {name: text for name, text in files().items() if _read(ROOT / name) != text}
    if "--check" in arguments:
        for name in stale:
            print(f"{name} is not what `make docs` writes", file=sys.stderr)
        return 1 if stale else 0
    for name, text in stale.items():
        (ROOT / name).write_text(text, encoding="utf-8")
        print(name)
    return 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
