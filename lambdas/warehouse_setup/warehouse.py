"""Statements through Redshift's Data API, and the workgroup's usage limit."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.logs import fields

LOGGER = logging.getLogger(__name__)

#: Codes that pass by themselves: too many statements at once, throttling, the service's own trouble.
_PASSING = frozenset({"ActiveStatementsExceededException", "InternalServerException", "ThrottlingException"})
_POLL_SECONDS = 1.0
#: What Redshift says of CREATE for something that is there; its MATERIALIZED VIEW knows no IF NOT EXISTS.
_EXISTS = "already exists"
_USAGE, _PERIOD, _BREACH = "serverless-compute", "daily", "deactivate"


class WarehouseError(Exception):
    """The warehouse refused; the text has the statement's first words and Redshift's reason."""


class NotYetError(Exception):
    """It takes longer than this invocation, or cannot be asked now: asking again may help."""


@dataclass(frozen=True)
class Warehouse:
    """One database. ``data`` is boto3's ``redshift-data``, ``serverless`` its ``redshift-serverless``.

    ``more`` says whether the invocation has time to wait for a statement.
    """

    data: Any
    serverless: Any
    workgroup: str
    workgroup_arn: str
    database: str
    secret_arn: str
    more: Callable[[], bool]
    wait: Callable[[float], None] = time.sleep

    def create(self, sql: str) -> None:
        """Run a statement that makes something, unless it is there. Raises WarehouseError and NotYetError."""
        try:
            self._run(sql, lambda: self.data.execute_statement(**self._where(), Sql=sql))
        except WarehouseError as error:
            if _EXISTS not in str(error):
                raise
            LOGGER.info("it is there already", extra=fields(statement=_first_words(sql)))

    def replace(self, statements: Sequence[str]) -> None:
        """Run statements as one transaction. Raises WarehouseError and NotYetError."""
        self._run(statements[-1], lambda: self.data.batch_execute_statement(**self._where(), Sqls=list(statements)))

    def limit(self, rpu_hours_a_day: int) -> None:
        """Have compute stop for the day at so many RPU-hours. Raises NotYetError."""
        found = self._asked(
            lambda: self.serverless.list_usage_limits(resourceArn=self.workgroup_arn, usageType=_USAGE)
        )["usageLimits"]
        known = [one for one in found if one["period"] == _PERIOD]
        if not known:
            self._asked(
                lambda: self.serverless.create_usage_limit(
                    resourceArn=self.workgroup_arn,
                    usageType=_USAGE,
                    period=_PERIOD,
                    amount=rpu_hours_a_day,
                    breachAction=_BREACH,
                )
            )
        elif (known[0]["amount"], known[0]["breachAction"]) != (rpu_hours_a_day, _BREACH):
            self._asked(
                lambda: self.serverless.update_usage_limit(
                    usageLimitId=known[0]["usageLimitId"], amount=rpu_hours_a_day, breachAction=_BREACH
                )
            )

    def _where(self) -> dict[str, str]:
        return {"WorkgroupName": self.workgroup, "Database": self.database, "SecretArn": self.secret_arn}

    def _run(self, sql: str, execute: Callable[[], Any]) -> None:
        statement = self._asked(execute)["Id"]
        while True:
            told = self._asked(lambda: self.data.describe_statement(Id=statement))
            if told["Status"] == "FINISHED":
                LOGGER.info("done", extra=fields(statement=_first_words(sql)))
                return
            if told["Status"] in ("FAILED", "ABORTED"):
                raise WarehouseError(f"{_first_words(sql)}: {told.get('Error') or told['Status']}")
            if not self.more():
                raise NotYetError(f"{_first_words(sql)} is {told['Status']}")
            self.wait(_POLL_SECONDS)

    def _asked(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in _PASSING:
                raise NotYetError(code) from error
            raise


def _first_words(sql: str) -> str:
    """The statement without its comments, up to its first line's end."""
    lines = [line for line in sql.splitlines() if line.strip() and not line.startswith("--")]
    return lines[0] if lines else "an empty statement"
