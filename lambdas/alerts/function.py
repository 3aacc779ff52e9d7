"""The alerts function without its surroundings: clients, settings and clock are given."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts.metrics import NAMESPACE
from contracts.rejections import REJECTED
from contracts.results import RUN_LIVE
from lambdas.alerts import counts, notifier
from lambdas.alerts.alert import Alert, alert_of
from lambdas.alerts.counts import CloudWatchClient
from lambdas.alerts.notifier import SnsClient
from lambdas.alerts.samples import Sample, sample_of
from lambdas.common.errors import RecordError
from lambdas.common.logs import fields
from lambdas.common.records import Failure, decode, failed, merge_repeats
from lambdas.common.response import BatchResponse, batch_item_failures
from lambdas.common.result import Result

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class AlertsFunction:
    """Counts and alerts the live results of a batch. ``now`` answers the time in UTC."""

    topic_arn: str
    sns: SnsClient
    cloudwatch: CloudWatchClient
    now: Callable[[], datetime]
    namespace: str = NAMESPACE

    def handle(self, event: Mapping[str, object]) -> BatchResponse:
        """Process one Kinesis event; the answer names the records to deliver again.

        Metrics go first, and a record whose metric failed is not alerted now: it comes again for certain, and
        would page a second time. So an outage of CloudWatch delays a page and never repeats it; a metric
        counted twice because SNS failed after it is the smaller evil. Records that fail for another reason
        hold no page back: Lambda may give up on them, and with them on the records after them.
        """
        batch = decode(event)
        failures = list(batch.failures)
        live = []
        for result in batch.results:
            try:
                if _is_live(result):
                    live.append(result)
            except RecordError as error:
                failures.extend(_failures(result, error))

        samples: list[tuple[Result, Sample]] = []
        alerts: list[Alert] = []
        # merged after the backfill is gone: of a live and a backfill copy, the live one pages
        for result in merge_repeats(live):
            try:
                # both before either is kept: a record that will fail is not counted now and again later
                sample, alert = sample_of(result), alert_of(result)
            except RecordError as error:
                failures.extend(_failures(result, error))
                continue
            if sample is not None:
                samples.append((result, sample))
            if alert is not None:
                alerts.append(alert)

        not_counted, outside = counts.put(self.cloudwatch, samples, self.now(), self.namespace)
        held = {failure.sequence for failure in not_counted}
        sendable = [alert for alert in alerts if held.isdisjoint(alert.result.sequences)]
        not_sent = notifier.publish(self.sns, self.topic_arn, sendable)
        failures += not_counted + not_sent

        LOGGER.info(
            "batch processed",
            extra=fields(
                results=len(batch.results),
                not_live=len(batch.results) - len(live),
                samples=len(samples),
                samples_outside=outside,
                alerts=len(alerts),
                alerts_held=len(alerts) - len(sendable),
                failures=len(failures),
            ),
        )
        return batch_item_failures(failure.sequence for failure in failures)


def _is_live(result: Result) -> bool:
    """Whether the result alerts and counts. A rejection that does not say its ``run`` is live."""
    if result.result_type == REJECTED and "run" not in result.document:
        return True
    return result.text("run") == RUN_LIVE


def _failures(result: Result, error: RecordError) -> list[Failure]:
    return [failed(LOGGER, result.shard, sequence, str(error)) for sequence in result.sequences]
