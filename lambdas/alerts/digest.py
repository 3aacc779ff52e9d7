"""A storm of alerts of one type as one message instead of a thousand mails."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from contracts.entry import SEVERITIES
from lambdas.alerts.alert import Alert
from lambdas.alerts.labels import subject

DIGEST = "DIGEST"
#: So many of a storm are named at most, as far as they fit; the others are in the index, and their number is told.
_NAMED = 50
#: Bytes of the mail's text as JSON: with body and subject it stays far below SNS's 256 KB, whatever the texts hold.
_MOST_TEXT = 64 * 1024


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
    highest = max(severities, key=SEVERITIES.index)
    told = ", ".join(f"{severities[level]} {level}" for level in reversed(SEVERITIES) if level in severities)
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
    jobs = {alert.attributes["job"] for alert in group}
    job = {"job": jobs.pop()} if len(jobs) == 1 else {}  # two jobs may have alerts of one type
    return Alert(
        results=tuple(result for alert in group for result in alert.results),
        subject=subject(f"{highest}: {sentence}"),
        body=json.dumps(content),
        text=_text(sentence, group),
        attributes={"alert_type": alert_type, "severity": highest, "event_type": DIGEST, **job},
    )


def _text(sentence: str, group: Sequence[Alert]) -> str:
    """The sentence, then as many of the alerts' texts as there is room for, and a mark where some are left out."""
    lines, left = [sentence, ""], _MOST_TEXT
    for number, alert in enumerate(group):
        left -= len(json.dumps(alert.text))
        if number == _NAMED or left < 0:
            lines.append(f"... and {len(group) - number} more")
            break
        lines.append(alert.text)
    return "\n".join(lines)
