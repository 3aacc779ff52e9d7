"""What the functions may do in OpenSearch: a role each with just that, and who has it.

A domain with fine-grained access control answers 403 to every request of a role that none of its own roles is mapped
to, whatever IAM allows.
"""

from __future__ import annotations

from collections.abc import Mapping


def role_name(prefix: str) -> str:
    """Name of the indexer's role in OpenSearch."""
    return f"{prefix}-indexer"


def role(prefix: str) -> dict[str, object]:
    """The role: bulk requests that index into ``<prefix>-*`` and make such indices; no reading, no deleting.

    A bulk request is judged as a whole, by a cluster permission, and each of its actions by the index that it names.
    ``create_index`` is OpenSearch's own action group for what a first document of an index needs.
    """
    return {
        "cluster_permissions": ["indices:data/write/bulk"],
        "index_permissions": [
            {
                "index_patterns": [f"{prefix}-*"],
                "allowed_actions": ["create_index", "indices:data/write/bulk*", "indices:data/write/index"],
            }
        ],
    }


def forget_role_name(prefix: str) -> str:
    """Name in OpenSearch of the role of the function that forgets a person."""
    return f"{prefix}-forget"


def forget_role(prefix: str) -> dict[str, object]:
    """The role: deleting by query in ``<prefix>-*``, which searches, scrolls, deletes in bulk and refreshes."""
    return {
        "cluster_permissions": ["indices:data/read/scroll*", "indices:data/write/bulk"],
        "index_permissions": [
            {
                "index_patterns": [f"{prefix}-*"],
                "allowed_actions": [
                    "indices:data/read/search",
                    "indices:data/write/bulk*",
                    "indices:data/write/delete*",
                    "indices:admin/refresh*",
                ],
            }
        ],
    }


def mapping(role_arn: str) -> Mapping[str, object]:
    """The mapping: the function's IAM role, which OpenSearch Service hands on as a backend role, and nobody else."""
    return {"backend_roles": [role_arn], "hosts": [], "users": []}
