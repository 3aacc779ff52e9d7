"""The jobs whose rule is Python: a file each, named as the job.

Its function ``rule`` makes the rule from the settings. A job without a file here is a query, ``sql/<job>.sql``.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from contracts.results import ResultType
from flink_jobs.rule import Rule
from flink_jobs.settings import Settings


def rule_of(job: ResultType, settings: Settings) -> Rule[Any, Any] | None:
    """The job's rule; None when it is a query."""
    name = f"{__name__}.{job.value}"
    if importlib.util.find_spec(name) is None:
        return None
    made: Rule[Any, Any] = importlib.import_module(name).rule(settings)
    return made
