"""The custom resource that makes a workgroup the warehouse of the results: external schema, landing view, typed views.

Every step can be made again, so each poll simply makes them all until the last one is done. Delete leaves everything:
the workgroup goes, or it is kept with its data.

**What no test here proves:** there is no Redshift on a laptop. Calls and their order are tested with a stub, the SQL is
linted, its names are checked against the contracts, and its SELECTs run on DuckDB over results of the demo; that
Redshift takes the DDL as documented is the documentation's word.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from lambdas.common.custom_resource import (
    IsCompleteAnswer,
    OnEventAnswer,
    RequestError,
    RequestType,
    ResourceRequest,
    accepted,
    complete,
    incomplete,
)
from lambdas.common.logs import fields
from lambdas.warehouse_setup.warehouse import NotYetError, Warehouse, WarehouseError

LOGGER = logging.getLogger(__name__)

_PATIENCE = timedelta(minutes=30)


@dataclass(frozen=True)
class Wish:
    """What the properties ask for.

    ``created`` are statements of what is made once and kept, ``replaced`` those that take the place of an older one,
    each list in one transaction.
    """

    workgroup: str
    workgroup_arn: str
    database: str
    secret_arn: str
    rpu_hours_a_day: int
    created: tuple[str, ...]
    replaced: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class WarehouseSetup:
    """Writes limit, schema and views. ``connect`` gives a warehouse for a wish.

    Properties: Workgroup, WorkgroupArn, Database, SecretArn (the administrator's secret), RpuHoursADay (1 to 100000),
    Created (a JSON list of statements), Replaced (a JSON list of lists of statements).
    """

    connect: Callable[[Wish], Warehouse]
    now: Callable[[], datetime]

    def on_event(self, event: Mapping[str, object]) -> OnEventAnswer:
        """Check the properties; calls nothing. Raises :class:`~lambdas.common.custom_resource.RequestError`."""
        request = ResourceRequest.of(event)
        if request.type is RequestType.DELETE:
            return accepted(request.physical_id or "", self.now())
        return accepted(f"{wish_of(request).workgroup}-setup", self.now())

    def is_complete(self, event: Mapping[str, object]) -> IsCompleteAnswer:
        """Write everything; complete when Redshift took it all.

        Raises :class:`~lambdas.warehouse_setup.warehouse.WarehouseError` with Redshift's reason for what it refused,
        and when it takes too long.
        """
        request = ResourceRequest.of(event)
        if request.type is RequestType.DELETE:
            return complete()
        wish = wish_of(request)
        warehouse = self.connect(wish)
        try:
            warehouse.limit(wish.rpu_hours_a_day)
            for sql in wish.created:
                warehouse.create(sql)
            for statements in wish.replaced:
                warehouse.replace(statements)
        except NotYetError as error:
            LOGGER.warning("asking again later", extra=fields(reason=str(error)))
            if request.waited(self.now()) > _PATIENCE:
                raise WarehouseError(f"{wish.workgroup} is not set up after {_PATIENCE} h:mm:ss: {error}") from error
            return incomplete()
        return complete(Views=str(len(wish.replaced)))


def wish_of(request: ResourceRequest) -> Wish:
    """The properties; raises :class:`~lambdas.common.custom_resource.RequestError`."""
    created, replaced = _json_list(request, "Created"), _json_list(request, "Replaced")
    if not all(isinstance(sql, str) for sql in created):
        raise RequestError("property Created: allowed is a JSON list of statements")
    if not all(isinstance(group, list) and group and all(isinstance(sql, str) for sql in group) for group in replaced):
        raise RequestError("property Replaced: allowed is a JSON list of lists of statements")
    return Wish(
        workgroup=request.text("Workgroup", r"[a-z0-9-]{3,64}", "allowed is a workgroup's name"),
        workgroup_arn=request.text("WorkgroupArn", r"arn:aws[a-z-]*:redshift-serverless:\S+", "allowed is its ARN"),
        database=request.text("Database", r"[a-z_][a-z0-9_]{0,126}", "allowed is a database's name"),
        secret_arn=request.text("SecretArn", r"arn:aws[a-z-]*:secretsmanager:\S+", "allowed is a secret's ARN"),
        rpu_hours_a_day=request.number("RpuHoursADay", 1, 100_000),
        created=tuple(str(sql) for sql in created),
        replaced=tuple(tuple(str(sql) for sql in group) for group in replaced if isinstance(group, list)),
    )


def _json_list(request: ResourceRequest, name: str) -> list[object]:
    text = request.text(name, r"(?s)\[.*\]", "allowed is a JSON list")
    try:
        found = json.loads(text)
    except ValueError as error:
        raise RequestError(f"property {name} is no JSON: {error}") from error
    return list(found)
