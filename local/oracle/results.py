"""Recomputes the jobs' results from the accepted events, in plain Python, from the design's table."""

from __future__ import annotations

from contracts.results import ResultType
from flink_jobs.settings import Settings
from local.oracle import jobs
from local.oracle.made import Result as Result
from local.oracle.records import Event


def expected(events: list[Event], settings: Settings) -> dict[str, Result]:
    """The results of every enabled job that has an oracle, by result_id."""
    return {
        result["result_id"]: result
        for name in settings.jobs.enabled
        for result in jobs.results_of(ResultType(name), list(events), settings) or ()
    }


def unchecked(settings: Settings) -> frozenset[str]:
    """The enabled jobs that have no oracle."""
    return frozenset(name for name in settings.jobs.enabled if jobs.results_of(ResultType(name), [], settings) is None)
