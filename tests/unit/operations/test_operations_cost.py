"""What `make cost` prints, from lines and limits."""

from __future__ import annotations

import argparse

import pytest

from config.load import load
from operations.cost import _rate, table, warnings
from operations.costs import Line


def test_a_row_per_line_and_a_column_per_rate() -> None:
    bills = {
        10.0: [Line("Flink", "2 x 3", 6.0, 0.0), Line("Kinesis", "1 x 4", 4.0, 3.5)],
        1000.0: [Line("Flink", "2 x 3", 6.0, 0.0), Line("Kinesis", "1 x 40", 40.25, 3.5)],
    }
    rows = [row.split() for row in table(bills)]
    assert rows == [
        ["10", "1,000", "stopped"],
        ["Flink", "6.00", "6.00", "0.00", "2", "x", "3"],
        ["Kinesis", "4.00", "40.25", "3.50", "1", "x", "4"],
        ["total", "10.00", "46.25", "3.50"],
    ]


def test_what_breaks_first_is_always_told_and_what_is_broken_at_its_rate() -> None:
    dev = load("dev")
    quiet = list(warnings(dev, [10.0]))
    assert len(quiet) == 1
    assert quiet[0].startswith("breaks first, at 1,000 events/s: input: a shard takes 1,000 records/s")
    assert quiet[0].endswith("raise streams.input.shards")
    loud = list(warnings(dev, [10.0, 1200.0]))
    assert [line for line in loud if line.startswith("WARNING")] == [
        "WARNING at 1,200 events/s: input: a shard takes 1,000 records/s written: at most 1,000; "
        "raise streams.input.shards"
    ]


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "1e9"])
def test_a_rate_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not allowed"):
        _rate(text)
