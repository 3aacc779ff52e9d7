"""Which records wake a function: the filter patterns of an event source mapping.

The patterns are those of EventBridge; moto, which has them, evaluates them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from moto.events.models import EventPattern

from local.batch_policy import StreamRecord

#: What of a record a pattern may name, here: its data, as JSON.
_DATA = "data"


class EventFilter:
    """Patterns of which one must match.

    Raises:
        ValueError: a pattern names something else than the data.
    """

    def __init__(self, patterns: Sequence[Mapping[str, Any]]) -> None:
        for pattern in patterns:
            if set(pattern) != {_DATA}:
                raise ValueError(f"a filter pattern of `{_DATA}` alone is understood here, not of {sorted(pattern)}")
        self._patterns = [EventPattern.load(json.dumps(pattern)) for pattern in patterns]

    def wakes(self, record: StreamRecord) -> bool:
        """Whether the function gets the record. What is no JSON object matches no pattern of the data, as in Lambda."""
        if not self._patterns:
            return True
        try:
            data = json.loads(record.data)
        except (ValueError, RecursionError):
            return False
        return isinstance(data, dict) and any(pattern.matches_event({_DATA: data}) for pattern in self._patterns)
