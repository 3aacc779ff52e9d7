"""The dashboard: its body, as CloudWatch takes it, and a laptop's page draws it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from config.model import Environment
from monitoring.alarms import alarms
from monitoring.business_row import business_row
from monitoring.health_row import health_row
from monitoring.names import Names
from monitoring.pipeline_row import pipeline_row
from monitoring.rules import Rule
from monitoring.sink_rows import cost_row, sinks_row
from monitoring.validate import check
from monitoring.widgets import Board, Widget, alarm_status, text


def body(environment: Environment, names: Names) -> dict[str, Any]:
    """The dashboard's body; BodyError where it would not be one that CloudWatch, or our own page, shows."""
    board, rules = Board(names.region), list(alarms(environment, names))
    board.row(_head(environment, names))
    board.row(alarm_status("Alarms", [names.alarm_arn(rule.name) for rule in rules], height=5))
    for title, row in (
        ("Business", business_row(board, environment, names)),
        ("Pipeline", pipeline_row(board, names)),
        ("Health of the application", health_row(board, environment, names)),
        ("Sinks", sinks_row(board, environment, names)),
        ("Cost", cost_row(board, environment, names)),
    ):
        board.row(text(f"## {title}"))
        board.row(*row)
    board.row(*_runbook(rules))
    made = {"start": "-PT3H", "periodOverride": "inherit", "widgets": board.widgets}
    check(made, environment, names)
    return made


def _head(environment: Environment, names: Names) -> Widget:
    console = f"https://{names.region}.console.aws.amazon.com"
    links = {
        "application": f"{console}/flink/home?region={names.region}#/applications/{names.application}",
        "its log": f"{console}/cloudwatch/home?region={names.region}"
        f"#logsV2:log-groups/log-group/$252Faws$252Fkinesis-analytics$252F{names.application}",
        "streams": f"{console}/kinesis/home?region={names.region}#/streams/list",
        "functions": f"{console}/lambda/home?region={names.region}#/functions",
        "dead letters": f"{console}/sqs/v3/home?region={names.region}#/queues",
    }
    if environment.pipeline.github_repository is not None:
        links["runbook"] = f"https://github.com/{environment.pipeline.github_repository}/blob/main/docs/runbook.md"
    told = " · ".join(f"[{name}]({link})" for name, link in links.items())
    return text(f"# {names.prefix}\n{told}", height=2)


def _runbook(rules: list[Rule]) -> Iterator[Widget]:
    """A line per alarm, below its heading; docs/runbook.md has the rest."""
    lines = [f"| {rule.name} | {rule.severity} | {rule.meaning} |" for rule in rules]
    table = "\n".join(["| alarm | severity | what it says |", "| --- | --- | --- |", *lines])
    yield text(f"## What to do: docs/runbook.md, by the alarm's name\n\n{table}", height=4 + len(lines))
