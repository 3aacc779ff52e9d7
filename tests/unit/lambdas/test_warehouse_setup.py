"""The warehouse's set-up against a double of the Data API: order, repetition, limit, and the error's text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contracts.results import ResultType
from lambdas.common.custom_resource import RequestError
from lambdas.warehouse_setup.function import WarehouseSetup
from lambdas.warehouse_setup.warehouse import Warehouse, WarehouseError
from stacks.warehouse import statements

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
ARN = "arn:aws:redshift-serverless:us-east-1:123456789012:workgroup/1"
CREATED, REPLACED = statements("realtime-analytics-dev-results")
WAITING = {"IsComplete": False}


@dataclass
class Redshift:
    """The Data API and the workgroup's limits, as far as statuses go.

    It knows what has been created and dropped. ``slow``: so many looks at a statement find it still running.
    ``errors``: an error of a statement by a part of its text. ``refusals``: codes of the next calls.
    """

    slow: int = 0
    errors: dict[str, str] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    run: list[str] = field(default_factory=list)
    objects: set[str] = field(default_factory=set)
    limits: list[dict[str, Any]] = field(default_factory=list)
    asked: list[Mapping[str, Any]] = field(default_factory=list)
    _looks: dict[str, int] = field(default_factory=dict)
    _failures: dict[str, str] = field(default_factory=dict)

    def execute_statement(self, *, Sql: str, **where: str) -> dict[str, str]:
        self.asked.append(where)
        return self._taken([Sql])

    def batch_execute_statement(self, *, Sqls: Sequence[str], **where: str) -> dict[str, str]:
        self.asked.append(where)
        return self._taken(Sqls)

    def describe_statement(self, *, Id: str) -> dict[str, str]:
        self._refuse()
        self._looks[Id] = self._looks.get(Id, 0) + 1
        if self._looks[Id] <= self.slow:
            return {"Status": "STARTED"}
        return {"Status": "FAILED", "Error": self._failures[Id]} if Id in self._failures else {"Status": "FINISHED"}

    def list_usage_limits(self, *, resourceArn: str, usageType: str) -> dict[str, Any]:
        self._refuse()
        return {"usageLimits": list(self.limits)}

    def create_usage_limit(self, **limit: Any) -> None:
        self.limits.append({**limit, "usageLimitId": "1"})

    def update_usage_limit(self, *, usageLimitId: str, **limit: Any) -> None:
        self.limits[0] |= limit

    def _taken(self, sqls: Sequence[str]) -> dict[str, str]:
        self._refuse()
        name = f"statement-{len(self._looks)}-{len(self.run)}"
        for sql in sqls:
            error = self._error(sql)
            if error is not None:
                self._failures[name] = error
                break
            self.run.append(sql)
        self._looks[name] = 0
        return {"Id": name}

    def _error(self, sql: str) -> str | None:
        for part, error in self.errors.items():
            if part in sql:
                return error
        kind, exists, name = re.search(  # type: ignore[union-attr]
            r"^(CREATE|DROP) (?:EXTERNAL SCHEMA|MATERIALIZED VIEW|VIEW)( IF (?:NOT )?EXISTS)? (\S+)", sql, re.MULTILINE
        ).groups()
        if kind == "DROP":
            self.objects.discard(name)
        elif name in self.objects and not exists:
            return f'ERROR: relation "{name}" already exists'
        else:
            self.objects.add(name)
        return None

    def _refuse(self) -> None:
        if self.refusals:
            raise ClientError({"Error": {"Code": self.refusals.pop(0), "Message": "later"}}, "ExecuteStatement")


def setup(redshift: Redshift, more: Callable[[], bool] = lambda: True, now: datetime = NOW) -> WarehouseSetup:
    return WarehouseSetup(
        lambda wish: Warehouse(
            redshift,
            redshift,
            wish.workgroup,
            wish.workgroup_arn,
            wish.database,
            wish.secret_arn,
            more,
            wait=lambda _: None,
        ),
        lambda: now,
    )


def event(kind: str = "Create", **properties: str) -> dict[str, object]:
    return {
        "RequestType": kind,
        "RequestId": "1",
        "StackId": "stack",
        "PhysicalResourceId": "x",
        "Since": NOW.timestamp(),
        "ResourceProperties": {
            "Workgroup": "realtime-analytics-dev",
            "WorkgroupArn": ARN,
            "Database": "analytics",
            "SecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:admin",
            "RpuHoursADay": "24",
            "Created": json.dumps(CREATED),
            "Replaced": json.dumps(REPLACED),
        }
        | properties,
    }


def test_everything_is_made_in_order_with_the_limit_first() -> None:
    redshift = Redshift(slow=2)
    assert setup(redshift).is_complete(event()) == {"IsComplete": True, "Data": {"Views": str(len(ResultType))}}
    assert redshift.run == [*CREATED, *(sql for group in REPLACED for sql in group)]
    assert [(limit["amount"], limit["period"], limit["breachAction"]) for limit in redshift.limits] == [
        (24, "daily", "deactivate")
    ]
    assert redshift.asked[0] == {
        "WorkgroupName": "realtime-analytics-dev",
        "Database": "analytics",
        "SecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:admin",
    }


def test_a_second_time_keeps_what_landed_and_replaces_the_views() -> None:
    redshift = Redshift()
    assert setup(redshift).is_complete(event())["IsComplete"]
    redshift.run.clear()
    assert setup(redshift).is_complete(event("Update", RpuHoursADay="48"))["IsComplete"]
    assert not any("MATERIALIZED" in sql for sql in redshift.run)
    assert sum("CREATE VIEW" in sql for sql in redshift.run) == len(ResultType)
    assert [limit["amount"] for limit in redshift.limits] == [48]


def test_a_refused_statement_fails_the_deployment_with_the_reason() -> None:
    redshift = Redshift(errors={"20": "", "CREATE VIEW public.fraud": "ERROR: permission denied for schema public"})
    del redshift.errors["20"]
    with pytest.raises(WarehouseError, match=r"CREATE VIEW public.fraud AS: ERROR: permission denied"):
        setup(redshift).is_complete(event())


def test_out_of_time_is_asked_again_and_fails_after_half_an_hour() -> None:
    redshift = Redshift(slow=10**6)
    assert setup(redshift, more=lambda: False).is_complete(event()) == WAITING
    late = NOW + timedelta(minutes=31)
    with pytest.raises(WarehouseError, match=r"is not set up after 0:30:00 h:mm:ss: .* is STARTED"):
        setup(redshift, more=lambda: False, now=late).is_complete(event())


@pytest.mark.parametrize("code", ["ThrottlingException", "ActiveStatementsExceededException"])
def test_what_passes_by_itself_is_asked_again(code: str) -> None:
    redshift = Redshift(refusals=[code])
    assert setup(redshift).is_complete(event()) == WAITING
    assert setup(redshift).is_complete(event())["IsComplete"]


def test_another_error_of_the_service_fails_at_once() -> None:
    with pytest.raises(ClientError, match="AccessDeniedException"):
        setup(Redshift(refusals=["AccessDeniedException"])).is_complete(event())


def test_delete_leaves_everything() -> None:
    redshift = Redshift()
    assert setup(redshift).on_event(event("Delete"))["PhysicalResourceId"] == "x"
    assert setup(redshift).is_complete(event("Delete")) == {"IsComplete": True, "Data": {}}
    assert redshift.run == []


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("Workgroup", "A", "property Workgroup is 'A'"),
        ("RpuHoursADay", "0", "allowed is a whole number from 1 to 100000"),
        ("Created", "[1]", "property Created: allowed is a JSON list of statements"),
        ("Replaced", '["a"]', "property Replaced: allowed is a JSON list of lists of statements"),
        ("Replaced", "[", "property Replaced is '\\[': allowed is a JSON list"),
        ("Created", "[}]", "property Created is no JSON"),
    ],
)
def test_a_wrong_property_is_named(name: str, value: str, told: str) -> None:
    with pytest.raises(RequestError, match=told):
        setup(Redshift()).on_event(event(**{name: value}))
