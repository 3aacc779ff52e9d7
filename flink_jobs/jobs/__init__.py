"""The jobs whose rule is Python: a file each, named as the job.

Its function ``rule`` makes the rule from the settings. A job without a file here is a query, ``sql/<job>.sql``.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from contracts.events import ContractError
from contracts.results import ResultType
from flink_jobs.rule import Rule
from flink_jobs.settings import Settings


def rule_of(job: ResultType, settings: Settings) -> Rule[Any, Any] | None:
    """The job's rule; None when it is a query.

    Raises:
        ContractError: the file's rule is another job's, whose results it would double.
    """
    name = f"{__name__}.{job.value}"
    if importlib.util.find_spec(name) is None:
        return None
    made: Rule[Any, Any] = importlib.import_module(name).rule(settings)
    if made.job is not job:
        raise ContractError(
            f"flink_jobs/jobs/{job.value}.py: the rule's job is {made.job.value}, whose results it would double: write "
            f'job = ResultType("{job.value}")'
        )
    return made
