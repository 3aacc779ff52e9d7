"""The entry of a job: all that the kit knows of its results. A file of ``contracts/jobs`` is one entry.

Everything else follows from it: the application's check of the job's columns, the metrics, alerts and their wording,
the reconciliation of the demo, the page, the dashboard, index, tables, views, and the pages of ``docs/``.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from contracts import conditions, wording
from contracts.columns import Column, ColumnType
from contracts.conditions import ConditionError
from contracts.events import ContractError
from contracts.settings import JobSettings, kinds

#: Severities of alerts, lowest first.
SEVERITIES: Final = ("LOW", "MEDIUM", "HIGH")
#: What a job's rows hold beside the columns, for the key: the event's id, or the digest of its payload.
EVENT_REF: Final = "event_ref"
#: Columns that bound what a producer can make up: the largest event types have names, and the listed categories.
BOUNDED: Final = ("event_type", "category")
#: Names that are taken by groups of settings, by tables and by other records of the streams.
TAKEN: Final = frozenset(
    (
        *("input", "output", "time", "jobs", "backfill", "local", "run", "run_options", "of_jobs"),
        *("events", "results", "rejected", "every_result"),
    )
)
#: The envelope's own columns, which an entry cannot have again.
_ENVELOPE: Final = ("result_type", "result_id", "event_time", "run")
_SAMPLES: Final = {
    ColumnType.LONG: 1,
    ColumnType.DOUBLE: 1.0,
    ColumnType.DECIMAL: 1.0,
    ColumnType.STRING: "text",
    ColumnType.BOOLEAN: True,
}
_KEY_TYPES = (ColumnType.LONG, ColumnType.STRING)
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_ALERT_TYPE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_METRIC = re.compile(r"[A-Z][A-Za-z0-9]{0,63}")
#: Each result is one request to CloudWatch with all its samples (:mod:`lambdas.alerts.counts`).
_MOST_COUNTS = 10


@dataclass(frozen=True)
class Count:
    """What a result adds to a CloudWatch metric.

    Attributes:
        metric: its name, ``Revenue``.
        meaning: what one unit of it counts.
        value: column whose number is added; without it a result counts as one.
        dimension: column by whose values the metric is kept apart. ``event_type`` counts the largest types by name
            (``alerts.event_types``), ``category`` those of ``alerts.categories``, and nothing where there are none; any
            other column needs ``values``. What has no name of its own counts as ``other``. Each value is to pay for.
        values: all values of ``dimension`` that count by name.
        where: condition on the columns; a result that does not fulfil it is not counted.
        at: column with the sample's time; a window's start puts its sum into the CloudWatch period of the window.
        once: each result counts once, however often it comes. So does every sum of values. A claim in DynamoDB is paid
            for; without it a result is counted again when a function dies between CloudWatch's answer and its own.
        unit: CloudWatch's.
    """

    metric: str
    meaning: str
    value: str | None = None
    dimension: str | None = None
    values: tuple[str, ...] = ()
    where: str = "True"
    at: str = "event_time"
    once: bool = False
    unit: str = "Count"

    @property
    def claimed(self) -> bool:
        """Whether a result counts once, however often it comes."""
        return self.once or self.value is not None


@dataclass(frozen=True)
class Alert:
    """When a result alerts, and what the message says.

    Attributes:
        type: the attribute ``alert_type``, which subscribers filter on: ``REVENUE_HIGH``.
        title: the subject of a mail; a template, as ``sentence`` is. It names no person: mail servers log subjects.
        sentence: columns, settings and ``severity`` in braces.
        when: condition on columns and settings.
        severity: LOW, MEDIUM or HIGH; or a column that holds one of them; or a condition for each, of which the first
            that holds decides.
        shows: columns that the message has as members, for machines.
        event_type: template of the attribute ``event_type``.
    """

    type: str
    title: str
    sentence: str
    when: str = "True"
    severity: str | Mapping[str, str] = "MEDIUM"
    shows: tuple[str, ...] = ()
    event_type: str = "{event_type}"

    @property
    def conditions(self) -> tuple[str, ...]:
        """All its conditions."""
        return (self.when, *(() if isinstance(self.severity, str) else self.severity.values()))


@dataclass(frozen=True)
class Graph:
    """A graph of the dashboard: metrics over time, of any job."""

    title: str
    metrics: tuple[str, ...]
    stacked: bool = False


@dataclass(frozen=True)
class Share:
    """A gauge of the dashboard: one metric in percent of another."""

    title: str
    part: str
    whole: str


@dataclass(frozen=True)
class Entry:
    """What a job's results are, what they mean to others, and what can be set.

    Attributes:
        columns: behind the envelope's, in order, each with its meaning.
        key: columns that, with the window, make ``result_id``; whole numbers and texts, never null.
        start: column with the window's start; ``event_time`` stands for the envelope's.
        end: column with its end.
        meaning: what the job does, in a line.
        line: a result in a line, for the live page; a template.
        settings: class of the job's settings; None without any.
        counts: what its results add to metrics.
        alerts: of these, the first whose condition holds is sent.
        widgets: what the dashboard shows.
        longest: settings (durations) after which the job's last results are out; the demo waits for them.
    """

    columns: tuple[Column, ...]
    key: tuple[str, ...]
    start: str
    end: str
    meaning: str
    line: str
    settings: type[JobSettings] | None = None
    counts: tuple[Count, ...] = ()
    alerts: tuple[Alert, ...] = ()
    widgets: tuple[Graph | Share, ...] = ()
    longest: tuple[str, ...] = ()

    @property
    def types(self) -> Mapping[str, ColumnType]:
        """Type of each column, and of the envelope's ``event_time``."""
        own = {column.name: column.type for column in self.columns}
        return MappingProxyType({"event_time": ColumnType.TIMESTAMP, **own})

    @property
    def setting_names(self) -> frozenset[str]:
        """Keys of its settings."""
        return frozenset(kinds(self.settings)) if self.settings else frozenset()

    @property
    def told_settings(self) -> frozenset[str]:
        """Settings that its alerts name: the alerts function is given them."""
        texts = [text for alert in self.alerts for text in (alert.title, alert.sentence, alert.event_type)]
        named = {name for text in texts for name, _ in wording.fields(text)}
        named |= {name for alert in self.alerts for text in alert.conditions for name in conditions.names(text)}
        named |= {name for count in self.counts for name in conditions.names(count.where)}
        return self.setting_names & named


def dimension_of(column: str) -> str:
    """CloudWatch's dimension of a column: ``EventType`` of ``event_type``."""
    return "".join(word.capitalize() for word in column.split("_"))


def mistakes(name: str, entry: Entry) -> Iterator[str]:
    """Everything that is wrong with the entry of the job ``name``, each in a line that says what to write."""
    place = f"contracts/jobs/{name}.py: "
    for found in (
        *_of_columns(name, entry),
        *_of_texts(entry),
        *_of_counts(entry),
        *_of_alerts(entry),
        *(f"longest: {key} is no setting of the job" for key in set(entry.longest) - entry.setting_names),
        *(
            f"widgets: {each.title!r} has no metric"
            for each in entry.widgets
            if isinstance(each, Graph) and not each.metrics
        ),
    ):
        yield place + found


def name_mistake(name: str) -> str:
    """What is wrong with a job's name; empty where nothing is."""
    if _NAME.fullmatch(name) and len(name) <= 32 and name not in TAKEN and not keyword.iskeyword(name):
        return ""
    return (
        "a job's name is 1 to 32 of a-z, 0-9 and _, begins with a letter, and is no word of Python and none of "
        + ", ".join(sorted(TAKEN))
    )


def check(name: str, entry: Entry) -> None:
    """Raises ContractError with the first mistake."""
    for mistake in mistakes(name, entry):
        raise ContractError(mistake)


def _of_columns(name: str, entry: Entry) -> Iterator[str]:
    mistake = name_mistake(name)
    if mistake:
        yield f"{name}: {mistake}"
    seen: set[str] = set()
    for column in entry.columns:
        if column.name in seen:
            yield f"the column {column.name} is there twice: write it once"
        elif column.name in (*_ENVELOPE, "needs_from"):
            yield f"the column {column.name} is the envelope's: leave it out, every result has it"
        elif not _NAME.fullmatch(column.name):
            yield f"{column.name} cannot be the name of a column: write a-z, 0-9 and _"
        elif not column.meaning:
            yield f"the column {column.name} has no meaning: say in a few words, with its unit, what it holds"
        seen.add(column.name)
    columns = {column.name: column for column in entry.columns}
    for key in entry.key:
        if key in columns:
            named = columns[key]
            if named.type in _KEY_TYPES and not named.nullable:
                continue
            found = named.type.value + ", or null" * named.nullable
            yield f"key: {key} is {found}; a key is long or string, and never null"
        elif key != EVENT_REF:
            yield f"key: {key} is no column; allowed are {', '.join(columns)}, {EVENT_REF}"
    if not entry.key:
        yield "key: name the columns that, with the window, make a row the only one"
    for what, which in (("start", entry.start), ("end", entry.end)):
        if entry.types.get(which) is not ColumnType.TIMESTAMP:
            yield f"{what}: {which} is no timestamp column"
        elif which in columns and columns[which].nullable:
            yield f"{what}: {which} may be null: take nullable=True away"


def _of_texts(entry: Entry) -> Iterator[str]:
    if not entry.meaning:
        yield "meaning: say in a line what the job does"
    yield from _of_template("line", entry.line, entry, settings=False)


def _of_template(
    what: str, template: str, entry: Entry, *, settings: bool = True, more: tuple[str, ...] = ()
) -> Iterator[str]:
    known = {*entry.types, *more, *(entry.setting_names if settings else ())}
    try:
        found = wording.fields(template)
    except ValueError as error:
        yield f"{what}: {template!r}: {error}"
        return
    for field, _ in found:
        if field not in known:
            kind = "column or setting" if settings else "column"
            yield f"{what}: {{{field}}} is no {kind}; allowed are {', '.join(sorted(known))}"


def _of_condition(what: str, text: str, entry: Entry) -> Iterator[str]:
    try:
        found = conditions.names(text)
    except ConditionError as error:
        yield f"{what}: {error}"
        return
    for field in sorted(found):
        kind = entry.types.get(field)
        if kind is None and field not in entry.setting_names:
            known = sorted({*entry.types, *entry.setting_names})
            yield f"{what}: {field} is no column or setting; allowed are {', '.join(known)}"
        elif kind in (ColumnType.TIMESTAMP, ColumnType.STRINGS):
            yield f"{what}: {field} is {kind.value if kind else ''}, which a condition cannot compare"
            return
    if found <= {*entry.types, *entry.setting_names}:
        part = conditions.clash(text, _samples(entry))
        if part is not None:
            yield (
                f"{what}: {part} does not fit its types: write comparisons of numbers with numbers and of texts "
                'with texts, such as revenue > 1000 or category in ("books",)'
            )


def _samples(entry: Entry) -> dict[str, object]:
    """A value of the type of each column and setting."""
    own = {name: _SAMPLES.get(kind) for name, kind in entry.types.items()}
    made = entry.settings() if entry.settings else None
    return own | {key: getattr(made, key) for key in entry.setting_names}


def _of_counts(entry: Entry) -> Iterator[str]:
    if len(entry.counts) > _MOST_COUNTS:
        yield f"counts: {len(entry.counts)} are more than the {_MOST_COUNTS} that a result may add to"
    if len({count.at for count in entry.counts}) > 1:
        yield "counts: all have the same `at`: the samples of a result are taken or refused together"
    nullable = {column.name for column in entry.columns if column.nullable}
    for count in entry.counts:
        what = f"count {count.metric}"
        if not _METRIC.fullmatch(count.metric):
            yield f"{what}: a metric's name is letters and digits and begins with a capital, such as Revenue"
        if count.value is not None and entry.types.get(count.value) not in (
            ColumnType.LONG,
            ColumnType.DOUBLE,
            ColumnType.DECIMAL,
        ):
            yield f"{what}: value = {count.value!r} is no column with numbers"
        if entry.types.get(count.at) is not ColumnType.TIMESTAMP:
            yield f"{what}: at = {count.at!r} is no timestamp column"
        for which, column in (("at", count.at), ("dimension", count.dimension)):
            if column in nullable:
                yield f"{what}: {which} = {column!r} may be null: take nullable=True away, and leave such rows out"
        if count.dimension is not None:
            if entry.types.get(count.dimension) is not ColumnType.STRING:
                yield f"{what}: dimension = {count.dimension!r} is no string column"
            elif not count.values and count.dimension not in BOUNDED:
                yield f"{what}: write values = (...), those of {count.dimension} that count by name: each is to pay for"
        elif count.values:
            yield f"{what}: values without a dimension"
        yield from _of_condition(f"{what}, where", count.where, entry)


def _of_alerts(entry: Entry) -> Iterator[str]:
    for alert in entry.alerts:
        what = f"alert {alert.type}"
        if not _ALERT_TYPE.fullmatch(alert.type):
            yield f"{what}: an alert's type is capitals, digits and _, such as REVENUE_HIGH"
        yield from _of_template(f"{what}, title", alert.title, entry, more=("severity",))
        yield from _of_template(f"{what}, sentence", alert.sentence, entry, more=("severity",))
        if alert.event_type != Alert.event_type:
            yield from _of_template(f"{what}, event_type", alert.event_type, entry)
        for text in alert.conditions:
            yield from _of_condition(f"{what}, condition", text, entry)
        levels = [alert.severity] if isinstance(alert.severity, str) else list(alert.severity)
        for level in levels:
            column = isinstance(alert.severity, str) and entry.types.get(level) is ColumnType.STRING
            if level not in SEVERITIES and not column:
                yield f"{what}: severity {level} is none of {', '.join(SEVERITIES)}, and no string column"
        if isinstance(alert.severity, str):
            if any(column.name == alert.severity and column.nullable for column in entry.columns):
                yield f"{what}: severity {alert.severity} may be null: take nullable=True away"
        elif [text == "True" for text in alert.severity.values()] != [*[False] * (len(alert.severity) - 1), True]:
            yield f'{what}: severity needs a last "{SEVERITIES[0]}": "True", for what no condition before it holds of'
        for shown in set(alert.shows) - set(entry.types):
            yield f"{what}: shows {shown}, which is no column"
