"""How the functions read their streams in one environment: the contract's way, with what the settings change of it."""

from __future__ import annotations

from dataclasses import replace

from config.model import Environment
from contracts.event_sources import (
    ALERTS_OF_REJECTIONS,
    ALERTS_OF_RESULTS,
    BY_CATEGORY,
    EventSource,
)


def alerts_of_results(environment: Environment) -> EventSource:
    """Waits for as long as the settings say, and takes what counts by category where categories are counted."""
    alerts, filters = environment.alerts, ALERTS_OF_RESULTS.filters
    return replace(
        ALERTS_OF_RESULTS,
        window_seconds=alerts.gather_seconds,
        filters=(*filters, *BY_CATEGORY) if alerts.categories else filters,
    )


def alerts_of_rejections(environment: Environment) -> EventSource:
    """Waits for as long as the settings say."""
    return replace(ALERTS_OF_REJECTIONS, window_seconds=environment.alerts.gather_seconds)
