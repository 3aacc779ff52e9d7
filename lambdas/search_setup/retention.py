"""How long results stay in the index: a policy of Index State Management (ISM).

ISM deletes whole indices, by the age of the index. So the policy is for the indices of a type that are made anew from
time to time (``<prefix>-<type>-...``, by date or by rollover), and never for ``<prefix>-<type>`` itself, which is
written for ever: deleting that would lose what came a minute ago. While the indexer writes only the latter, the policy
is there and deletes nothing. The types are named one by one: ``<prefix>-*-*`` would match the indices of an
environment whose prefix is longer by a word.
"""

from __future__ import annotations

from collections.abc import Sequence

# Above policies that a domain may come with: one index has one policy.
_PRIORITY = 200


def policy_id(prefix: str) -> str:
    """Name of the policy."""
    return f"{prefix}-retention"


def patterns(index_names: Sequence[str]) -> list[str]:
    """What the policy is for: the indices that follow one another under each of the names."""
    return [f"{name}-*" for name in index_names]


def policy(index_names: Sequence[str], days: int) -> dict[str, object]:
    """The policy: an index is deleted when it is ``days`` old, so that nothing in it gets older than that."""
    return {
        "policy": {
            "description": f"deletes the indices of results after {days} days",
            "default_state": "kept",
            "states": [
                {
                    "name": "kept",
                    "actions": [],
                    "transitions": [{"state_name": "deleted", "conditions": {"min_index_age": f"{days}d"}}],
                },
                {"name": "deleted", "actions": [{"delete": {}}], "transitions": []},
            ],
            "ism_template": [{"index_patterns": patterns(index_names), "priority": _PRIORITY}],
        }
    }
