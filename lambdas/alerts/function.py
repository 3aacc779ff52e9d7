"""The alerts function without its surroundings: clients, settings and clock are given."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.metrics import NAMESPACE
from lambdas.alerts import counts, notifier
from lambdas.alerts.counts import CloudWatchClient
from lambdas.alerts.digest import with_digests
from lambdas.alerts.notifier import SnsClient
from lambdas.alerts.work import Work, claim, work_of
from lambdas.common.dead_letters import DeadLetterQueue
from lambdas.common.logs import fields
from lambdas.common.once import Effect, Once, Store
from lambdas.common.patience import Patience
from lambdas.common.poison import bury
from lambdas.common.records import Failure, decode
from lambdas.common.response import BatchResponse, batch_item_failures
from lambdas.common.telemetry import Counts, oldest_age

LOGGER = logging.getLogger(__name__)

#: The function's package: in dead letters, metrics and logs.
NAME = "alerts"


@dataclass(frozen=True)
class Rules:
    """What is sent, and how: older alerts are counted only; more than ``digest_above`` of a type in a batch are one;
    ``categories`` are counted by name.
    """

    max_age: timedelta = timedelta(hours=6)
    digest_above: int = 20
    categories: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Outcome:
    """What became of counting or alerting: failed records, what had been done before, and how many were left out."""

    failures: Sequence[Failure]
    done_before: Sequence[Work]
    left_out: int


@dataclass(frozen=True)
class AlertsFunction:
    """Counts and alerts the live results of a batch. ``now`` answers the time in UTC."""

    topic_arn: str
    sns: SnsClient
    cloudwatch: CloudWatchClient
    now: Callable[[], datetime]
    store: Store
    dead_letters: DeadLetterQueue
    namespace: str = NAMESPACE
    rules: Rules = Rules()

    def handle(self, event: Mapping[str, object], patience: Patience) -> BatchResponse:
        """Process one Kinesis event; the answer names the records to deliver again.

        Counting and alerting are claimed apart: a repeat finds what is done done, one that a dead invocation had
        claimed is waited for, and an outage of CloudWatch holds up no alert. Records that can never be processed are
        buried as dead letters and hold up nothing.
        """
        batch = decode(event)
        poison = list(batch.failures)
        work = work_of(batch.results, poison, self.rules.categories)

        alerted = self._alert(Once(self.store, Effect.ALERT, patience), work, poison)  # somebody waits for these
        waiting = _waiting(work, alerted.failures)
        counted = self._count(Once(self.store, Effect.COUNT, patience), work, patience, waiting)

        failures = [*alerted.failures, *counted.failures, *bury(self.dead_letters, NAME, batch, poison)]
        again = {failure.sequence for failure in failures}
        told = Counts(
            processed=len(batch.raw) - len(again),
            duplicate=_duplicates(work, counted, alerted),
            retried=len(again),
            dead_lettered=len({failure.sequence for failure in poison} - again),
            oldest_age=oldest_age(batch.results, self.now()),
        )
        LOGGER.info(
            "batch processed",
            extra=fields(
                results=len(batch.results),
                not_live=len(batch.results) - sum(len(one.result.sequences) for one in work),
                samples=sum(len(one.samples) for one in work),
                samples_outside=counted.left_out,
                alerts=sum(one.alert is not None for one in work),
                alerts_too_old=alerted.left_out,
                failures=len(failures),
                **told.members(self.namespace, NAME),
            ),
        )
        return batch_item_failures(again)

    def _count(self, once: Once, work: Sequence[Work], patience: Patience, waiting: Sequence[Work]) -> _Outcome:
        """Counts all but those that are ``waiting``: they come again."""
        claims = claim(once, [one for one in work if one.counted_once])
        others = [one for one in work if one.samples and not one.counted_once and one not in waiting]
        ours = [*claims.ours, *others]
        claimed = {one.result.result_id for one in claims.ours}
        failures, outside = counts.put(
            self.cloudwatch,
            [(one.result, one.samples) for one in ours],
            self.now(),
            patience,
            lambda results: once.done(result.result_id for result in results if result.result_id in claimed),
            self.namespace,
        )
        _give_back(once, claims.ours, failures)
        later = [
            Failure(one.result.shard, sequence, "a record before it comes again")
            for one in waiting
            for sequence in one.result.sequences
        ]
        return _Outcome([*claims.failures, *failures, *later], claims.done, outside)

    def _alert(self, once: Once, work: Sequence[Work], poison: list[Failure]) -> _Outcome:
        """Sends the alerts that are young enough; ``left_out`` are the older ones. ``poison``: what SNS never takes."""
        claims = claim(once, [one for one in work if one.alert is not None])
        old = [one for one in claims.ours if self.now() - one.result.time("event_time") > self.rules.max_age]
        for one in old:
            LOGGER.info(
                "alert too old to be sent",
                extra=fields(result_id=one.result.result_id, shard=one.result.shard, sequence=one.result.sequences[-1]),
            )
        once.done(one.result.result_id for one in old)
        fresh = [one for one in claims.ours if one not in old]
        alerts = with_digests([one.alert for one in fresh if one.alert is not None], self.rules.digest_above)
        failures, never = notifier.publish(
            self.sns,
            self.topic_arn,
            alerts,
            once.patience,
            lambda results: once.done(result.result_id for result in results),
        )
        poison += never
        _give_back(once, fresh, [*failures, *never])
        return _Outcome([*claims.failures, *failures], claims.done, len(old))


def _give_back(once: Once, ours: Sequence[Work], refused: Sequence[Failure]) -> None:
    again = {failure.sequence for failure in refused}
    once.release(one.result.result_id for one in ours if not again.isdisjoint(one.result.sequences))


def _waiting(work: Sequence[Work], failures: Sequence[Failure]) -> list[Work]:
    """Results counted without a claim that come again anyway: Lambda delivers again from the lowest failed record on.

    Counting them now would count them once more with every try of an alert before them.
    """
    if not failures:
        return []
    lowest = min(int(failure.sequence) for failure in failures)
    return [one for one in work if one.samples and not one.counted_once and int(one.result.sequences[0]) > lowest]


def _duplicates(work: Sequence[Work], counted: _Outcome, alerted: _Outcome) -> int:
    """Results of which nothing was left to do."""
    counted_before = {one.result.result_id for one in counted.done_before}
    alerted_before = {one.result.result_id for one in alerted.done_before}
    return sum(
        one.result.result_id in counted_before and (one.alert is None or one.result.result_id in alerted_before)
        for one in work
    )
