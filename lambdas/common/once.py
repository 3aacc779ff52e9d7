"""Doing something once per id: claims in a DynamoDB table, by Powertools' idempotency layer.

Powertools' decorator works call by call. Here a batch's results are claimed first, then handled by the calls that take
many at once, then marked as done, so the layer is used directly. A claim of an invocation that died runs out with that
invocation's time and can be made again: a result is handled twice only when a function dies, or hears no answer,
between the service's acceptance and the mark.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from aws_lambda_powertools.utilities.idempotency.config import IdempotencyConfig
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyItemAlreadyExistsError
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import STATUS_CONSTANTS, DataRecord
from aws_lambda_powertools.utilities.idempotency.persistence.dynamodb import DynamoDBPersistenceLayer
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.common.claim import Claim
from lambdas.common.logs import fields
from lambdas.common.patience import Patience

LOGGER = logging.getLogger(__name__)


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


class Effect(StrEnum):
    """What is done once for an id. Each has claims of its own, so that one service's outage holds up no other's."""

    COUNT = "count"
    ALERT = "alert"
    BURY = "bury"
    REPLAY = "replay"


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
    """Claims ids for ``effect`` in ``store``, for as long as the invocation lasts at most."""

    store: Store
    effect: Effect
    patience: Patience

    def claim(self, id_: str) -> Claim:
        """Ask for an id."""
        if not self.patience.lasts():
            return Claim.UNKNOWN
        try:
            self.store.save_inprogress(self._key(id_), self.patience.remaining())
        except IdempotencyItemAlreadyExistsError as error:
            record: DataRecord | None = error.old_data_record
            done = record is not None and record.status == STATUS_CONSTANTS["COMPLETED"]
            return Claim.DONE if done else Claim.BUSY
        except (ClientError, BotoCoreError) as error:
            LOGGER.warning("the table of processed results did not answer", extra=fields(error=type(error).__name__))
            return Claim.UNKNOWN
        return Claim.OURS

    def done(self, ids: Iterable[str]) -> None:
        """Mark what its service has accepted; the table is asked for as long as there is time.

        A mark that cannot be made is logged and fails nothing: only another delivery would do it once more, and a
        failure would ask for one.
        """
        for id_ in ids:
            error = self._mark(id_)
            if error is not None:
                LOGGER.warning(
                    "a processed result could not be marked",
                    extra=fields(effect=self.effect, result_id=id_, error=type(error).__name__),
                )

    def release(self, ids: Iterable[str]) -> None:
        """Give back claims on what was not accepted, so that the next delivery need not wait for them to run out."""
        for id_ in ids:
            try:
                self.store.delete_record(self._key(id_), _NotAcceptedError())
            except (ClientError, BotoCoreError) as error:
                LOGGER.warning(
                    "a claim could not be given back",
                    extra=fields(effect=self.effect, result_id=id_, error=type(error).__name__),
                )

    def _mark(self, id_: str) -> ClientError | BotoCoreError | None:
        """None, or why the mark could not be made."""
        tries = 0
        while True:
            try:
                self.store.save_success(self._key(id_), {})
            except (ClientError, BotoCoreError) as error:
                if not self.patience.next(tries):
                    return error
                tries += 1
            else:
                return None

    def _key(self, id_: str) -> dict[str, str]:
        return {"effect": self.effect.value, "id": id_}


class _NotAcceptedError(Exception):
    """What Powertools is told as the reason of a claim that is given back."""
