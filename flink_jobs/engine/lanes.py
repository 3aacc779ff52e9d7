"""Which jobs share an exchange and a call: those of one key and one pace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from contracts.events import Event
from flink_jobs.event_table import TYPES
from flink_jobs.rule import KINDS, Rule

#: Longest slot of any job, and how exactly jobs without a slot of their own are on time, in milliseconds of event time.
LONGEST_SLOT = 60_000

#: Kinds of the event's fields, as the engine hands them over; see flink_jobs/java/.../slots/Lane.java. The references
#: differ from event to event, so they have no dictionary.
EVENT_KINDS = {name: KINDS[kind] for name, kind in TYPES.items()} | {"event_ref": "t"}
#: Texts and whole numbers are keys; a number with a fraction is none.
_KEYS = "qs"


class RuleError(Exception):
    """A rule declares what the engine cannot do; the message says what to write. Trying again does not help."""


@dataclass(frozen=True)
class Lane:
    """Jobs that share a key and a pace. ``name`` is part of the operators' ids, so of the state's layout."""

    name: str
    rules: tuple[Rule[Any, Any], ...]

    @property
    def key(self) -> str:
        """The field by which events are spread."""
        return self.rules[0].key[0]

    @property
    def slot(self) -> int:
        """Milliseconds of a slot, at most."""
        return self.rules[0].slot or LONGEST_SLOT

    @property
    def shrinks(self) -> bool:
        """Whether slots may be shorter."""
        return not self.rules[0].slot

    @property
    def fields(self) -> tuple[str, ...]:
        """What is handed over of an event."""
        read = {"event_time", *(name for rule in self.rules for name in (*rule.key, *rule.fields, *rule.needs))}
        if any(rule.event_types for rule in self.rules):
            read.add("event_type")
        return tuple(name for name in Event._fields if name in read)

    @property
    def event_types(self) -> tuple[str, ...]:
        """Types that any job reads; all when empty."""
        if not all(rule.event_types for rule in self.rules):
            return ()
        return tuple(sorted({each for rule in self.rules for each in rule.event_types}))

    @property
    def needs(self) -> tuple[str, ...]:
        """Fields without which no job reads an event."""
        common = set.intersection(*({*rule.needs, *rule.key[1:]} for rule in self.rules))
        return tuple(name for name in Event._fields if name in common)


def lanes(rules: Iterable[Rule[Any, Any]]) -> list[Lane]:
    """The lanes of the rules: one for each rule with slots of its own, one for each first field of the others' keys.

    Raises:
        RuleError: a rule names a field that events have not, or one that is no key.
    """
    found: dict[str, list[Rule[Any, Any]]] = {}
    for rule in rules:
        _check(rule)
        found.setdefault(rule.job.value if rule.slot else rule.key[0], []).append(rule)
    return [Lane(name, tuple(members)) for name, members in found.items()]


def _check(rule: Rule[Any, Any]) -> None:
    job = rule.job.value
    for name in (*rule.key, *rule.fields, *rule.needs):
        if name not in Event._fields:
            raise RuleError(f"{job}: events have no field {name}. Name one of {', '.join(Event._fields)}.")
    for name in rule.key:
        if EVENT_KINDS[name] not in _KEYS:
            raise RuleError(f"{job}: key {name} is neither a text nor a whole number. Name a field that is.")
    # The events of a slot are in memory together.
    if not 0 <= rule.slot <= LONGEST_SLOT:
        raise RuleError(f"{job}: slot must be 0 to {LONGEST_SLOT:,} milliseconds, got {rule.slot:,}.")
