"""A storm of alerts of one type as one message instead of a thousand mails."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from contracts.results import ALERT_LEVELS
from lambdas.alerts.alert import Alert
from lambdas.alerts.labels import subject

DIGEST = "DIGEST"
#: So many of a storm are named; the others are in the index, and their number is told.
_NAMED = 50


def with_digests(alerts: Sequence[Alert], above: int) -> list[Alert]:
    """``alerts``, those of a type of which there are more than ``above`` as one digest."""
    by_type: dict[str, list[Alert]] = {}
    for alert in alerts:
        by_type.setdefault(alert.attributes["alert_type"], []).append(alert)
    told: list[Alert] = []
    for alert_type, group in by_type.items():
        told += group if len(group) <= above else [_digest(alert_type, group)]
    return told


def _digest(alert_type: str, group: Sequence[Alert]) -> Alert:
    severities = Counter(alert.attributes["severity"] for alert in group)
    highest = max(severities, key=ALERT_LEVELS.index)
    told = ", ".join(f"{severities[level]} {level}" for level in reversed(ALERT_LEVELS) if level in severities)
    sentence = f"{len(group)} alerts of type {alert_type} at once: {told}."
    content = {
        "alert_type": alert_type,
        "digest": True,
        "count": len(group),
        "severities": dict(severities),
        "result_ids": [alert.result.result_id for alert in group[:_NAMED]],
        "severity": highest,
        "message": sentence,
    }
    return Alert(
        results=tuple(result for alert in group for result in alert.results),
        subject=subject(f"{highest}: {sentence}"),
        body=json.dumps(content),
        text=sentence + "\n\n" + "\n".join(alert.text for alert in group[:_NAMED]),
        attributes={"alert_type": alert_type, "severity": highest, "event_type": DIGEST},
    )
