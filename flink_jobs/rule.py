"""A stateful job in plain Python: what the engine gives it, and what it gives back. There is no Flink in here.

A rule sees complete, ordered input: all events of a key, in order of time, when no earlier one can come any more. So it
needs no timer and no watermark, and it is tested with lists (:mod:`flink_jobs.testing`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import namedtuple
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from contracts.columns import ColumnType
from contracts.entry import Entry
from contracts.events import Event
from contracts.results import NEEDS_FROM, SCHEMAS, ResultType

K = TypeVar("K")
S = TypeVar("S")

#: Gives out a result, made by :func:`result_of`.
Emit = Callable[[tuple[Any, ...]], None]


class Rule(ABC, Generic[K, S]):
    """The rule of one stateful job.

    Attributes:
        job: whose results it gives.
        key: the event's fields, one or more, by whose values events and state are kept apart. ``K`` is the value of one
            field, or a tuple of several. Events that lack one of them are skipped.
        fields: the other fields that it reads; of an :class:`Event` it sees these, the key and ``event_time``.
        state: a dataclass with slots, of numbers, texts, None, lists, dicts and tuples; ``S``.
        version: of the state, with the names of its fields. Raise it when a field gets another meaning or type.
        event_types: reads only events of these types; all when empty.
        needs: reads only events that have these fields.
        slot: milliseconds. 0: the job shares the slots of its key, up to a minute and shorter where events are many.
            Else it has slots of its own, of exactly this length, at most a minute, and a batch is all of a slot.
    """

    job: ClassVar[ResultType]
    key: ClassVar[tuple[str, ...]]
    fields: ClassVar[tuple[str, ...]] = ()
    state: ClassVar[type[Any]]
    version: ClassVar[int] = 1
    event_types: tuple[str, ...] = ()
    needs: ClassVar[tuple[str, ...]] = ()
    slot: int = 0

    @abstractmethod
    def on_batch(self, key: K, state: S | None, events: Sequence[Event], emit: Emit) -> S | None:
        """Takes the events of a key in a slot, at least one, by time; those of one time are in no order.

        Args:
            state: what the last call gave, None at the first. It may be due already: ``on_time`` is called at ends of
                slots only.

        Returns:
            the new state, which may be the old one, changed; None to forget the key. When it raises, the key keeps its
            state and the events become rejections (``rule_failed``).
        """

    @abstractmethod
    def due(self, state: S) -> int:
        """From which event time on (epoch milliseconds) ``on_time`` is to be called, if no batch comes before."""

    @abstractmethod
    def on_time(self, key: K, state: S, now: int, emit: Emit) -> S | None:
        """The state is due: every event before ``now``, epoch milliseconds, has been given. Returns the new state.

        It must then be due later than ``now``, or None. At the end of a backfill's input ``now`` is 2**63 - 1. When it
        raises, the state becomes a rejection and is kept, and the call comes again an hour later.
        """


#: Letter of a column's type in the engine (flink_jobs/java/.../slots/Lane.java).
KINDS = {
    ColumnType.TIMESTAMP: "q",
    ColumnType.LONG: "q",
    ColumnType.DOUBLE: "d",
    ColumnType.DECIMAL: "m",
    ColumnType.STRING: "s",
    ColumnType.BOOLEAN: "b",
    ColumnType.STRINGS: "a",
}


def result_columns(schema: Entry) -> dict[str, str]:
    """What a rule gives of a result, in order: name and kind of each column.

    The contract's columns; before them ``event_time``, when the result became true, and whatever the key names beside
    the columns, of the event; after them ``needs_from``. Times are epoch milliseconds, decimals whole millionths.
    """
    columns = {column.name: KINDS[column.type] for column in schema.columns}
    beside = {name: "s" for name in schema.key if name not in columns}
    return {"event_time": "q", **beside, **columns, NEEDS_FROM: "q"}


def result_of(job: ResultType) -> Callable[..., tuple[Any, ...]]:
    """Makes a result from its columns by name; a TypeError for one that is missing or unknown."""
    made: Callable[..., tuple[Any, ...]] = namedtuple(f"{job.value}_result", [*result_columns(SCHEMAS[job])])  # type: ignore[misc]
    return made
