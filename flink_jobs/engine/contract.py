"""The event's contract as the Java side is given it."""

from __future__ import annotations

from typing import Any

from contracts.events import own_fields
from flink_jobs.engine.gateway import java, strings
from flink_jobs.rule import KINDS


def own_fields_of_java() -> Any:
    """The team's own fields, for the decoder and for the events' row."""
    columns = own_fields()
    kinds = "".join(KINDS[column.type] for column in columns)
    return java("intake.OwnFields")(kinds, strings(column.name for column in columns))


def event_contract(future_tolerance: int, past_tolerance: int) -> Any:
    """What makes a record an event; tolerances in milliseconds."""
    return java("intake.EventContract")(
        java("intake.Tolerance")(future_tolerance, past_tolerance), own_fields_of_java()
    )
