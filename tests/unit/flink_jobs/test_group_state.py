"""GroupState against a plain dict per group, with room for few entries and for many."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_jobs.group_state import GroupState


class Backend:
    """A MapState that follows the current key, and counts how often a whole map is read."""

    def __init__(self) -> None:
        self.maps: dict[int, dict[str, int]] = {}
        self.key = 0
        self.reads = 0

    def items(self) -> list[tuple[str, int]]:
        self.reads += 1
        return list(self.maps.get(self.key, {}).items())

    def put(self, key: str, value: int) -> None:
        self.maps.setdefault(self.key, {})[key] = value

    def remove(self, key: str) -> None:
        del self.maps[self.key][key]


STEPS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abcdef"), st.one_of(st.none(), st.integers(0, 9))))


@pytest.mark.parametrize("most", [0, 3, 1000])
@given(STEPS)
def test_it_is_a_dict_per_group_and_the_state_holds_every_entry(most: int, steps: list[Any]) -> None:
    backend = Backend()
    state: GroupState[str, int] = GroupState(backend, most)
    model: dict[int, dict[str, int]] = {}
    for group, key, value in steps:
        backend.key = group
        state.enter(group)
        assert state.get(key) == model.get(group, {}).get(key)
        if value is None:
            state.remove(key)
            model.get(group, {}).pop(key, None)
        else:
            state.put(key, value)
            model.setdefault(group, {})[key] = value
    held = {group: entries for group, entries in backend.maps.items() if entries}
    assert held == {group: entries for group, entries in model.items() if entries}


def test_a_group_is_read_once_while_there_is_room() -> None:
    backend = Backend()
    state: GroupState[str, int] = GroupState(backend, 4)
    for number in range(10):
        backend.key = number % 2
        state.enter(number % 2)
        state.put("ab"[number // 2 % 2], number)
    assert backend.reads == 2


def test_the_groups_that_were_used_last_stay() -> None:
    backend = Backend()
    state: GroupState[str, int] = GroupState(backend, 2)
    for group in (0, 1, 0, 2, 0, 1):
        backend.key = group
        state.enter(group)
        state.put("a", group)
    assert backend.reads == 4  # the group 1 went when 2 came, never 0
