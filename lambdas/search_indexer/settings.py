"""Settings of the search indexer, from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lambdas.common.settings import endpoint, matching, region, required, seconds

ENDPOINT_VARIABLE = "OPENSEARCH_ENDPOINT"
PREFIX_VARIABLE = "INDEX_PREFIX"
TIMEOUT_VARIABLE = "OPENSEARCH_TIMEOUT_SECONDS"

DEFAULT_PREFIX = "realtime-analytics"
_DEFAULT_TIMEOUT = 10.0


@dataclass(frozen=True)
class Settings:
    """Where documents go.

    ``endpoint`` is ``https://host[:port]`` (``http://`` to a loopback host only), ``region`` the one that
    requests are signed for, ``timeout`` the longest wait in seconds for a connection and for an answer.
    """

    endpoint: str
    prefix: str
    region: str
    timeout: float

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Settings of the process; raises :class:`~lambdas.common.errors.SettingError`."""
        url = required(env, ENDPOINT_VARIABLE, "the URL of the OpenSearch domain, https://host[:port]")
        return cls(
            endpoint=endpoint(ENDPOINT_VARIABLE, url),
            prefix=index_prefix(env.get(PREFIX_VARIABLE) or DEFAULT_PREFIX),
            region=region(env),
            timeout=seconds(env, TIMEOUT_VARIABLE, default=_DEFAULT_TIMEOUT, low=1, high=60),
        )


def index_prefix(value: str) -> str:
    """``value`` when it can begin the name of an index."""
    return matching(
        PREFIX_VARIABLE,
        value,
        r"[a-z0-9][a-z0-9_-]{0,99}",
        "allowed are 1 to 100 lower-case letters, digits, - and _, beginning with a letter or digit",
    )


def index_name(prefix: str, result_type: str) -> str:
    """Name of the index that holds the results of one type."""
    return f"{prefix}-{result_type}"
