"""Whether the archive of events holds all that a backfill of a range needs; else windows would be counted in part."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from config.model import Environment
from contracts.lake import EVENTS
from flink_jobs.settings import BackfillSettings
from operations.environment import OperationError

#: Firehose writes a file after up to 300 s (stacks/lake.py), and its function has a minute; the rest is room.
BEHIND = timedelta(minutes=15)
_HOUR = re.compile(r"\d{4}/\d\d/\d\d/\d\d/")


def check(
    settings: BackfillSettings, environment: Environment, s3: Any, now: datetime, *, from_the_first: bool = False
) -> None:
    """OperationError where the archive begins after the range less its margin, or may not have the range's end yet.

    ``from_the_first``: the archive begins with the stream, so nothing was before its first hour.
    """
    begin, end = (datetime.fromtimestamp(time / 1000, UTC) for time in (settings.known_from, settings.end))
    margin = timedelta(milliseconds=settings.start - settings.known_from)
    if end > now - BEHIND:
        raise OperationError(
            f"--to {_text(end)} is not allowed: the archive may not have it yet; allowed is up to {_text(now - BEHIND)}"
        )
    # Objects expire at a midnight after their last day (S3 user guide, lifecycle rules).
    kept = now - timedelta(days=environment.lake.raw_days - 1)
    if begin < kept:
        raise OperationError(
            f"--from: events from {_text(begin)} on are needed (the margin is {margin}), and they are kept for "
            f"lake.raw_days = {environment.lake.raw_days}; allowed is from {_text(kept + margin)} on"
        )
    first = _first_hour(settings.archive, s3)
    if first is None:
        raise OperationError(f"{settings.archive} is empty: nothing has been archived yet")
    if begin < first and not from_the_first:
        raise OperationError(
            f"--from: events from {_text(begin)} on are needed (the margin is {margin}), and the archive begins at "
            f"{_text(first)}; allowed is from {_text(first + margin)} on, or --from-the-first where the archive begins "
            "with the stream itself"
        )


def _first_hour(archive: str, s3: Any) -> datetime | None:
    """The hour of the first object; Firehose's folders sort by time."""
    bucket = archive.removeprefix("s3://").partition("/")[0]
    found = s3.list_objects_v2(Bucket=bucket, Prefix=f"{EVENTS}/", MaxKeys=1).get("Contents", [])
    hour = _HOUR.search(found[0]["Key"]) if found else None
    return None if hour is None else datetime.strptime(hour[0], "%Y/%m/%d/%H/").replace(tzinfo=UTC)


def _text(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
