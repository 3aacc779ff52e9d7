"""The page's table of lateness is what is computed, and behaves as lateness must."""

from __future__ import annotations

from pathlib import Path

from benchmarks.lateness import share_late, table

PAGE = Path(__file__).resolve().parents[3] / "docs" / "tuning.md"


def test_the_page_has_the_table() -> None:
    assert table() in PAGE.read_text(encoding="utf-8")


def test_a_longer_delay_rejects_fewer_and_worse_order_more() -> None:
    shares = [share_late(2.0, delay, events=5_000) for delay in (0, 1, 5, 60)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.5
    assert shares[-1] == 0
    assert share_late(0.5, 1, events=5_000) < share_late(10.0, 1, events=5_000)
