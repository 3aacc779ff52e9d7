"""Text that came from users, made fit for subjects, attributes and metric dimensions."""

from __future__ import annotations

import hashlib
import re

from contracts.metrics import OTHER

# CloudWatch: 1..255 characters; SNS has no such limit for attributes, but one label serves both.
LABEL_MAX = 255
# SNS says "less than 100 characters" and accepts 100: stay below either reading.
SUBJECT_MAX = 99
#: Longest user text in a message, in characters: what the contract lets through, so only a broken one is cut.
TEXT_MAX = 256

_MARK = "..."
_DIGEST_LENGTH = 8
_PLAIN = re.compile(r"[ -~]+")
_NOT_PRINTABLE = re.compile(r"[^ -~]")
_NOT_SUBJECT = re.compile(r"[^ -~]+")


def label(text: str) -> str:
    """``text`` as a CloudWatch dimension value and SNS attribute: 1 to 255 printable ASCII characters.

    Text that already fits (no leading colon, no spaces around it) is its own label. In any other, each
    character that is not printable ASCII, and a leading colon, becomes ``_``; the rest is cut to 246
    characters and followed by ``~`` and 8 hex digits of the text's SHA-256, so that two event types that look
    alike afterwards stay two metrics. A pure function: the same text has the same label in every run.
    """
    if len(text) <= LABEL_MAX and _PLAIN.fullmatch(text) and text == text.strip() and not text.startswith(":"):
        return text
    return _digested(text)


def event_type_label(text: str) -> str:
    """The :func:`label` of an event type as a dimension's value: ``other`` stands for the unnamed ones alone."""
    return _digested(text) if text == OTHER else label(text)


def _digested(text: str) -> str:
    # surrogatepass: JSON may escape half a surrogate pair, which UTF-8 alone refuses
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_LENGTH]
    readable = _NOT_PRINTABLE.sub("_", text).strip()[: LABEL_MAX - _DIGEST_LENGTH - 1]
    if readable.startswith(":"):
        readable = "_" + readable[1:]
    return f"{readable}~{digest}"


def subject(text: str) -> str:
    """``text`` as an SNS subject: at most 99 printable ASCII characters, beginning with none that is a space.

    Runs of other characters become one ``?``, spaces around it go, and a cut is marked with ``...``. Text of
    which nothing is left becomes ``?``.
    """
    line = _NOT_SUBJECT.sub("?", text).strip()
    if len(line) > SUBJECT_MAX:
        line = line[: SUBJECT_MAX - len(_MARK)] + _MARK
    return line or "?"


def clip(text: str) -> str:
    """``text``, cut to 256 characters of which the last three are ``...`` where it is longer."""
    return text if len(text) <= TEXT_MAX else text[: TEXT_MAX - len(_MARK)] + _MARK
