"""Entry point of the archive's transformation: ``lambdas.archive_transform.handler.handler``."""

from __future__ import annotations

import os
from collections.abc import Mapping

from lambdas.archive_transform.function import Answer, transform
from lambdas.common import logs


def handler(event: Mapping[str, object], context: object) -> Answer:
    """Lines of the archive for a buffer of Firehose.

    Raises :class:`~lambdas.common.errors.EventError` for what is no Firehose event; no record's data raises.
    """
    logs.setup(os.environ)
    return transform(event, os.environ.get("TOPIC", ""))
