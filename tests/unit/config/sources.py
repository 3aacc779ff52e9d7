"""Settings of an environment for each source that there is."""

from __future__ import annotations

from typing import Any

CLUSTER = "arn:aws:kafka:us-east-1:123456789012:cluster/clicks/01234567-89ab-cdef-0123-456789abcdef-3"
KEY = "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
_ZONES = ["us-east-1a", "us-east-1b", "us-east-1c"]
_EXISTING = {
    "vpc_id": "vpc-0123456789abcdef0",
    "cidr": "10.99.0.0/16",
    "subnet_ids": [f"subnet-0123456789abcdef{number}" for number in range(3)],
}

#: By what a test calls them: the source's own settings.
SOURCES: dict[str, dict[str, Any]] = {
    "kinesis": {},
    "kinesis existing": {
        "streams": {
            "input": {
                "existing_arn": "arn:aws:kinesis:us-east-1:123456789012:stream/clicks",
                "existing_key_arn": KEY,
            }
        }
    },
    "msk": {"source": {"kind": "msk"}},
    "msk existing": {
        "source": {
            "kind": "msk",
            "msk": {"cluster_arn": CLUSTER, "security_group_id": "sg-0123456789abcdef0", "topic": "clicks"},
        },
        "network": {"zones": _ZONES, "existing": _EXISTING},
    },
    "s3": {
        "source": {"kind": "s3", "s3": {"bucket": "clicks-of-the-shop", "prefix": "web/events/", "key_arn": KEY}},
    },
}


def settings(source: str, /, **changes: Any) -> dict[str, Any]:
    """Content of a settings file with this source; ``changes`` replace its tables."""
    return {"name": "test", "network": {"zones": _ZONES}, **SOURCES[source], **changes}
