"""What a backfill takes from the live run: the command unloads just the reasons that its reader looks for."""

from __future__ import annotations

import re
from pathlib import Path

from contracts.rejections import Reason
from operations.backfill import _LIVE_REASONS

READER = Path(__file__).resolve().parents[3] / "flink_jobs/java/src/main/java/realtime/analytics/source"


def test_the_live_reasons_are_those_that_the_java_reader_takes() -> None:
    code = (READER / "LiveRejections.java").read_text(encoding="utf-8")
    (taken,) = re.findall(r"EnumSet\.of\(([^)]*)\)", code)
    names = re.findall(r"Reason\.(\w+)", taken)
    # One that is not unloaded is counted by the backfill although the live run had rejected it.
    assert sorted(_LIVE_REASONS) == sorted(Reason[name] for name in names)
