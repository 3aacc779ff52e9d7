"""Publishing alerts to SNS, ten a call."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypedDict

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.alerts.alert import Alert
from lambdas.common.chunks import chunks
from lambdas.common.logs import fields
from lambdas.common.patience import Patience
from lambdas.common.records import Failure, failures_of
from lambdas.common.result import Result

LOGGER = logging.getLogger(__name__)

#: Limits of one PublishBatch call: entries, and bytes of all of them together (256 KB).
MAX_ENTRIES = 10
MAX_BYTES = 256 * 1024


#: What SNS says of a message that it will never take. Other faults of the sender, such as a key switched off, pass.
_NEVER = ("InvalidParameter", "ParameterValueInvalid")


class PublishError(TypedDict, total=False):
    """One entry of ``Failed`` in the answer of PublishBatch."""

    Id: str
    Code: str
    SenderFault: bool


class PublishAnswer(TypedDict, total=False):
    """The part of PublishBatch's answer that is read."""

    Failed: list[PublishError]


class SnsClient(Protocol):
    """What is used of boto3's SNS client."""

    def publish_batch(self, *, TopicArn: str, PublishBatchRequestEntries: Sequence[dict[str, object]]) -> PublishAnswer:
        """Publish up to ten messages; entries that were refused are in ``Failed``."""
        ...


def publish(
    sns: SnsClient,
    topic_arn: str,
    alerts: Iterable[Alert],
    patience: Patience,
    accepted: Callable[[Iterable[Result]], None],
) -> tuple[list[Failure], list[Failure]]:
    """Publish ``alerts`` to the topic; the failures are the records of those that SNS did not take, and never will.

    A refused entry fails its own records; a refused or unanswered call fails all of its records, and so does one that
    there is no time for. ``accepted`` is told
    the results of each call that SNS took, before the next call: what dies after it repeats none of them.
    """
    failures: list[Failure] = []
    never: list[Failure] = []
    for chunk in chunks(alerts, max_items=MAX_ENTRIES, max_bytes=MAX_BYTES, size_of=lambda alert: alert.size):
        if not patience.lasts():
            failures.extend(_failures(chunk, "no time left for SNS"))
            continue
        entries = [_entry(index, alert) for index, alert in enumerate(chunk)]
        try:
            answer = sns.publish_batch(TopicArn=topic_arn, PublishBatchRequestEntries=entries)
        except (ClientError, BotoCoreError) as error:
            LOGGER.exception("SNS took no alert of a call", extra=fields(alerts=len(chunk)))
            reason = f"SNS publish_batch failed: {type(error).__name__}"
            failures.extend(_failures(chunk, reason))
            continue
        refused = {int(entry["Id"]): entry for entry in answer.get("Failed", [])}
        accepted(result for index, alert in enumerate(chunk) if index not in refused for result in alert.results)
        for index, entry in refused.items():
            code = entry.get("Code", "no code")
            into = never if entry.get("SenderFault") and code.startswith(_NEVER) else failures
            into.extend(_failures([chunk[index]], f"SNS refused the alert: {code}"))
    return failures, never


def _entry(index: int, alert: Alert) -> dict[str, object]:
    return {
        "Id": str(index),  # unique in its call, and the way back from `Failed`
        "Subject": alert.subject,
        "Message": alert.message,
        "MessageStructure": "json",
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in alert.attributes.items()
        },
    }


def _failures(alerts: Iterable[Alert], reason: str) -> list[Failure]:
    return [failure for alert in alerts for result in alert.results for failure in failures_of(LOGGER, result, reason)]
