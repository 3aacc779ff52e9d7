"""What OpenSearch tells of itself, as the service publishes it for a domain."""

from __future__ import annotations

import time
from collections.abc import Iterator

from local.bridge.samples import Sample
from local.standins.opensearch import OpenSearch
from monitoring import service_metrics as service
from monitoring.series import Metric, series

_MB = 1024 * 1024
_STATS = (
    "/_nodes/stats/jvm,process,indices?filter_path=nodes.*.jvm.mem.heap_used_percent,nodes.*.process.cpu.percent,"
    "nodes.*.indices.indexing.index_total,nodes.*.indices.store.size_in_bytes"
)


class SearchMetrics:
    """Reads one domain of ``volume_gb`` a node, as the settings say: a laptop's own disk says nothing about it."""

    def __init__(self, domain: str, account: str, volume_gb: int) -> None:
        self._values = (domain, account)
        self._volume_mb = volume_gb * 1024
        self._indexed: tuple[float, float] | None = None

    def samples(self, opensearch: OpenSearch) -> Iterator[Sample]:
        """Samples of now. Raises OSError or RestError when it does not answer."""
        now = time.time()
        status = opensearch.call("GET", "/_cluster/health")["status"]
        blocks = opensearch.call("GET", "/_cluster/state/blocks")["blocks"]
        nodes = opensearch.call("GET", _STATS)["nodes"].values()
        yield self._sample(service.SEARCH_RED, status == "red", now)
        yield self._sample(service.SEARCH_YELLOW, status == "yellow", now)
        yield self._sample(service.SEARCH_BLOCKED, bool(blocks.get("global") or blocks.get("indices")), now)
        indexed = 0.0
        for node in nodes:
            yield self._sample(service.SEARCH_CPU, node["process"]["cpu"]["percent"], now)
            yield self._sample(service.SEARCH_MEMORY, node["jvm"]["mem"]["heap_used_percent"], now)
            used = node["indices"]["store"]["size_in_bytes"] / _MB
            yield self._sample(service.SEARCH_FREE, self._volume_mb - used, now)
            indexed += node["indices"]["indexing"]["index_total"]
        if self._indexed is not None and indexed >= self._indexed[0] and now > self._indexed[1]:
            rate = 60 * (indexed - self._indexed[0]) / (now - self._indexed[1])
            yield self._sample(service.SEARCH_INDEXED, rate, now)
        self._indexed = (indexed, now)

    def _sample(self, metric: Metric, value: float, now: float) -> Sample:
        return Sample(series(metric, *self._values), float(value), now)
