"""The alerts function without its surroundings: clients, settings and clock are given."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contracts.metrics import NAMESPACE
from lambdas.alerts import counts, notifier
from lambdas.alerts.alert import JobSettings
from lambdas.alerts.counts import CloudWatchClient
from lambdas.alerts.digest import with_digests
from lambdas.alerts.event_types import EventTypes, RegistryError
from lambdas.alerts.notifier import SnsClient
from lambdas.alerts.work import Work, claim, with_names, work_of
from lambdas.common.dead_letters import DeadLetterQueue
from lambdas.common.logs import fields
from lambdas.common.once import Effect, Once, Store
from lambdas.common.patience import Patience
from lambdas.common.poison import bury
from lambdas.common.records import Failure, decode, failures_of
from lambdas.common.response import BatchResponse, batch_item_failures
from lambdas.common.telemetry import Counts, oldest_age

LOGGER = logging.getLogger(__name__)

#: The function's package: in dead letters, metrics and logs.
NAME = "alerts"

_CALL_REFUSED = "CloudWatch refused a call for a record before it"


@dataclass(frozen=True)
class Rules:
    """What is sent, and how: older alerts are counted only; more than ``digest_above`` of a type in a batch are one;
    ``categories`` are counted by name; ``settings`` are those of each job that its alerts name.
    """

    max_age: timedelta = timedelta(hours=6)
    digest_above: int = 20
    categories: frozenset[str] = frozenset()
    settings: JobSettings = field(default_factory=dict)


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
    event_types: EventTypes
    dead_letters: DeadLetterQueue
    namespace: str = NAMESPACE
    rules: Rules = Rules()

    def handle(self, event: Mapping[str, object], patience: Patience) -> BatchResponse:
        """Process one Kinesis event; the answer names the records to deliver again.

        Counting, alerting and burying are claimed apart: a repeat finds its part done, a claim of a dead invocation is
        waited for, and an outage of CloudWatch holds up no alert. Samples without a claim come last, in one call, and
        only those before the lowest record that comes again: the others are counted when they come.
        """
        batch = decode(event)
        poison = list(batch.failures)
        work = work_of(batch.results, poison, self.rules.categories, self.rules.settings)

        alerted = self._alert(Once(self.store, Effect.ALERT, patience), work, poison)  # somebody waits for these
        counted = self._count_once(Once(self.store, Effect.COUNT, patience), work)
        once = Once(self.store, Effect.BURY, patience)
        burial = bury(self.dead_letters, NAME, batch, poison, patience, once=once)
        failures = [*alerted.failures, *counted.failures, *burial.again]
        others = self._count_others(work, batch.again_from(failures), patience)
        failures += others.failures
        again = {failure.sequence for failure in failures}
        told = Counts(
            processed=len(batch.raw) - len(again),
            duplicate=_duplicates(work, counted, alerted),
            retried=len(again),
            dead_lettered=burial.buried,
            oldest_age=oldest_age(batch.results, self.now()),
        )
        LOGGER.info(
            "batch processed",
            extra=fields(
                results=len(batch.results),
                not_live=len(batch.results) - sum(len(one.result.sequences) for one in work),
                samples=sum(len(one.samples) for one in work),
                samples_outside=counted.left_out + others.left_out,
                alerts=sum(one.alert is not None for one in work),
                alerts_too_old=alerted.left_out,
                failures=len(failures),
                **told.members(self.namespace, NAME),
            ),
        )
        return batch_item_failures(again)

    def _count_once(self, once: Once, work: Sequence[Work]) -> _Outcome:
        """Counts the samples that are claimed."""
        counted = [one for one in work if one.counted_once]
        try:
            named = with_names(counted, self.event_types, self.now(), once.patience)
        except RegistryError as error:
            refused = [failure for one in counted for failure in failures_of(LOGGER, one.result, str(error))]
            return _Outcome(refused, (), 0)
        claims = claim(once, named)
        failures, outside = counts.put(
            self.cloudwatch,
            [(one.result, one.samples) for one in claims.ours],
            self.now(),
            once.patience,
            lambda results: once.done(result.result_id for result in results),
            self.namespace,
        )
        _give_back(once, claims.ours, failures)
        return _Outcome([*claims.failures, *failures], claims.done, outside)

    def _count_others(self, work: Sequence[Work], again_from: float, patience: Patience) -> _Outcome:
        """Counts the samples without a claim whose records all lie before ``again_from``; the others come again.

        In the order of the shard, and none after a call that is refused: what was counted lies before what comes again.
        """
        others = [one for one in work if one.samples and not one.counted_once]
        now = [one for one in others if _last(one) < again_from]
        failures = [
            Failure(one.result.shard, sequence, "a record before it comes again")
            for one in others
            if _last(one) >= again_from
            for sequence in one.result.sequences
            if int(sequence) >= again_from
        ]
        left_out = 0
        now.sort(key=_last)
        while now:
            group, now = now[: counts.MAX_SUMS], now[counts.MAX_SUMS :]
            refused, outside = counts.put(
                self.cloudwatch,
                [(one.result, one.samples) for one in group],
                self.now(),
                patience,
                lambda _: None,
                self.namespace,
            )
            left_out += outside
            if refused:
                rest = (failure for one in now for failure in failures_of(LOGGER, one.result, _CALL_REFUSED))
                failures += [*refused, *rest]
                break
        return _Outcome(failures, (), left_out)

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


def _last(work: Work) -> int:
    """The last place of the result's records: where it is counted, a repeat before it being none of its own."""
    return max(int(sequence) for sequence in work.result.sequences)


def _duplicates(work: Sequence[Work], counted: _Outcome, alerted: _Outcome) -> int:
    """Results of which nothing was left to do."""
    counted_before = {one.result.result_id for one in counted.done_before}
    alerted_before = {one.result.result_id for one in alerted.done_before}
    return sum(
        one.result.result_id in counted_before and (one.alert is None or one.result.result_id in alerted_before)
        for one in work
    )
