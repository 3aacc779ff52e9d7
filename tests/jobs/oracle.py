"""Holds a run of the graph against the independent oracle: every verdict and every result."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from contracts.results import ResultType
from flink_jobs.settings import Settings
from local.oracle import comparison, results, verdicts
from local.oracle.records import LogRecord
from local.oracle.results import Result
from local.oracle.verdicts import Verdicts
from tests.jobs.harness import Output, Row

_SCORED = ("moving_average", "deviation", "expected_low", "expected_high")


def judge(records: Sequence[LogRecord], settings: Settings) -> Verdicts:
    """The oracle's verdicts."""
    return verdicts.judge(
        records,
        watermark_delay=settings.time.watermark_delay,
        future_tolerance=settings.time.future_tolerance,
        duplicate_window=settings.time.duplicate_window,
    )


def assert_agrees(output: Output, records: Sequence[LogRecord], settings: Settings) -> dict[str, int]:
    """Every record has the oracle's verdict and every result its content; returns results per job."""
    judged = judge(records, settings)
    reasons = {place: reason.value for place, reason in judged.rejected.items()}
    found_reasons = output.reasons()
    for place in reasons.keys() | found_reasons.keys():
        assert found_reasons.get(place) == reasons.get(place), _told(records, place)
    wanted = results.expected(judged.events, settings)
    found = {identity: _snapped(text, wanted.get(identity)) for identity, text in output.results.items()}
    compared = comparison.compare(found, wanted)
    assert compared.agrees, "\n".join(
        [f"{len(compared.differences)} differences; the first:", *compared.differences[:5]]
    )
    return compared.equal


def _told(records: Sequence[LogRecord], place: tuple[str, str]) -> str:
    record = next(record for record in records if (record.partition, record.position) == place)
    return f"verdict of {place}: {record.payload[:300]!r}"


def _snapped(text: str, wanted: Result | None) -> str:
    """An anomaly with its doubles set to the oracle's where the rounding of either side explains the difference.

    Rounding errors of a mean are relative to the values, not to the mean: where values of 1e18 cancel, nothing is
    left to be relative to. All else is compared as it is.
    """
    if wanted is None or wanted["result_type"] != ResultType.ANOMALY or wanted["deviation"] is None:
        return text
    row: Row = json.loads(text)
    deviation = wanted["deviation"]
    largest = abs(wanted["moving_average"]) + deviation * math.sqrt(wanted["baseline_count"])
    error = 1e-14 * largest
    for name in _SCORED:
        if row[name] is not None and abs(row[name] - wanted[name]) <= 4 * error:
            row[name] = wanted[name]
    score = wanted["anomaly_score"]
    if row["anomaly_score"] is not None and deviation > 0:
        explained = error / deviation * (1 + score)
        if abs(row["anomaly_score"] - score) <= explained:
            row["anomaly_score"] = score
    return json.dumps(row)
