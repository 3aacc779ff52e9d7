"""docs/alarms.md: every alarm of an environment where all parts are on, with its numbers and its reasons."""

from __future__ import annotations

from config.load import load
from config.model import Environment, Source
from monitoring.alarms import alarms
from monitoring.names import deployed
from monitoring.rules import Comparison, Missing, Rule
from monitoring.series import HOUR, MINUTE, Series
from monitoring.source_alarms import FILES_GONE

_ENVIRONMENT = "prod"
_HEAD = (
    "| alarm | severity | in alarm when | for | without data | on a laptop |",
    "| --- | --- | --- | --- | --- | --- |",
)
_COMPARED = {Comparison.ABOVE: ">", Comparison.BELOW: "<"}


def page() -> str:
    """The page; names that depend on the account are left out."""
    environment = load(_ENVIRONMENT)
    rules = list(alarms(environment, deployed(environment, environment.account, environment.region)))
    lines = [
        "# Alarms",
        "",
        f"Every alarm of {_ENVIRONMENT}, where all parts are on; written by `make docs` from `monitoring/` and the",
        "settings. What to do about each: [runbook](runbook.md). What a metric means: [metrics](metrics.md). Those",
        "that page do so through one composite alarm, `<prefix>-pages`; all go to the topic `<prefix>-operations`.",
        "",
        *_HEAD,
        *(_row(rule) for rule in rules),
        "",
        "## Where events come from a topic of MSK",
        "",
        "Kinesis counts what comes in and how old it is when it is read; a topic does neither for a reader without a",
        "consumer group, so the application tells. The alarms of the stream of events are these instead, and so they",
        "are where events are files in S3; event time may be a day behind the clock there.",
        "",
        *_HEAD,
        *(_row(rule) for rule in _other(environment, rules)),
        "",
        "## Where events are files in S3",
        "",
        *_HEAD,
        *(_row(rule) for rule in _of_files(environment)),
    ]
    return "\n".join(lines) + "\n"


def _other(environment: Environment, rules: list[Rule]) -> list[Rule]:
    """Alarms of the environment with a topic that it does not have with a stream."""
    of_topic = environment.model_copy(update={"source": Source(kind="msk")})
    return [
        rule
        for rule in alarms(of_topic, deployed(of_topic, environment.account, environment.region))
        if rule not in rules
    ]


def _of_files(environment: Environment) -> list[Rule]:
    """Alarms that no other source has."""
    files = environment.model_copy(update={"source": Source(kind="s3")})
    found = alarms(files, deployed(files, environment.account, environment.region))
    return [rule for rule in found if rule.name == FILES_GONE]


def _row(rule: Rule) -> str:
    missing = "in alarm" if rule.missing is Missing.BREACHING else "fine"
    here = rule.here or f"not: {rule.not_here}"
    cells = [
        f"[{rule.name}](runbook.md#{rule.name})",
        rule.severity.value,
        f"{_value(rule)} {_COMPARED[rule.comparison]} {rule.threshold:,g}",
        f"{rule.periods} of {rule.of} x {_period(rule.period)}",
        f"{missing}: {rule.missing_why}",
        here,
    ]
    return f"| {' | '.join(cells)} |"


def _value(rule: Rule) -> str:
    if rule.expression is None:
        return _read(rule.inputs["m"])
    told = ", ".join(f"{key} = {_read(series)} of {_whose(series)}" for key, series in rule.inputs.items())
    return f"`{rule.expression}`, {told},"


def _read(series: Series) -> str:
    return f"{series.statistic} of `{series.name}`"


def _whose(series: Series) -> str:
    return ", ".join(f"`{value}`" for value in series.dimensions.values())


def _period(seconds: int) -> str:
    return f"{seconds // HOUR} h" if seconds % HOUR == 0 else f"{seconds // MINUTE} min"
