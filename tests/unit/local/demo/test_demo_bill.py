"""The bill at the demo's end is the page's, which is the templates'."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.demo.bill import NoBill, bill


def test_the_lines_are_there_and_add_up() -> None:
    rate, lines = bill()
    assert rate == "10/s"
    assert lines[-1].total
    amounts = [(float(line.running.replace(",", "")), float(line.stopped.replace(",", ""))) for line in lines]
    for column in (0, 1):
        assert sum(row[column] for row in amounts[:-1]) == pytest.approx(amounts[-1][column], abs=0.02 * len(lines))
    assert any("KPU" in line.what for line in lines)


@pytest.mark.parametrize(
    "text", ["", "\n## dev\n\nnothing\n", "\n## dev\n\n| what | 10/s | stopped |\n| - | - | - |\n| a | 1.00 | 0.00 |\n"]
)
def test_a_page_without_a_bill_says_what_writes_one(text: str, tmp_path: Path) -> None:
    page = tmp_path / "costs.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(NoBill, match="make snapshots writes it"):
        bill(page)
