"""How long results stay in the index: a policy of Index State Management (ISM).

ISM deletes whole indices, by the age of the index. So the policy is for the indices of a type that are made anew every
week (``<prefix>-<type>-...``), and never for a ``<prefix>-<type>`` of an older version of this kit, which is written
for ever. An index is made when its first result comes and takes results for a week more, so a week is added to the
days: nothing goes before its time. The types are named one by one: ``<prefix>-*-*`` would match the indices of an
environment whose prefix is longer by a word.
"""

from __future__ import annotations

from collections.abc import Sequence

#: How long an index takes results after it was made.
INDEX_DAYS = 7
# Above policies that a domain may come with: one index has one policy.
_PRIORITY = 200


def policy_id(prefix: str) -> str:
    """Name of the policy."""
    return f"{prefix}-retention"


def patterns(index_names: Sequence[str]) -> list[str]:
    """What the policy is for: the indices that follow one another under each of the names."""
    return [f"{name}-*" for name in index_names]


def policy(index_names: Sequence[str], days: int) -> dict[str, object]:
    """The policy: an index is deleted a week after its first result is ``days`` old, when its last one is."""
    age = {"min_index_age": f"{days + INDEX_DAYS}d"}
    return {
        "policy": {
            "description": f"deletes the indices of results after {days} days",
            "default_state": "kept",
            "states": [
                {
                    "name": "kept",
                    "actions": [],
                    "transitions": [{"state_name": "deleted", "conditions": age}],
                },
                {"name": "deleted", "actions": [{"delete": {}}], "transitions": []},
            ],
            "ism_template": [{"index_patterns": patterns(index_names), "priority": _PRIORITY}],
        }
    }
