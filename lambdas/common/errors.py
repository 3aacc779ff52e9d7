"""Errors that the functions share. Their texts are ours: none quotes a payload or a user's data."""

from __future__ import annotations


class EventError(ValueError):
    """The invocation's event is not what a Kinesis event source mapping sends."""


class RecordError(ValueError):
    """One record cannot be processed. The text says why, by column name, never by content."""


class SettingError(ValueError):
    """An environment variable is missing or out of its range; the text names it and what is allowed."""
