"""Alerts from a queue, for a function that hands each on: taken, again later, or given up with a reason.

SNS delivers an alert's JSON object to the queue as it is (raw delivery). A message that is not taken becomes visible
again when its visibility timeout is over; after the queue's ``maxReceiveCount`` SQS moves it to the dead-letter queue.
What nobody will ever take goes there at once: the body as it came, and the reason as the attribute ``reason``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.common.errors import EventError
from lambdas.common.logs import fields
from lambdas.common.patience import Patience
from lambdas.common.response import BatchResponse

LOGGER = logging.getLogger(__name__)

#: An alert's JSON object, as docs/alerts.md describes it.
Alert = Mapping[str, Any]


class RefusedError(Exception):
    """Nobody will ever take this alert; the text is the reason, and quotes no secret and no user's data."""


class LaterError(Exception):
    """The alert was not taken now; the text says why, and quotes no secret and no user's data."""


class SqsClient(Protocol):
    """The part of boto3's SQS client that is used."""

    def send_message(
        self, *, QueueUrl: str, MessageBody: str, MessageAttributes: Mapping[str, Mapping[str, str]]
    ) -> object:
        """Take one message, or raise."""
        ...


@dataclass(frozen=True)
class AlertQueue:
    """Hands the alerts of a batch to ``deliver``, which returns when its receiver has the alert.

    ``deliver`` raises :class:`RefusedError` or :class:`LaterError`; another error counts as later, too.
    ``dead_letters`` is the URL of the dead-letter queue.
    """

    deliver: Callable[[Alert], None]
    sqs: SqsClient
    dead_letters: str

    def handle(self, event: Mapping[str, object], patience: Patience) -> BatchResponse:
        """The messages of an SQS event that are to come again.

        SQS delivers at least once, so ``deliver`` may see an alert twice; its ``result_id`` stays the same. Raises
        :class:`EventError` for what is no SQS event.
        """
        again: list[str] = []
        for message_id, body in _messages(event):
            if not patience.lasts():
                LOGGER.warning("alert comes again", extra=fields(message_id=message_id, reason="no time left"))
                again.append(message_id)
                continue
            try:
                self.deliver(_alert(body))
            except RefusedError as error:
                if not self._give_up(message_id, body, str(error)):
                    again.append(message_id)
            except LaterError as error:
                LOGGER.warning("alert comes again", extra=fields(message_id=message_id, reason=str(error)))
                again.append(message_id)
            except Exception as error:  # noqa: BLE001 - one alert must not hold up the others; its text may hold a secret
                reason = f"unexpected {type(error).__name__}"
                LOGGER.error("alert comes again", extra=fields(message_id=message_id, reason=reason))  # noqa: TRY400
                again.append(message_id)
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in again]}

    def _give_up(self, message_id: str, body: str, reason: str) -> bool:
        """Whether SQS confirmed the dead letter."""
        LOGGER.error("alert given up", extra=fields(message_id=message_id, reason=reason))
        try:
            self.sqs.send_message(
                QueueUrl=self.dead_letters,
                MessageBody=body,
                MessageAttributes={"reason": {"DataType": "String", "StringValue": reason}},
            )
        except (ClientError, BotoCoreError):
            LOGGER.exception("SQS took no dead letter", extra=fields(message_id=message_id))
            return False
        return True


def _messages(event: Mapping[str, object]) -> list[tuple[str, str]]:
    records = event.get("Records")
    if not isinstance(records, list):
        raise EventError("not an SQS event: `Records` is not a list")
    found = []
    for record in records:
        message_id = record.get("messageId") if isinstance(record, Mapping) else None
        body = record.get("body") if isinstance(record, Mapping) else None
        if not isinstance(message_id, str) or not isinstance(body, str):
            raise EventError("not an SQS event: a record without `messageId` or `body`")
        found.append((message_id, body))
    return found


def _alert(body: str) -> Alert:
    try:
        alert = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusedError("the message is not JSON: only the kit's alerts are delivered") from error
    if not isinstance(alert, dict):
        raise RefusedError("the message is not a JSON object: only the kit's alerts are delivered")
    return alert
