"""Holds a run of the graph against the independent oracle: every verdict and every result."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from contracts.results import ResultType
from flink_jobs.settings import Settings
from local.oracle import comparison, results, verdicts
from local.oracle.records import LogRecord
from local.oracle.results import Result
from local.oracle.verdicts import Verdicts
from tests.events import Output, Row

_SCORED = ("moving_average", "deviation", "expected_low", "expected_high")


def judge(records: Sequence[LogRecord], settings: Settings, **shards: Any) -> Verdicts:
    """The oracle's verdicts; ``shards``: what only the caller knows of them, ``after_idle`` and ``parents``."""
    return verdicts.judge(
        records,
        watermark_delay=settings.time.watermark_delay,
        tolerance=verdicts.Tolerance.of(settings.time),
        duplicate_window=settings.time.duplicate_window,
        **shards,
    )


def known_from(settings: Settings, *firsts: int) -> int:
    """From which event time on everything is known, of partitions that were read from these events on.

    What came before may be the delay ahead of them, and ahead of its own arrival by the tolerance.
    """
    return max(firsts) + settings.time.watermark_delay + settings.time.future_tolerance


def needs_from(result: Result, settings: Settings) -> int:
    """The earliest event time that can change the result, epoch milliseconds: the jobs' own column, recomputed."""
    found: int
    match result["result_type"]:
        case "aggregation" | "recommendation":
            found = result["window_start"]
        case "anomaly":
            time: int = result["event_time"]
            found = time - time % settings.anomaly.slice - settings.anomaly.baseline
        case "session":
            found = result["session_start"] - settings.session.gap
        case "behavior":
            found = result["session_start"] - settings.behavior.gap
        case "fraud":
            found = result["event_time"] - 2 * settings.fraud.window
        case other:
            raise ValueError(other)
    return found


def complete_from(known: Mapping[str, Result], settings: Settings, horizon: int) -> dict[str, Result]:
    """Those of the results that need no event from before the horizon, epoch milliseconds."""
    return {identity: result for identity, result in known.items() if needs_from(result, settings) >= horizon}


def assert_agrees(output: Output, records: Sequence[LogRecord], settings: Settings, **shards: Any) -> dict[str, int]:
    """Every record has the oracle's verdict and every result its content; returns results per job."""
    judged = judge(records, settings, **shards)
    return assert_gives(output, judged, results.expected(judged.events, settings), records)


def assert_gives(
    output: Output, judged: Verdicts, wanted: Mapping[str, Result], records: Sequence[LogRecord]
) -> dict[str, int]:
    """Every record has its verdict and exactly the wanted results came; returns results per job."""
    reasons = {place: reason.value for place, reason in judged.rejected.items()}
    found_reasons = output.reasons()
    for place in reasons.keys() | found_reasons.keys():
        assert found_reasons.get(place) == reasons.get(place), _told(records, place)
    return assert_results(output.results, wanted)


def assert_results(texts: Mapping[str, str], wanted: Mapping[str, Result]) -> dict[str, int]:
    """Exactly the wanted results came, ``texts`` by result_id; returns results per job."""
    found = {identity: _snapped(text, wanted.get(identity)) for identity, text in texts.items()}
    compared = comparison.compare(found, dict(wanted))
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
