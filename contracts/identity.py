"""Ids that are pure functions of what they name."""

from __future__ import annotations

import hashlib

_SEPARATOR = "\x1f"
_ESCAPE = "\x1e"


def result_id(result_type: str, start_ms: int, end_ms: int, *key: int | str) -> str:
    """Id of a result: its type and 128 bits of SHA-256 over type, window and key.

    ``start_ms`` and ``end_ms`` are epoch milliseconds. A text ahead of another part of ``key`` is escaped, so that it
    holds no separator and two different results never hash the same text. The Java class ``Digests`` computes the same
    (tested with shared vectors).
    """
    parts = [*(_escaped(str(part)) for part in key[:-1]), *(str(part) for part in key[-1:])]
    text = _SEPARATOR.join((result_type, str(start_ms), str(end_ms), *parts))
    return f"{result_type}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _escaped(text: str) -> str:
    return text.replace(_ESCAPE, f"{_ESCAPE}0").replace(_SEPARATOR, f"{_ESCAPE}1")


def event_ref(event_id: str | None, payload: bytes) -> str:
    """What names an event: its ``event_id`` or, without one, the SHA-256 of its bytes."""
    if event_id is not None:
        return "id:" + event_id
    return "sha256:" + hashlib.sha256(payload).hexdigest()[:32]


def rejection_id(source: str, partition: str, position: str) -> str:
    """Id of a rejection: the place of the record in its log."""
    return result_id("rejected", 0, 0, _SEPARATOR.join((source, partition, position)))
