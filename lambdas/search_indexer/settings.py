"""Settings of the search indexer, from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lambdas.common.settings import endpoint, matching, region, required, seconds
from lambdas.common.sink_settings import metric_namespace

ENDPOINT_VARIABLE = "OPENSEARCH_ENDPOINT"
PREFIX_VARIABLE = "INDEX_PREFIX"
TIMEOUT_VARIABLE = "OPENSEARCH_TIMEOUT_SECONDS"

DEFAULT_PREFIX = "realtime-analytics"
_DEFAULT_TIMEOUT = 10.0


@dataclass(frozen=True)
class Settings:
    """Where documents go.

    ``endpoint`` is ``https://host[:port]`` (``http://`` to a loopback host only), ``region`` the one that
    requests are signed for, ``timeout`` the longest wait in seconds for a connection and for an answer,
    ``namespace`` where CloudWatch keeps the function's metrics.
    """

    endpoint: str
    prefix: str
    region: str
    timeout: float
    namespace: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Settings of the process; raises :class:`~lambdas.common.errors.SettingError`."""
        url = required(env, ENDPOINT_VARIABLE, "the URL of the OpenSearch domain, https://host[:port]")
        return cls(
            endpoint=endpoint(ENDPOINT_VARIABLE, url),
            prefix=index_prefix(env.get(PREFIX_VARIABLE) or DEFAULT_PREFIX),
            region=region(env),
            timeout=seconds(env, TIMEOUT_VARIABLE, default=_DEFAULT_TIMEOUT, low=1, high=60),
            namespace=metric_namespace(env),
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
    """What the names of the indices that hold the results of one type begin with; also the name of their template."""
    return f"{prefix}-{result_type}"


def weekly_index(prefix: str, result_type: str, time: datetime) -> str:
    """The index of a result that became true at ``time``: one a type and ISO week (UTC).

    A pure function of the result, so that a repeat meets its document. A day's index would be small, and a node holds
    about a thousand shards; a month's would keep results up to a month longer than asked for.
    """
    year, week, _ = time.isocalendar()
    return f"{index_name(prefix, result_type)}-{year}.w{week:02}"
