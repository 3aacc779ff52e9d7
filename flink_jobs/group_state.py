"""State of many subjects under one key of a Python function: read from the worker's memory, written once a bundle.

A Python function reads and writes state by asking the JVM, and it is the number of questions that costs, some
milliseconds of CPU each: with a key per user, one to read and two to write for each user and bundle. Under a key per
*group* of users, all of a group's writes of a bundle are one, and what is in a group need be asked once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, TypeVar

from pyflink.datastream.state import MapState

K = TypeVar("K")
V = TypeVar("V")


class GroupState(Generic[K, V]):
    """The current group's entries of a ``MapState``, with a copy of the groups that were used last in the worker.

    The state has every entry at the end of a bundle, so at every checkpoint; the copy is never ahead of it for longer.

    Args:
        state: keyed by group.
        most: entries to keep in the worker, of all groups together. The groups that were used last stay, the current
            one whatever its size; another is read from the state as a whole when its turn comes.
    """

    def __init__(self, state: MapState, most: int) -> None:
        self._state = state
        self._most = most
        self._groups: OrderedDict[int, dict[K, V]] = OrderedDict()
        self._current: dict[K, V] = {}
        self._held = 0

    def enter(self, group: int) -> None:
        """Makes the group the current one, which must be the function's current key."""
        entries = self._groups.get(group)
        if entries is None:
            entries = self._groups[group] = dict(self._state.items())
            self._held += len(entries)
        self._current = entries
        self._groups.move_to_end(group)
        while self._held > self._most and len(self._groups) > 1:
            _, dropped = self._groups.popitem(last=False)
            self._held -= len(dropped)

    def get(self, key: K) -> V | None:
        """The entry; to change it in place, put it again."""
        return self._current.get(key)

    def __iter__(self) -> Iterator[K]:
        """The current group's keys."""
        return iter(self._current)

    def put(self, key: K, value: V) -> None:
        """Adds or replaces an entry."""
        self._held += key not in self._current
        self._current[key] = value
        self._state.put(key, value)

    def remove(self, key: K) -> None:
        """Takes an entry out, if it is there."""
        if self._current.pop(key, None) is not None:
            self._held -= 1
            self._state.remove(key)
