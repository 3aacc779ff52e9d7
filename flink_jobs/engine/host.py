"""Runs a lane's rules in one PyFlink function; the rules know none of it.

The JVM (flink_jobs/java/.../slots/Slots.java) says what to do, a message at a time: take the events of a slot, write a
group's state ahead of a checkpoint's barrier, read it at a start. In between nobody asks the JVM for anything, and no
checkpoint can miss a timer, because there is none: who is due when follows from the states.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from struct import Struct
from typing import Any, NamedTuple

from contracts.events import Event
from contracts.results import SCHEMAS
from flink_jobs.engine import columns
from flink_jobs.engine.entries import Entries, Store
from flink_jobs.engine.lanes import Lane
from flink_jobs.rule import Rule, result_columns

SLOT, WRITE, READ = range(3)
_HEAD, _PART, _INT = Struct("<bqqi"), Struct("<ii"), Struct("<i")
_FAILURES = -1
#: Job, digest of the key, place of the event, detail, payload, event_time; Unpack.FAILURE says the same.
_FAILURE = "sssssq"
_LOG_SECONDS = 60.0
#: Characters of a rejection's payload: a state or a row may be of any size.
_MOST_PAYLOAD = 30_000
_log = logging.getLogger("flink_jobs.rules")

#: Batches by key; may be gone through more than once.
ByKey = ItemsView[Any, list[Event]]


class Given(NamedTuple):
    """Rows of a rule, and the same as columns."""

    rule: Rule[Any, Any]
    rows: list[tuple[Any, ...]]
    encoded: bytes


class Host:
    """The rules of a lane at work, without Flink.

    Args:
        most: entries that each job keeps in memory.
    """

    def __init__(self, lane: Lane, most: int) -> None:
        self._jobs = [Entries(rule, lane.slot, most, self._failed) for rule in lane.rules]
        self._parts = [_parted(rule, shared=len(lane.rules) > 1) for rule in lane.rules]
        self._kinds = ["".join(result_columns(SCHEMAS[rule.job]).values()) for rule in lane.rules]
        self._required = [_required(rule) for rule in lane.rules]
        key = Event._fields.index(lane.key)
        self._key = key
        self._time = itemgetter(Event._fields.index("event_time"))
        self._failures: list[tuple[Any, ...]] = []
        self._logged: dict[str, float] = {}
        self._unlogged: Counter[str] = Counter()

    def take(self, message: bytes, group: int, store: Store) -> Iterator[bytes]:
        """Does what the JVM's message says; gives what comes of it, in portions."""
        kind, start, end, parts = _HEAD.unpack_from(message)
        if kind == WRITE:
            self.write(group, store)
        elif kind == READ:
            self.read(group, store)
        else:
            for _ in self.hand_over(start, end, _unpacked(memoryview(message), parts)):
                yield from self._blocks()
        yield from self._blocks()

    def _blocks(self) -> Iterator[bytes]:
        """What waits, as Unpack.java reads it."""
        for number, given in enumerate(self.given()):
            if given.rows:
                yield _INT.pack(number) + given.encoded
        if self._failures:
            yield _INT.pack(_FAILURES) + columns.results(self.failures(), _FAILURE)

    def read(self, group: int, store: Store) -> None:
        """Takes over a group's states from Flink's. Those of jobs that have left go: such a job would begin anew.

        Raises:
            StateError: a state is of another version of its rule.
        """
        stored = dict(store.items())
        for name in stored:
            if not sum(job.owns(name) for job in self._jobs):  # each is asked: a wrong version must not be passed over
                store.remove(name)
        for job in self._jobs:
            job.read(group, stored)

    def write(self, group: int, store: Store) -> None:
        """Writes what changed in a group since the last time into Flink's state."""
        for job in self._jobs:
            job.write(group, store)

    def hand_over(self, start: int, end: int, groups: dict[int, list[Event]]) -> Iterator[None]:
        """Hands the jobs all events of [start, end), by group and in any order; no event before ``end`` follows.

        Stops where many results wait to be taken (:meth:`given`); go on until it ends.
        """
        if groups:
            for job in self._jobs:
                yield from job.until(start)
        for group, events in groups.items():
            events.sort(key=self._time)
            by_key: defaultdict[Any, list[Event]] = defaultdict(list)
            for event in events:
                by_key[event[self._key]].append(event)
            for job, parted in zip(self._jobs, self._parts, strict=True):
                job.batch(group, by_key.items() if parted is None else parted(by_key.items()))
        for job in self._jobs:
            yield from job.until(end)

    def given(self) -> list[Given]:
        """What each rule has given since the last time, without rows that are not what the contract says."""
        found = []
        for job, kinds, required in zip(self._jobs, self._kinds, self._required, strict=True):
            rows, encoded = job.rows, b""
            if rows:
                job.rows = []
                try:
                    encoded = columns.results(rows, kinds, required)
                except Exception:  # noqa: BLE001 - one is wrong: which?
                    rows = self._right_rows(job, rows, kinds, required)
                    encoded = columns.results(rows, kinds) if rows else b""
            found.append(Given(job.rule, rows, encoded))
        return found

    def failures(self) -> list[tuple[Any, ...]]:
        """What rules have failed on since the last time."""
        failures, self._failures = self._failures, []
        return failures

    def _right_rows(
        self, job: Entries, rows: list[tuple[Any, ...]], kinds: str, required: Mapping[int, str]
    ) -> list[tuple[Any, ...]]:
        right = []
        for row in rows:
            try:
                columns.results([row], kinds, required)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with it
                self._fail(job.rule, row, 0, _time_of(row), _text(row), error)
            else:
                right.append(row)
        return right

    def _failed(
        self, rule: Rule[Any, Any], key: Any, events: Sequence[Event], state: Any, at: int, error: Exception
    ) -> None:
        """The events of a batch on which a rule raised; without events, the state that was due, looked at ``at``."""
        if not events:
            self._fail(rule, key, 0, at, _text(state), error)
        seen: Counter[int] = Counter()
        for event in events:
            payload = {name: value for name, value in event._asdict().items() if value is not None}
            place = seen[event.event_time]
            seen[event.event_time] += 1
            self._fail(rule, key, place, event.event_time, json.dumps(payload, ensure_ascii=False), error)

    def _fail(self, rule: Rule[Any, Any], key: Any, place: int, at: int, payload: str, error: Exception) -> None:
        job = rule.job.value
        digest = hashlib.sha256(_text(key).encode("utf-8", "replace")).hexdigest()[:32]
        detail = f"{job} raised {type(error).__name__}: {_text(error, str)}"[:1_000]
        self._failures.append((job, digest, f"{at}-{place}", _clean(detail), _clean(payload[:_MOST_PAYLOAD]), at))
        self._unlogged[job] += 1
        now = time.monotonic()
        if now - self._logged.get(job, now - _LOG_SECONDS) >= _LOG_SECONDS:
            self._logged[job] = now
            failed = self._unlogged.pop(job)
            _log.error("%s: the rule failed on %d events; the last time:\n%s", job, failed, _traceback(error))


def _required(rule: Rule[Any, Any]) -> dict[int, str]:
    """Columns that are never null, by number."""
    schema = SCHEMAS[rule.job]
    nullable = {column.name for column in schema.columns if column.nullable} - {*schema.key, schema.start, schema.end}
    return {number: name for number, name in enumerate(result_columns(schema)) if name not in nullable}


def _text(value: Any, of: Callable[[Any], str] = repr) -> str:
    """A value of a rule in words, whatever it is."""
    try:
        return of(value)
    except Exception as error:  # noqa: BLE001 - it is only told of
        return f"a {type(value).__name__} that cannot be written ({type(error).__name__})"


def _traceback(error: BaseException) -> str:
    """Without the errors' messages, which may name a person; the rejections have them."""
    cause = error.__cause__ or error.__context__
    before = f"{_traceback(cause)}\n" if cause else ""
    return f"{before}Traceback:\n{''.join(traceback.format_tb(error.__traceback__))}{type(error).__name__}"


def _clean(text: str) -> str:
    """Half a surrogate pair has no UTF-8."""
    return text.encode("utf-8", "replace").decode()


def _time_of(row: Any) -> int:
    """The event_time of a row that may be anything; 0 without one."""
    time = row[0] if isinstance(row, tuple) and row else 0
    return time if isinstance(time, int) and 0 <= time < 2**63 else 0


def _unpacked(view: memoryview, parts: int) -> dict[int, list[Event]]:
    groups: dict[int, list[Event]] = {}
    at = _HEAD.size
    for _ in range(parts):
        group, length = _PART.unpack_from(view, at)
        at += _PART.size + length
        groups.setdefault(group, []).extend(columns.events(view[at - length : at]))
    return groups


def _parted(rule: Rule[Any, Any], *, shared: bool) -> Callable[[ByKey], Iterable[tuple[Any, list[Event]]]] | None:
    """From batches of the lane's key to those that the rule reads; None when they are the same."""
    wanted = _wanted(rule) if shared else None
    rest = [Event._fields.index(name) for name in rule.key[1:]]
    if wanted is None and not rest:
        return None
    rest_of = itemgetter(*rest) if len(rest) > 1 else lambda event: (event[rest[0]],)

    def parted(by_key: ByKey) -> Iterator[tuple[Any, list[Event]]]:
        for key, events in by_key:
            read = events if wanted is None else wanted(events)
            if not rest:
                if read:
                    yield key, read
                continue
            parts: defaultdict[tuple[Any, ...], list[Event]] = defaultdict(list)
            for event in read:
                parts[rest_of(event)].append(event)
            for part, theirs in parts.items():
                if None not in part:
                    yield (key, *part), theirs

    return parted


def _wanted(rule: Rule[Any, Any]) -> Callable[[list[Event]], list[Event]] | None:
    types = frozenset(rule.event_types)
    needs = tuple(Event._fields.index(name) for name in rule.needs)
    if not types and not needs:
        return None
    if len(needs) == 1 and not types:
        (only,) = needs
        return lambda events: [event for event in events if event[only] is not None]
    return lambda events: [
        event
        for event in events
        if (not types or event.event_type in types) and all(event[field] is not None for field in needs)
    ]
