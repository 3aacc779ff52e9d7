"""The jobs: a file each, named as the job, whose ``ENTRY`` says what its results are (:mod:`contracts.entry`).

A file of this folder is all that it takes for the kit to know a job.
"""

from __future__ import annotations

import importlib
import pkgutil

from contracts.entry import Entry


def names() -> list[str]:
    """Names of the jobs, in order of name."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def entry_of(name: str) -> Entry:
    """The entry of a job."""
    entry: Entry = importlib.import_module(f"{__name__}.{name}").ENTRY
    return entry
