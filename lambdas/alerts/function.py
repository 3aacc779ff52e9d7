"""The alerts function without its surroundings: clients, settings and clock are given."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.metrics import NAMESPACE
from contracts.rejections import REJECTED
from contracts.results import RUN_LIVE, ResultType
from lambdas.alerts import counts, notifier
from lambdas.alerts.alert import Alert, alert_of
from lambdas.alerts.counts import CloudWatchClient
from lambdas.alerts.digest import with_digests
from lambdas.alerts.notifier import SnsClient
from lambdas.alerts.samples import Sample, samples_of
from lambdas.common.dead_letters import DeadLetterQueue
from lambdas.common.errors import RecordError
from lambdas.common.logs import fields
from lambdas.common.once import Claim, Once, Store
from lambdas.common.poison import bury
from lambdas.common.records import Failure, decode, failed, merge_repeats
from lambdas.common.response import BatchResponse, batch_item_failures
from lambdas.common.result import Result
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
class _Work:
    """A live result with what it adds and says."""

    result: Result
    samples: tuple[Sample, ...]
    alert: Alert | None

    @property
    def once(self) -> bool:
        """Whether it must be handled once: it pages, or its samples are a window's whole count."""
        return self.alert is not None or self.result.result_type == ResultType.AGGREGATION


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

    def handle(self, event: Mapping[str, object], remaining: Callable[[], int]) -> BatchResponse:
        """Process one Kinesis event; the answer names the records to deliver again.

        ``remaining`` answers the milliseconds that the invocation has left.

        A result that pages, or that is a window's count, is claimed first: a repeat finds it done, and one that a dead
        invocation had claimed is waited for. Metrics go before alerts, and a record whose metric failed is not alerted
        now: it comes again for certain. So an outage of CloudWatch delays a page and never repeats it. Records that can
        never be processed are buried as dead letters and hold up nothing.
        """
        batch = decode(event)
        once = Once(self.store, remaining)
        poison = list(batch.failures)
        work = self._work(batch.results, poison)
        ours, duplicates, busy = _claimed(once, work)

        not_counted, outside = self._count(ours)
        held = {failure.sequence for failure in not_counted}
        counted = [one for one in ours if held.isdisjoint(one.result.sequences)]
        once.done(one.result for one in counted if one.once and one.alert is None)
        not_sent, old = self._send(once, [one for one in counted if one.alert is not None])
        once.release(one.result for one in ours if one.once and not held.isdisjoint(one.result.sequences))

        failures = [*busy, *not_counted, *not_sent, *bury(self.dead_letters, NAME, batch, poison)]
        again = {failure.sequence for failure in failures}
        told = Counts(
            processed=len(batch.raw) - len(again),
            duplicate=len(duplicates),
            retried=len(again),
            dead_lettered=len({failure.sequence for failure in poison} - again),
            oldest_age=oldest_age(batch.results, self.now()),
        )
        LOGGER.info(
            "batch processed",
            extra=fields(
                results=len(batch.results),
                not_live=len(batch.results) - sum(len(one.result.sequences) for one in work),
                samples=sum(len(one.samples) for one in ours),
                samples_outside=outside,
                alerts=sum(one.alert is not None for one in ours),
                alerts_held=sum(one.alert is not None for one in ours) - sum(one.alert is not None for one in counted),
                alerts_too_old=old,
                failures=len(failures),
                **told.members(self.namespace, NAME),
            ),
        )
        return batch_item_failures(again)

    def _work(self, results: Iterable[Result], poison: list[Failure]) -> list[_Work]:
        """Live results with what they add and say, one per id; what cannot be read is added to ``poison``."""
        live = []
        for result in results:
            try:
                if _is_live(result):
                    live.append(result)
            except RecordError as error:
                poison += _failures(result, str(error))
        work = []
        for result in merge_repeats(live):
            try:
                # both before either is kept: a record that will be buried is not counted first
                work.append(_Work(result, samples_of(result, self.rules.categories), alert_of(result)))
            except RecordError as error:
                poison += _failures(result, str(error))
        return work

    def _count(self, ours: Iterable[_Work]) -> tuple[list[Failure], int]:
        samples = [(one.result, one.samples) for one in ours if one.samples]
        return counts.put(self.cloudwatch, samples, self.now(), self.namespace)

    def _send(self, once: Once, ours: list[_Work]) -> tuple[list[Failure], int]:
        """The failures of what SNS did not take, and how many alerts were too old to be sent."""
        fresh = [one for one in ours if self.now() - one.result.time("event_time") <= self.rules.max_age]
        old = [one for one in ours if one not in fresh]
        for one in old:
            LOGGER.info("alert too old to be sent", extra=fields(result_id=one.result.result_id))
        once.done(one.result for one in old)
        alerts = with_digests([one.alert for one in fresh if one.alert is not None], self.rules.digest_above)
        not_sent = notifier.publish(self.sns, self.topic_arn, alerts, once.done)
        again = {failure.sequence for failure in not_sent}
        once.release(one.result for one in fresh if not again.isdisjoint(one.result.sequences))
        return not_sent, len(old)


def _claimed(once: Once, work: Iterable[_Work]) -> tuple[list[_Work], list[_Work], list[Failure]]:
    """What to do now, what is done already, and the failures of what must come again."""
    ours, duplicates, busy = [], [], []
    for one in work:
        claim = once.claim(one.result) if one.once else Claim.OURS
        if claim is Claim.OURS:
            ours.append(one)
        elif claim is Claim.DONE:
            duplicates.append(one)
        else:
            reason = "another invocation has it" if claim is Claim.BUSY else "the table of results did not answer"
            busy += _failures(one.result, reason)
    return ours, duplicates, busy


def _is_live(result: Result) -> bool:
    """Whether the result alerts and counts. A rejection that does not say its ``run`` is live."""
    if result.result_type == REJECTED and "run" not in result.document:
        return True
    return result.text("run") == RUN_LIVE


def _failures(result: Result, reason: str) -> list[Failure]:
    return [failed(LOGGER, result.shard, sequence, reason) for sequence in result.sequences]
