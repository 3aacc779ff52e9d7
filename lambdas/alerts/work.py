"""What a batch gives to do: its live results, each with what it counts and says."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from contracts.metrics import EVENT_TYPE, OTHER
from contracts.rejections import REJECTED
from contracts.results import RUN_LIVE
from lambdas.alerts.alert import Alert, JobSettings, alert_of
from lambdas.alerts.counts import takes
from lambdas.alerts.event_types import EventTypes, sightings_of
from lambdas.alerts.samples import Sample, Series, samples_of
from lambdas.common.claim import Claim
from lambdas.common.errors import RecordError
from lambdas.common.once import Once
from lambdas.common.patience import Patience
from lambdas.common.records import Failure, failures_of, merge_repeats, unreadable
from lambdas.common.result import Result

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Work:
    """A live result with what it adds and says."""

    result: Result
    samples: tuple[Sample, ...]
    alert: Alert | None

    @property
    def counted_once(self) -> bool:
        """Whether its samples must be there once: a window's sum, what its entry says, or what comes with an alert.

        Other samples count one each, in a batch at once: claiming every session would cost more than a doubled count
        after a refused call does.
        """
        return bool(self.samples) and (self.alert is not None or any(sample.claimed for sample in self.samples))


def work_of(
    results: Iterable[Result],
    poison: list[Failure],
    categories: frozenset[str] = frozenset(),
    settings: JobSettings = MappingProxyType({}),
) -> list[Work]:
    """Live results with what they add and say, one per id; what cannot be read is added to ``poison``.

    ``categories`` are counted by name; ``settings`` are those of each job that its alerts name.
    """
    live = []
    for result in results:
        try:
            if _is_live(result):
                live.append(result)
        except RecordError as error:
            poison += failures_of(LOGGER, result, str(error))
    work = []
    for result in merge_repeats(live):
        try:
            # both before either is kept: a record that will be buried is not counted first
            work.append(Work(result, samples_of(result, categories, settings), alert_of(result, settings)))
        except RecordError as error:
            poison += failures_of(LOGGER, result, str(error))
        except Exception as error:  # noqa: BLE001 - a mistake of ours in one record must not hold up its shard
            poison += failures_of(LOGGER, result, unreadable(LOGGER, error))
    return work


def with_names(work: Sequence[Work], event_types: EventTypes, now: datetime, patience: Patience) -> list[Work]:
    """``work`` with the event types that are not counted by name as `other`.

    Raises :class:`~lambdas.alerts.event_types.RegistryError`.
    """
    sightings = sightings_of(
        (sample.series.dimension_value, _size(sample), sample.time.date())
        for one in work
        for sample in one.samples
        if _of_a_type(sample) and sample.series.dimension_value is not None and takes(sample.time, now)
    )
    if not sightings:
        return list(work)
    named = event_types.named(sightings, patience)
    return [replace(one, samples=tuple(_named(sample, named) for sample in one.samples)) for one in work]


#: Events of a type in a window: the size by which types get their names.
_SIZE = "EventCount"


def _size(sample: Sample) -> int:
    return int(sample.value) if sample.series.metric.name == _SIZE else 1


def _of_a_type(sample: Sample) -> bool:
    return sample.series.metric.dimension == EVENT_TYPE


def _named(sample: Sample, named: frozenset[str]) -> Sample:
    if not _of_a_type(sample) or sample.series.dimension_value in named:
        return sample
    return replace(sample, series=Series(sample.series.metric, OTHER))


@dataclass(frozen=True)
class Claims:
    """What to do now, what is done already, and the failures of what must come again."""

    ours: tuple[Work, ...]
    done: tuple[Work, ...]
    failures: tuple[Failure, ...]


def claim(once: Once, work: Iterable[Work]) -> Claims:
    """Ask for each result."""
    ours, done, busy = [], [], []
    for one in work:
        answer = once.claim(one.result.result_id)
        if answer is Claim.OURS:
            ours.append(one)
        elif answer is Claim.DONE:
            done.append(one)
        else:
            reason = "another invocation has it" if answer is Claim.BUSY else "the table of results did not answer"
            busy += failures_of(LOGGER, one.result, reason)
    return Claims(tuple(ours), tuple(done), tuple(busy))


def _is_live(result: Result) -> bool:
    """Whether the result alerts and counts. A rejection that does not say its ``run`` is live."""
    if result.result_type == REJECTED and "run" not in result.document:
        return True
    return result.text("run") == RUN_LIVE
