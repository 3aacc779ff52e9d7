"""Structured logs: one JSON object a line on standard output, which Lambda hands to CloudWatch Logs."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from lambdas.common.settings import one_of

#: Logger above all of ours. A host that attached a handler to it (a test, the laptop run) keeps it.
ROOT = "lambdas"

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

_FIELDS = "fields"


def fields(**values: object) -> dict[str, object]:
    """``extra`` of a logging call: ``values`` become members of the line. No payload, no user's data."""
    return {_FIELDS: values}


def setup(env: Mapping[str, str]) -> None:
    """Send our loggers' lines to standard output at the level of ``LOG_LEVEL`` (default INFO).

    Raises :class:`~lambdas.common.errors.SettingError` for another level. A second call does nothing more.
    """
    logger = logging.getLogger(ROOT)
    logger.setLevel(one_of(env, "LOG_LEVEL", LEVELS, default="INFO"))
    if not logger.handlers:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(JsonFormatter())
        logger.addHandler(handler)
        logger.propagate = False  # Lambda's own root handler would print every line again


class JsonFormatter(logging.Formatter):
    """A log record as one line of ASCII JSON: time, level, logger, message, fields, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; a field that JSON does not know is written as its ``str``."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update(getattr(record, _FIELDS, {}))
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)
