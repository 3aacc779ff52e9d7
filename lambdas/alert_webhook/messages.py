"""An alert as a webhook's request body: JSON, a Slack message, or an adaptive card for Teams.

An alert holds texts of users. Slack reads ``&``, ``<`` and ``>`` as markup, mentions among it, so they are escaped; its
blocks are plain text, which has no other markup. Teams reads Markdown in a TextBlock and in a FactSet but not in a
RichTextBlock, which is why the card has nothing else.

- https://docs.slack.dev/messaging/formatting-message-text ("Escaping text")
- https://docs.slack.dev/reference/block-kit/blocks/section-block (limits)
- https://learn.microsoft.com/en-us/adaptive-cards/authoring-cards/text-features
- https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lambdas.common.alert_queue import Alert

#: Characters of a section's text and of one of its fields, and fields of a section, in Slack.
_SLACK_TEXT, _SLACK_FIELD, _SLACK_FIELDS = 3000, 2000, 10
#: Characters of the sentence and of a value in a card: a message of Teams has 28 KB.
_CARD_SENTENCE, _CARD_VALUE = 2000, 256
#: Members that a message shows at most, after the sentence: Slack takes 50 blocks, and a card of Teams 28 KB.
_MEMBERS = 40
_CARD_COLORS = {"HIGH": "Attention", "MEDIUM": "Warning", "LOW": "Good"}
_MARK = "..."


def as_json(alert: Alert) -> bytes:
    """The alert itself."""
    return json.dumps(alert).encode()


def as_slack(alert: Alert) -> bytes:
    """A message with the sentence, then each member in a field; ``text`` is what a notification shows."""
    fields = [_slack_text(f"{name}: {value}", _SLACK_FIELD) for name, value in _members(alert)]
    sections = [fields[start : start + _SLACK_FIELDS] for start in range(0, len(fields), _SLACK_FIELDS)]
    sentence = _sentence(alert)
    return json.dumps(
        {
            "text": _escaped(sentence, _SLACK_TEXT),
            "blocks": [
                {"type": "section", "text": _slack_text(sentence, _SLACK_TEXT)},
                *({"type": "section", "fields": section} for section in sections),
            ],
        }
    ).encode()


def as_teams(alert: Alert) -> bytes:
    """A message whose one attachment is a card: the sentence in the severity's colour, then each member on a line."""
    color = _CARD_COLORS.get(str(alert.get("severity")), "Default")
    lines = [[_run(_cut(_sentence(alert), _CARD_SENTENCE), weight="Bolder", color=color)]]
    lines += [[_run(f"{name}: ", weight="Bolder"), _run(_cut(value, _CARD_VALUE))] for name, value in _members(alert)]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",  # the first with a RichTextBlock
        "body": [{"type": "RichTextBlock", "inlines": line} for line in lines],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return json.dumps({"type": "message", "attachments": [attachment]}).encode()


def _run(text: str, **style: str) -> dict[str, str]:
    return {"type": "TextRun", "text": text, **style}


#: By the setting ``alerts.webhook.format``.
FORMATS: Mapping[str, Callable[[Alert], bytes]] = {"json": as_json, "slack": as_slack, "teams": as_teams}


def _sentence(alert: Alert) -> str:
    return _readable(alert.get("message") or alert.get("alert_type") or "An alert")


def _members(alert: Alert) -> Iterator[tuple[str, str]]:
    """Name and text of the members that are not the sentence."""
    members = [(name, value) for name, value in alert.items() if name != "message"]
    for name, value in members[:_MEMBERS]:
        yield _readable(name), _readable(value)


def _readable(value: object) -> str:
    """A value as text; half a surrogate pair, which JSON may hold and UTF-8 may not, becomes ``?``."""
    if isinstance(value, list):
        return ", ".join(_readable(each) for each in value)
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "replace").decode()


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - len(_MARK)] + _MARK


def _slack_text(text: str, most: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": _escaped(text, most), "emoji": False}


def _escaped(text: str, most: int) -> str:
    """``text`` with Slack's control characters escaped, cut so that no escape is cut in two."""
    escaped: list[str] = []
    length = 0
    for character in text:
        entity = _ENTITIES.get(character, character)
        length += len(entity)
        if length > most - len(_MARK):
            return "".join(escaped) + _MARK
        escaped.append(entity)
    return "".join(escaped)


_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
