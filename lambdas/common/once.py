"""Doing something once per ``result_id``: claims in a DynamoDB table, by Powertools' idempotency layer.

Powertools' decorator works call by call. Here a batch's results are claimed first, then handled by the calls that take
many at once, then marked as done, so the layer is used directly. A claim of an invocation that died runs out with that
invocation's time and can be made again: a result is handled twice only when a function dies between the service's
acceptance and the mark.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeVar

from aws_lambda_powertools.utilities.idempotency.config import IdempotencyConfig
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyItemAlreadyExistsError
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import STATUS_CONSTANTS, DataRecord
from aws_lambda_powertools.utilities.idempotency.persistence.dynamodb import DynamoDBPersistenceLayer
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.common.logs import fields
from lambdas.common.result import Result

LOGGER = logging.getLogger(__name__)

T = TypeVar("T")


class Store(Protocol):
    """What is used of Powertools' :class:`DynamoDBPersistenceLayer`."""

    def save_inprogress(self, data: dict[str, str], remaining_time_in_millis: int | None = None) -> None:
        """Claim; raises IdempotencyItemAlreadyExistsError for what is claimed or done."""
        ...

    def save_success(self, data: dict[str, str], result: dict[str, str]) -> None:
        """Mark as done."""
        ...

    def delete_record(self, data: dict[str, str], exception: Exception) -> None:
        """Give a claim back."""
        ...


class Claim(Enum):
    """What became of asking for a result."""

    OURS = "ours"
    DONE = "done"
    #: Another invocation has it, or had it and died: it comes again until that one's time is over.
    BUSY = "busy"
    #: The table did not answer.
    UNKNOWN = "unknown"


def store(table: str, remember_seconds: float, client: object) -> Store:
    """Powertools' layer over a table with the key ``id`` and the TTL attribute ``expiration``."""
    layer = DynamoDBPersistenceLayer(table_name=table, boto3_client=client)
    layer.configure(
        # No cache of the process: an entry that another invocation has given back would still be there.
        IdempotencyConfig(expires_after_seconds=int(remember_seconds), use_local_cache=False),
        function_name="result",
    )
    return layer


@dataclass(frozen=True)
class Once:
    """Claims results in ``store``. ``remaining`` answers the milliseconds that the invocation has left."""

    store: Store
    remaining: Callable[[], int]

    def claim(self, result: Result) -> Claim:
        """Ask for a result."""
        try:
            self.store.save_inprogress(_key(result), self.remaining())
        except IdempotencyItemAlreadyExistsError as error:
            record: DataRecord | None = error.old_data_record
            done = record is not None and record.status == STATUS_CONSTANTS["COMPLETED"]
            return Claim.DONE if done else Claim.BUSY
        except (ClientError, BotoCoreError) as error:
            LOGGER.warning("the table of processed results did not answer", extra=fields(error=type(error).__name__))
            return Claim.UNKNOWN
        return Claim.OURS

    def done(self, results: Iterable[Result]) -> None:
        """Mark results that their service has accepted.

        A mark that cannot be made is logged: the claim runs out and the result is handled once more, which is what
        at least once means. Failing the record would do the same, sooner.
        """
        for result in results:
            try:
                self.store.save_success(_key(result), {})
            except (ClientError, BotoCoreError) as error:
                LOGGER.warning(
                    "a processed result could not be marked",
                    extra=fields(result_id=result.result_id, error=type(error).__name__),
                )

    def release(self, results: Iterable[Result]) -> None:
        """Give back claims on what was not accepted, so that the next delivery need not wait for them to run out."""
        for result in results:
            try:
                self.store.delete_record(_key(result), _NotAcceptedError())
            except (ClientError, BotoCoreError) as error:
                LOGGER.warning(
                    "a claim could not be given back",
                    extra=fields(result_id=result.result_id, error=type(error).__name__),
                )


class _NotAcceptedError(Exception):
    """What Powertools is told as the reason of a claim that is given back."""


def _key(result: Result) -> dict[str, str]:
    return {"result_id": result.result_id}
