"""What an alert says: from a result and its entry to the SNS message, its subject and its attributes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from contracts import conditions, wording
from contracts.columns import ColumnType
from contracts.entry import SEVERITIES, Entry
from contracts.entry import Alert as Rule
from lambdas.alerts.labels import clip, label, subject
from lambdas.alerts.samples import entry_of, value_of, values
from lambdas.common.errors import RecordError
from lambdas.common.result import Result

#: Settings of each job that its conditions and sentences name.
JobSettings = Mapping[str, Mapping[str, Any]]
_NO_SETTINGS: JobSettings = MappingProxyType({})
#: Of a list that a sentence holds, so many elements, as the contract bounds each.
_MOST_SHOWN = 100


@dataclass(frozen=True)
class Alert:
    """One SNS message about one result, or a digest about many.

    ``body`` is a JSON object in ASCII, for machines; ``text`` is what a mail says; ``attributes`` are what subscribers
    filter on.
    """

    results: tuple[Result, ...]
    subject: str
    body: str
    text: str
    attributes: dict[str, str]

    @property
    def result(self) -> Result:
        """The result of an alert that is no digest."""
        return self.results[0]

    @property
    def message(self) -> str:
        """The message as SNS takes it with MessageStructure ``json``: a text for each protocol."""
        return json.dumps({"default": self.body, "email": self.text})

    @property
    def size(self) -> int:
        """Bytes that count towards SNS's 256 KB a call: subject, message and attributes, all of them ASCII."""
        attributes = sum(len(name) + len("String") + len(value) for name, value in self.attributes.items())
        return len(self.subject) + len(self.message) + attributes


def alert_of(result: Result, settings: JobSettings = _NO_SETTINGS) -> Alert | None:
    """The first alert of the result's entry whose condition holds; None without any.

    Raises :class:`RecordError` when a column that the alert needs is missing or of another type.
    """
    entry = entry_of(result)
    if entry is None:
        return None
    for rule in entry.alerts:
        if conditions.holds(rule.when, values(result, conditions.names(rule.when), entry, settings)):
            return _alert(result, rule, entry, settings)
    return None


def severity_of(result: Result, rule: Rule, entry: Entry, settings: JobSettings = _NO_SETTINGS) -> str:
    """LOW, MEDIUM or HIGH."""
    if not isinstance(rule.severity, str):
        return next(
            level
            for level, text in rule.severity.items()
            if conditions.holds(text, values(result, conditions.names(text), entry, settings))
        )
    level = rule.severity if rule.severity in SEVERITIES else result.text(rule.severity)
    if level not in SEVERITIES:
        raise RecordError(f"`{rule.severity}` is none of {', '.join(SEVERITIES)}")
    return level


def _alert(result: Result, rule: Rule, entry: Entry, settings: JobSettings) -> Alert:
    severity = severity_of(result, rule, entry, settings)

    def filled(template: str) -> str:
        named = frozenset(name for name, _ in wording.fields(template)) - {"severity"}
        found = {name: _shown(value) for name, value in values(result, named, entry, settings).items()}
        return wording.sentence(template, {**found, "severity": severity})

    result.time("event_time")
    event_type = _event_type(result, rule, entry, filled)
    sentence = filled(rule.sentence)
    content: dict[str, object] = {
        "timestamp": result.text("event_time"),
        "alert_type": rule.type,
        **({} if event_type is None else {"event_type": clip(event_type)}),
        **{name: _shown(value_of(result, name, entry)) for name in rule.shows},
        "result_id": result.result_id,
        "severity": severity,
        "message": sentence,
    }
    # ASCII JSON: SNS and SQS refuse some characters that a user's text may hold; escaped they pass
    body = json.dumps(content, ensure_ascii=True, allow_nan=False)
    attributes = {"alert_type": rule.type, "severity": severity, "job": result.result_type}
    if event_type is not None:
        attributes["event_type"] = label(event_type)
    return Alert((result,), subject(filled(rule.title)), body, _mail(content), attributes)


def _event_type(result: Result, rule: Rule, entry: Entry, filled: Any) -> str | None:
    """What the attribute ``event_type`` says; None where neither the alert nor the result names one."""
    if rule.event_type != Rule.event_type:
        return str(filled(rule.event_type))
    found = value_of(result, "event_type", entry) if entry.types.get("event_type") is ColumnType.STRING else None
    return None if found is None else str(found)


def _shown(value: Any) -> Any:
    """A value in a message: users' texts and lists have a limit."""
    if isinstance(value, str):
        return clip(value)
    return [clip(str(each)) for each in value[:_MOST_SHOWN]] if isinstance(value, tuple | list) else value


def _mail(content: dict[str, object]) -> str:
    """What a person reads: the sentence, then each member on a line."""
    lines = [f"{name}: {value}" for name, value in content.items() if name != "message"]
    # A user's text is escaped as in JSON: a mail is plain text, and SNS refuses some characters.
    return "\n".join([str(content["message"]), "", *lines]).encode("ascii", "backslashreplace").decode("ascii")
