"""What the deployment of dev would cost a month, for the demo's end: the table of docs/costs.md.

The page is written from the synthesized templates and a test holds it against them, so no template is made here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "costs.md"
ENVIRONMENT = "dev"
_TOTAL = "total"


@dataclass(frozen=True)
class BillLine:
    """USD a month at the page's lowest rate of events, and while the application is stopped."""

    what: str
    running: str
    stopped: str

    @property
    def total(self) -> bool:
        """Whether it is the sum of the others."""
        return self.what == _TOTAL


class NoBill(Exception):
    """The page has no table of the environment; the message says what writes it."""


def bill(page: Path = PAGE, environment: str = ENVIRONMENT) -> tuple[str, list[BillLine]]:
    """The rate that the first column is of, and the lines; raises :class:`NoBill`."""
    section = page.read_text(encoding="utf-8").partition(f"\n## {environment}\n")[2].partition("\n## ")[0]
    rows = [
        [cell.strip().strip("*") for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith("|")
    ]
    if not rows or rows[0][0] != "what" or "stopped" not in rows[0]:
        raise NoBill(f"{page.name} has no bill of {environment}: make snapshots writes it")
    stopped = rows[0].index("stopped")
    lines = []
    for row in rows[2:]:
        lines.append(BillLine(row[0], row[1], row[stopped]))
        if lines[-1].total:
            return rows[0][1], lines
    raise NoBill(f"{page.name}: the bill of {environment} has no total: make snapshots writes it")
