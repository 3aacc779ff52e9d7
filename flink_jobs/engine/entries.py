"""One job's states in a worker: who is due when, what changed since the last checkpoint, and what waits on disk.

A state is bytes while nobody works on it: a fifth of the memory of its objects, written at a checkpoint as it is, and
what a rule that fails had before. Bytes are of :mod:`marshal`, whose version 4 every Python from 3.4 on reads.
"""

from __future__ import annotations

import marshal
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, fields
from heapq import heappop, heappush
from operator import attrgetter, index
from typing import Any, Protocol

from contracts.events import Event
from flink_jobs.rule import Rule

#: State; when to look at the key; when it is due, at that time or later. Both are ends of slots.
Entry = tuple[bytes, int, int]

_MARSHAL = 4
#: Entries that come back from disk at once because they are due.
_CHUNK = 1_000
#: Bytes of whole groups that a checkpoint writes, so that not all groups are written whole at once.
_WHOLE_BYTES = 16_000_000
_SQLITE_KIB = 16_384
#: Bytes of a state up to which it is one entry of the bound; a larger one is several.
_ENTRY_BYTES = 512
#: Milliseconds of event time after which a rule that failed on a state that is due is asked again.
_AGAIN = 3_600_000
#: Rows that a rule may have given before they are handed on.
_MOST_ROWS = 10_000
#: Beyond the end of time, which the watermark of an input that ends is (2**63 - 1).
_NEVER = 2**63


class StateError(Exception):
    """What was restored is not this code's; the message says what to do. Trying again does not help."""


class Store(Protocol):
    """The current group's part of Flink's state: PyFlink's ``MapState``."""

    def put(self, key: str, value: bytes) -> None:
        """Adds or replaces a value."""

    def remove(self, key: str) -> None:
        """Takes a value out that is there."""

    def items(self) -> Iterable[tuple[str, bytes]]:
        """All values by name."""


@dataclass
class Group:
    """Entries of a group: those that were touched lately, those that were not, and what a checkpoint writes of them.

    ``count`` is of all entries, on disk too. ``log`` and ``whole`` are bytes in Flink's state: of the changes since the
    group was written whole, and of that.
    """

    young: dict[Any, Entry] = field(default_factory=dict)
    old: dict[Any, Entry] = field(default_factory=dict)
    changed: set[Any] = field(default_factory=set)
    count: int = 0
    whole: int = 0
    log: int = 0
    logs: int = 0


#: Is told of a rule that raised: the rule, the key, the batch's events or, without a batch, the state and when it was
#: looked at; and the error.
Failures = Callable[[Rule[Any, Any], Any, Sequence[Event], Any, int, Exception], None]


def state_codec(kind: type[Any]) -> tuple[Callable[[Any], bytes], Callable[[bytes], Any]]:
    """Bytes of a state, and back: its fields' values in order, without their names."""
    names = [each.name for each in fields(kind)]
    read = attrgetter(*names)
    dumps, loads = marshal.dumps, marshal.loads
    if len(names) == 1:
        return lambda state: dumps(read(state), _MARSHAL), lambda data: kind(loads(data))
    return lambda state: dumps(read(state), _MARSHAL), lambda data: kind(*loads(data))


class Entries:
    """The states of one job.

    Args:
        rule: works on them.
        quantum: milliseconds; keys are looked at when event time passes a multiple of it.
        most: entries to keep in memory, of all groups; a state above half a kilobyte is several. Those that were not
            touched lately wait in a file without a name, in the folder for temporary files, and come back when they
            are touched or due.
    """

    def __init__(self, rule: Rule[Any, Any], quantum: int, most: int, failed: Failures) -> None:
        self.rule = rule
        self.rows: list[tuple[Any, ...]] = []
        self.groups: dict[int, Group] = {}
        self._quantum = quantum
        self._half = max(1, most // 2)
        #: Entries that are young, large ones several times.
        self._young = 0
        self._failed = failed
        self._dump, self._load = state_codec(rule.state)
        self._looks: dict[int, list[tuple[int, Any]]] = {}
        self._times: list[int] = []
        self._dated = 0
        self._disk = _Disk()
        self._wholes = 0
        self._last_written = -1
        self._layout = f"{rule.version}:{','.join(rule.key)}:{','.join(each.name for each in fields(rule.state))}"
        self._prefix = f"{rule.job.value} {self._layout} "

    def batch(self, group: int, batches: Iterable[tuple[Any, list[Event]]]) -> None:
        """Hands each key its events of a slot."""
        mine = self.groups[group]
        rows, quantum = self.rows, self._quantum
        on_batch, due, dump, load = self.rule.on_batch, self.rule.due, self._dump, self._load
        for key, events in batches:
            entry = mine.young.get(key)
            if entry is None:
                entry = self._taken(mine, group, key)
            before = len(rows)
            try:
                state = None if entry is None else load(entry[0])
                state = on_batch(key, state, events, rows.append)
                if state is None:
                    packed, time = None, 0
                else:
                    packed, time = dump(state), max(0, -(-index(due(state)) // quantum) * quantum)
            except Exception as error:  # noqa: BLE001 - whatever a rule raises is its events' reason
                del rows[before:]
                self._failed(self.rule, key, events, None, 0, error)
                continue
            if packed is None:
                if entry is not None:
                    self._forget(mine, group, key)
                continue
            mine.changed.add(key)
            if entry is None:
                mine.count += 1
                self._young += _size(packed)
                self._look_at(time, group, key)
                mine.young[key] = packed, time, time
                continue
            self._young += len(packed) // _ENTRY_BYTES - len(entry[0]) // _ENTRY_BYTES
            if time < entry[1]:
                self._look_at(time, group, key)
                mine.young[key] = packed, time, time
            else:
                mine.young[key] = packed, entry[1], time
        if self._young > self._half:
            self._age()

    def until(self, now: int) -> Iterator[None]:
        """Looks at the keys that are due before ``now``, epoch milliseconds; stops where there are many rows."""
        while self._disk.due <= now:
            for group, key, entry in self._disk.take_due(now, _CHUNK):
                mine = self.groups[group]
                if key not in mine.young and key not in mine.old:  # else memory has a newer one
                    self._put(mine, key, entry)
                    self._look_at(entry[1], group, key)
            yield from self._look(now)
            if self._young > self._half:
                self._age()
        yield from self._look(now)
        # Dates of keys that were forgotten before them are still there.
        if self._dated > 2 * sum(group.count for group in self.groups.values()) + _CHUNK:
            self._date_anew()

    def _look(self, now: int) -> Iterator[None]:
        rows, quantum, failed = self.rows, self._quantum, 0
        while self._times and self._times[0] <= now:
            time = heappop(self._times)
            looks = self._looks.pop(time)
            self._dated -= len(looks)
            for group, key in looks:
                mine = self.groups[group]
                entry = mine.young.get(key) or mine.old.get(key)
                if entry is None or entry[1] != time:
                    continue  # forgotten, or to be looked at at another time
                place = mine.young if key in mine.young else mine.old
                if entry[2] > time:  # events have come since: nothing to load, and nothing to write
                    place[key] = entry[0], entry[2], entry[2]
                    self._look_at(entry[2], group, key)
                    continue
                before = len(rows)
                if before + failed >= _MOST_ROWS:
                    yield
                    rows, before, failed = self.rows, len(self.rows), 0
                try:
                    state = self.rule.on_time(key, self._load(entry[0]), now, rows.append)
                    due = 0 if state is None else self._later(state, now)
                    packed = None if state is None else self._dump(state)
                except Exception as error:  # noqa: BLE001 - as above
                    del rows[before:]
                    self._failed(self.rule, key, (), self._before(entry), time, error)
                    # The key keeps its state, and a rule that has been mended by then is asked again.
                    due, packed = min(max(time + _AGAIN, now + 1), _NEVER), entry[0]
                    failed += 1
                if packed is None:
                    self._forget(mine, group, key)
                    continue
                mine.changed.add(key)
                if place is mine.young:
                    self._young += _size(packed) - _size(entry[0])
                look = -(-due // quantum) * quantum
                place[key] = packed, look, look
                self._look_at(look, group, key)

    def _before(self, entry: Entry) -> Any:
        try:
            return self._load(entry[0])
        except Exception:  # noqa: BLE001 - it is only told of
            return entry[0]

    def _later(self, state: Any, now: int) -> int:
        due = index(self.rule.due(state))
        if due <= now:
            raise ValueError(f"on_time at {now} gave a state that is due at {due}: give one that is due later, or None")
        return due

    def write(self, group: int, store: Store) -> None:
        """Writes what changed since the last checkpoint, or the whole group.

        The whole group where it holds no more than what changed, and now and then, so that a start reads little.
        """
        if group <= self._last_written:
            self._wholes = 0  # another checkpoint
        self._last_written = group
        mine = self.groups[group]
        if not mine.changed:
            return
        is_small = mine.count <= len(mine.changed)
        if is_small or (mine.log >= mine.whole and (self._wholes < _WHOLE_BYTES or mine.log >= 4 * mine.whole)):
            data = _packed(self._all(mine, group)) if mine.count else b""
            if data:
                store.put(self._prefix + "whole", data)
            elif mine.whole:
                store.remove(self._prefix + "whole")
            for number in range(mine.logs):
                store.remove(f"{self._prefix}{number}")
            self._wholes += 0 if is_small else len(data)
            mine.whole, mine.log, mine.logs = len(data), 0, 0
        else:
            data = _packed((key, self._find(mine, group, key)) for key in mine.changed)
            store.put(f"{self._prefix}{mine.logs}", data)
            mine.log += len(data)
            mine.logs += 1
        mine.changed.clear()

    def read(self, group: int, stored: dict[str, bytes]) -> None:
        """Takes over the group's entries from Flink's state, of which ``stored`` holds everything."""
        mine = self.groups[group] = Group()
        whole = stored.get(self._prefix + "whole", b"")
        mine.whole = len(whole)
        entries = dict(_unpacked(whole))
        while (change := stored.get(f"{self._prefix}{mine.logs}")) is not None:
            mine.log += len(change)
            mine.logs += 1
            entries.update(_unpacked(change))
        for key, entry in entries.items():
            if entry is not None:
                mine.count += 1
                self._put(mine, key, entry)
                self._look_at(entry[1], group, key)
            if self._young > self._half:
                self._age()

    def owns(self, name: str) -> bool:
        """Whether the name in Flink's state is this job's.

        Raises:
            StateError: it is of another version, or of other fields, of the rule's state.
        """
        job, layout, _ = name.split(" ")
        if job == self.rule.job.value and layout != self._layout:
            raise StateError(
                f"{job}: the state that is restored is {layout} (version:key:fields), the rule's is {self._layout}. "
                f"Start with the code that wrote it. Or take {job} out of jobs.enabled, start, stop, and put it in "
                "again: it then begins anew."
            )
        return job == self.rule.job.value

    def _put(self, mine: Group, key: Any, entry: Entry) -> None:
        mine.young[key] = entry
        self._young += _size(entry[0])

    def _forget(self, mine: Group, group: int, key: Any) -> None:
        entry = mine.young.pop(key, None)
        if entry is None:
            mine.old.pop(key, None)
        else:
            self._young -= _size(entry[0])
        mine.count -= 1
        mine.changed.add(key)
        if self._disk.used:
            self._disk.remove(group, key)

    def _taken(self, mine: Group, group: int, key: Any) -> Entry | None:
        """The entry of a key that was not touched lately, touched now."""
        entry = mine.old.pop(key, None)
        if entry is None and self._disk.used:
            entry = self._disk.find(group, key)
            if entry is not None:
                self._look_at(entry[1], group, key)
        if entry is not None:
            self._put(mine, key, entry)
        return entry

    def _find(self, mine: Group, group: int, key: Any) -> Entry | None:
        found = mine.young.get(key) or mine.old.get(key)
        return found if found is not None or not self._disk.used else self._disk.find(group, key)

    def _all(self, mine: Group, group: int) -> Iterator[tuple[Any, Entry]]:
        yield from mine.young.items()
        yield from mine.old.items()
        if self._disk.used:
            for key, entry in self._disk.group(group):
                if key not in mine.young and key not in mine.old:
                    yield key, entry

    def _look_at(self, time: int, group: int, key: Any) -> None:
        looks = self._looks.get(time)
        if looks is None:
            looks = self._looks[time] = []
            heappush(self._times, time)
        looks.append((group, key))
        self._dated += 1

    def _age(self) -> None:
        """What was not touched since the last time goes to disk; the calendar is of what stays."""
        for number, group in self.groups.items():
            if group.old:
                self._disk.put(number, group.old)
            group.young, group.old = {}, group.young
        self._young = 0
        self._date_anew()

    def _date_anew(self) -> None:
        self._looks, self._times, self._dated = {}, [], 0
        for number, group in self.groups.items():
            for entries in (group.young, group.old):
                for key, (_, look, _) in entries.items():
                    self._look_at(look, number, key)


def _size(packed: bytes) -> int:
    return 1 + len(packed) // _ENTRY_BYTES


def _packed(entries: Iterable[tuple[Any, Entry | None]]) -> bytes:
    return marshal.dumps(list(entries), _MARSHAL)


def _unpacked(data: bytes) -> list[tuple[Any, Entry | None]]:
    return marshal.loads(data) if data else []  # noqa: S302 - Flink's state is the application's own


def _due(stored: int | None) -> int:
    """SQLite's integers end where event time does: what is never due is NULL."""
    return _NEVER if stored is None else stored


def _entry(state: bytes, stored: int | None) -> Entry:
    due = _due(stored)
    return state, due, due


class _Disk:
    """Entries in a private temporary database of SQLite, which deletes it (https://sqlite.org/inmemorydb.html#temp_db).

    A library because what waits must be found by key, by group and by time; a cache: Flink's state has it all. An entry
    that came back to memory stays here, too: the one in memory counts.
    """

    def __init__(self) -> None:
        self.used = False
        self.due = _NEVER
        self._database: sqlite3.Connection | None = None

    def _open(self) -> sqlite3.Connection:
        if self._database is None:
            # PyFlink may call from another thread than the one that opens the function.
            self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
            self._database.executescript(
                f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -{_SQLITE_KIB};"
                "CREATE TABLE entries (part INTEGER, id, key BLOB, state BLOB, due INTEGER, PRIMARY KEY (part, id));"
                "CREATE INDEX by_due ON entries (due);"
            )
        return self._database

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(self._open().execute(query, values)) as cursor:
            return cursor.fetchall()

    @staticmethod
    def _id(key: Any) -> int | str:
        """What SQLite compares; equal keys may have different bytes."""
        return key if isinstance(key, int | str) else repr(key)

    def put(self, group: int, entries: dict[Any, Entry]) -> None:
        """Adds or replaces entries."""
        database = self._open()
        database.execute("BEGIN")
        database.executemany(
            "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)",
            (
                (group, self._id(key), marshal.dumps(key, _MARSHAL), state, due if due < _NEVER else None)
                for key, (state, _, due) in entries.items()
            ),
        )
        database.execute("COMMIT")
        self.used = True
        self.due = min(self.due, *(due for *_, due in entries.values()))

    def find(self, group: int, key: Any) -> Entry | None:
        """The key's entry."""
        rows = self._rows("SELECT state, due FROM entries WHERE part = ? AND id = ?", group, self._id(key))
        return _entry(*rows[0]) if rows else None

    def remove(self, group: int, key: Any) -> None:
        """Takes the key's entry out, if it is there."""
        self._rows("DELETE FROM entries WHERE part = ? AND id = ?", group, self._id(key))

    def group(self, group: int) -> Iterator[tuple[Any, Entry]]:
        """All of a group."""
        with closing(self._open().execute("SELECT key, state, due FROM entries WHERE part = ?", (group,))) as cursor:
            for key, state, due in cursor:
                yield marshal.loads(key), _entry(state, due)  # noqa: S302 - our own bytes

    def take_due(self, now: int, most: int) -> list[tuple[int, Any, Entry]]:
        """Takes the first entries out that are due, and says in ``due`` when the next one is."""
        rows = self._rows(
            "SELECT rowid, part, key, state, due FROM entries WHERE due <= ? ORDER BY due LIMIT ?", now, most
        )
        database = self._open()
        database.execute("BEGIN")
        database.executemany("DELETE FROM entries WHERE rowid = ?", [(row[0],) for row in rows])
        database.execute("COMMIT")
        ((first,),) = self._rows("SELECT min(due) FROM entries")
        self.due = _due(first)
        self.used = first is not None or bool(self._rows("SELECT 1 FROM entries LIMIT 1"))
        return [(part, marshal.loads(key), _entry(*entry)) for _, part, key, *entry in rows]  # noqa: S302 - as above
