"""Oracles: a file each, named as the job, whose ``results`` computes the results in another way than the job does.

It shares no code with rules and queries, and may be slow. A job without a file here, or whose ``results`` returns None,
is shown as not checked.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable

from contracts.results import ResultType
from flink_jobs.settings import Settings
from local.oracle.made import Result
from local.oracle.records import Event


def results_of(job: ResultType, events: list[Event], settings: Settings) -> list[Result] | None:
    """The results of a job over the accepted events; None where nobody has written its oracle."""
    name = f"{__name__}.{job.value}"
    if importlib.util.find_spec(name) is None:
        return None
    made: Iterable[Result] | None = importlib.import_module(name).results(events, settings)
    return None if made is None else list(made)
