"""What an alert says: from a result to the SNS message, its subject and its attributes."""

from __future__ import annotations

import json
from dataclasses import dataclass

from contracts.results import ALERT_LEVELS, ResultType
from lambdas.alerts.labels import clip, label, subject
from lambdas.common.errors import RecordError
from lambdas.common.result import Result

ANOMALY_DETECTED = "ANOMALY_DETECTED"
FRAUD_DETECTED = "FRAUD_DETECTED"

LOW, MEDIUM, HIGH = ALERT_LEVELS
_PURCHASES = ("purchase",)


@dataclass(frozen=True)
class Wording:
    """Settings of the environment that alerts name: the event types that the fraud job counts (``event_type`` of its
    alerts), and above how many deviations an anomaly is MEDIUM or HIGH.
    """

    fraud_event_types: tuple[str, ...] = _PURCHASES
    medium_score: float = 5.0
    high_score: float = 10.0


DEFAULTS = Wording()


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


def alert_of(result: Result, wording: Wording = DEFAULTS) -> Alert | None:
    """The alert of an anomalous event or a fraud escalation; None for any other result.

    Raises :class:`RecordError` when a column that the alert shows is missing or of another type.
    """
    if result.result_type == ResultType.ANOMALY:
        return _anomaly(result, wording) if result.flag("is_anomaly") else None
    if result.result_type == ResultType.FRAUD:
        return _fraud(result, wording)
    return None


def severity_of_score(score: float, wording: Wording = DEFAULTS) -> str:
    """HIGH or MEDIUM above the settings' numbers of deviations, else LOW."""
    if score > wording.high_score:
        return HIGH
    return MEDIUM if score > wording.medium_score else LOW


def alert_level(result: Result) -> str:
    """``alert_level`` of a fraud result, one of the contract's."""
    level = result.text("alert_level")
    if level not in ALERT_LEVELS:
        raise RecordError(f"`alert_level` is none of {', '.join(ALERT_LEVELS)}")
    return level


def _anomaly(result: Result, wording: Wording) -> Alert:
    result.time("event_time")  # the text below is a time
    timestamp = result.text("event_time")
    event_type = clip(result.text("event_type"))
    score = result.number("anomaly_score")
    value = result.number("current_value")
    low, high = result.number("expected_low"), result.number("expected_high")
    severity = severity_of_score(score, wording)
    sentence = (
        f"{severity} anomaly: a {event_type} event at {timestamp} has the value {_readable(value)}, "
        f"expected was {_readable(low)} to {_readable(high)} (score {_readable(score)})."
    )
    return _alert(
        result,
        f"{severity} anomaly: {event_type}",
        {
            "timestamp": timestamp,
            "alert_type": ANOMALY_DETECTED,
            "event_type": event_type,
            "anomaly_score": score,
            "current_value": value,
            "expected_range": [low, high],
            "result_id": result.result_id,
            "severity": severity,
            "message": sentence,
        },
        _attributes(ANOMALY_DETECTED, severity, result.text("event_type")),
    )


def _fraud(result: Result, wording: Wording) -> Alert:
    result.time("event_time")
    result.time("window_start")
    timestamp = result.text("event_time")
    user_id = result.integer("user_id")
    risk_score = result.number("risk_score")
    activity = clip(result.text("suspicious_activity"))
    level = alert_level(result)
    event_type = clip(", ".join(wording.fraud_event_types))
    things = "purchases" if wording.fraud_event_types == _PURCHASES else f"events ({event_type})"
    sentence = (
        f"{level} fraud alert: user {user_id} made {_readable(risk_score)} {things} after "
        f"{result.text('window_start')} and up to {timestamp} ({activity})."
    )
    return _alert(
        result,
        f"{level} fraud alert: {activity}",  # no user in a subject: mail servers log it
        {
            "timestamp": timestamp,
            "alert_type": FRAUD_DETECTED,
            "event_type": event_type,
            "user_id": user_id,
            "risk_score": risk_score,
            "alert_level": level,
            "suspicious_activity": activity,
            "result_id": result.result_id,
            "severity": level,
            "message": sentence,
        },
        _attributes(FRAUD_DETECTED, level, event_type),
    )


def _alert(result: Result, title: str, content: dict[str, object], attributes: dict[str, str]) -> Alert:
    # ASCII JSON: SNS and SQS refuse some characters that a user's text may hold; escaped they pass
    body = json.dumps(content, ensure_ascii=True, allow_nan=False)
    return Alert((result,), subject(title), body, _mail(content), attributes)


def _mail(content: dict[str, object]) -> str:
    """What a person reads: the sentence, then each member on a line."""
    lines = [f"{name}: {value}" for name, value in content.items() if name != "message"]
    # A user's text is escaped as in JSON: a mail is plain text, and SNS refuses some characters.
    return "\n".join([str(content["message"]), "", *lines]).encode("ascii", "backslashreplace").decode("ascii")


def _attributes(alert_type: str, severity: str, event_type: str) -> dict[str, str]:
    return {"alert_type": alert_type, "severity": severity, "event_type": label(event_type)}


def _readable(number: float) -> str:
    """``number`` for a sentence: two decimals and thousands separators, or an exponent if those mislead."""
    if number == int(number) and abs(number) < 1e15:
        return f"{int(number):,}"
    return f"{number:,.2f}" if 0.01 <= abs(number) < 1e15 else f"{number:.4g}"
