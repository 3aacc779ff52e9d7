"""The event types that CloudWatch counts by name: the largest, as many as the settings allow; the others are `other`.

Producers make up event types, and each is a series to pay for. One item of the functions' table keeps the named types
and the size of each: the events of its largest window on the last day that it was seen. A new type takes a free place.
Where none is free it takes the place of the smallest type, if it is more than twice as large; a type that nobody has
seen for two days is as small as can be. On one day at most as many types change as there are places, so that a month
pays for the places and a twenty-fourth more. Days are those of the results' own time: the same results in the same
order have the same names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.common.patience import Patience

#: Key of the item in the table of processed results, whose other keys begin with `result#`.
ITEM = "event-types"
_UNSEEN = timedelta(days=2)
_FACTOR = 2
_FIRST_DAY = date.min


class RegistryError(Exception):
    """The table did not answer, or others wrote to the item for as long as there was time."""


@dataclass(frozen=True)
class Seen:
    """A type's largest window on ``day``, in events."""

    size: int
    day: date


@dataclass(frozen=True)
class Named:
    """The types by their label, the last day of any result, and how many types have changed on it."""

    types: Mapping[str, Seen]
    day: date = _FIRST_DAY
    changes: int = 0

    def after(self, sightings: Mapping[str, Seen], places: int) -> Named:
        """The types after ``sightings``, the largest first; at most ``places`` of them."""
        types = dict(self.types)
        day = max([self.day, *(seen.day for seen in sightings.values())])
        changes = self.changes if day == self.day else 0

        def strength(label: str) -> tuple[int, str]:
            seen = types[label]
            return (seen.size if day - seen.day < _UNSEEN else 0, label)

        while len(types) > places:  # the setting was lowered
            del types[min(types, key=strength)]
        for label, seen in sorted(sightings.items(), key=lambda item: (-item[1].size, item[0])):
            known = types.get(label)
            if known is not None:
                if seen.day > known.day or (seen.day == known.day and seen.size >= _FACTOR * known.size):
                    types[label] = seen
            elif len(types) < places:
                types[label] = seen
            else:
                weakest = min(types, key=strength)
                if changes < places and seen.size > _FACTOR * strength(weakest)[0]:
                    del types[weakest]
                    types[label] = seen
                    changes += 1
        return Named(types, day, changes)


class Registry(Protocol):
    """Where the named types are kept."""

    def read(self) -> tuple[Named, int]:
        """The types and the version of what was read, 0 where there is nothing yet; raises :class:`RegistryError`."""
        ...

    def write(self, named: Named, version: int) -> bool:
        """Replace what has ``version``; False where somebody else did. Raises :class:`RegistryError`."""
        ...


@dataclass(frozen=True)
class EventTypes:
    """Names the event types of a batch; ``places`` are named at most."""

    registry: Registry
    places: int

    def named(self, sightings: Mapping[str, Seen], patience: Patience) -> frozenset[str]:
        """Labels that are counted by name now. Raises :class:`RegistryError`."""
        tries = 0
        while patience.lasts():
            before, version = self.registry.read()
            after = before.after(sightings, self.places)
            if after == before or self.registry.write(after, version):
                return frozenset(after.types)
            if not patience.next(tries):
                break
            tries += 1
        raise RegistryError("no time left to name event types")


def sightings_of(sizes: Iterable[tuple[str, int, date]]) -> dict[str, Seen]:
    """One sighting a label: its largest window on its last day."""
    found: dict[str, Seen] = {}
    for label, size, day in sizes:
        known = found.get(label, Seen(0, _FIRST_DAY))
        if day > known.day:
            found[label] = Seen(size, day)
        elif day == known.day:
            found[label] = replace(known, size=max(size, known.size))
    return found


@dataclass(frozen=True)
class TableRegistry:
    """The item in a DynamoDB table with the key ``id``; ``client`` is boto3's."""

    client: Any
    table: str

    def read(self) -> tuple[Named, int]:
        """See :class:`Registry`."""
        try:
            item = self.client.get_item(TableName=self.table, Key={"id": {"S": ITEM}}, ConsistentRead=True).get("Item")
        except (ClientError, BotoCoreError) as error:
            raise RegistryError(f"the table of event types did not answer: {type(error).__name__}") from error
        if item is None:
            return Named({}), 0
        state = json.loads(item["state"]["S"])
        types = {label: Seen(size, date.fromisoformat(day)) for label, (size, day) in state["types"].items()}
        return Named(types, date.fromisoformat(state["day"]), state["changes"]), int(item["version"]["N"])

    def write(self, named: Named, version: int) -> bool:
        """See :class:`Registry`."""
        types = {label: (seen.size, seen.day.isoformat()) for label, seen in named.types.items()}
        state = json.dumps({"day": named.day.isoformat(), "changes": named.changes, "types": types})
        condition: dict[str, object] = {"ConditionExpression": "attribute_not_exists(id)"}
        if version:
            condition = {
                "ConditionExpression": "version = :version",
                "ExpressionAttributeValues": {":version": {"N": str(version)}},
            }
        try:
            self.client.put_item(
                TableName=self.table,
                Item={"id": {"S": ITEM}, "version": {"N": str(version + 1)}, "state": {"S": state}},
                **condition,
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return False
        except (ClientError, BotoCoreError) as error:
            raise RegistryError(f"the table of event types did not answer: {type(error).__name__}") from error
        return True
