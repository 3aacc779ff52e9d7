"""What a person sees: a live line of progress, sentences, and the reconciliation as a table."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from local.demo.against import Changes
from local.demo.bill import BillLine
from local.demo.reconciliation import Reconciliation
from local.demo.run import Status

_LINE_SECONDS = 5.0


class Screen:
    """Progress bars on a terminal, a line every few seconds elsewhere. Use it as a context manager."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
        self._began = time.monotonic()
        self._last_line = 0.0
        self._last_phase = ""
        self._alerts_told = 0
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<14}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[note]}"),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self._sent = self._progress.add_task("sent", total=None, note="")
        self._read = self._progress.add_task("read by Flink", total=None, note="")

    def __enter__(self) -> Self:
        """Starts the live display."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the live display."""
        self._progress.stop()

    def tell(self, text: str) -> None:
        """A sentence with the time since the start."""
        if text.startswith("ALERT"):
            self._alerts_told += 1
            if self._alerts_told > 12:
                return
        self.console.print(f"[dim]{time.monotonic() - self._began:6.1f} s[/dim]  {escape(text)}", markup=True)

    def show(self, status: Status) -> None:
        """The status, live."""
        read = status.counts.get("read", 0)
        when = (
            "-"
            if status.event_time is None
            else datetime.fromtimestamp(status.event_time / 1000, UTC).strftime("%H:%M:%S")
        )
        jobs = "  ".join(f"{job} {count}" for job, count in sorted(status.results.items()))
        self._progress.update(self._sent, completed=status.sent, total=status.planned, note=status.phase)
        self._progress.update(self._read, completed=read, total=status.planned, note=f"event time {when}  {jobs}")
        if self.console.is_terminal:
            return
        now = time.monotonic()
        if status.phase != self._last_phase or now - self._last_line > _LINE_SECONDS:
            self._last_phase, self._last_line = status.phase, now
            self.tell(
                f"{status.phase}: sent {status.sent}/{status.planned}, read {read}, event time {when}, "
                f"{jobs or 'no results yet'}, alerts {status.alerts}"
            )

    def changes(self, found: Changes) -> None:
        """What changed since another run, as a table and the first rows."""
        table = Table(title="since the other run", title_justify="left")
        for name in ("", "before", "now", "changed", "gone", "new"):
            table.add_column(name, justify="left" if not name else "right")
        for name, change in (*found.jobs.items(), ("alerts", found.alerts)):
            style = "yellow" if change.any else None
            numbers = (change.before, change.now, change.changed, change.gone, change.new)
            table.add_row(name, *map(str, numbers), style=style)
        self.console.print(table)
        for row in found.rows:
            self.console.print(escape(row))

    def bill(self, rate: str, lines: list[BillLine]) -> None:
        """What the same would cost a month on AWS."""
        table = Table(title=f"dev on AWS, USD a month at {rate}, and while stopped", title_justify="left")
        table.add_column("")
        table.add_column("running", justify="right")
        table.add_column("stopped", justify="right")
        for line in lines:
            if line.total:
                table.add_section()
            table.add_row(escape(line.what), line.running, line.stopped)
        self.console.print(table)

    def reconciliation(self, outcome: Reconciliation) -> None:
        """The table, and the first differences."""
        table = Table(title="Reconciliation", title_justify="left")
        for name, justify in (
            ("", "left"),
            ("check", "left"),
            ("expected", "right"),
            ("found", "right"),
            ("", "left"),
        ):
            table.add_column(name, justify=justify)  # type: ignore[arg-type]
        group = ""
        for check in outcome.checks:
            if check.group != group and group:
                table.add_section()
            mark = "[green]ok[/green]" if check.ok else "[bold red]DIFFERS[/bold red]"
            mark = mark if check.checked else "[yellow]not checked[/yellow]"
            table.add_row(
                check.group if check.group != group else "",
                check.name,
                str(check.expected) if check.checked else "",
                str(check.found),
                mark,
            )
            group = check.group
        self.console.print(table)
        for line in outcome.differences[:10]:
            self.console.print(f"  {line[:400]}", style="red", markup=False)
        if len(outcome.differences) > 10:
            self.console.print(f"  ... and {len(outcome.differences) - 10} more in the report", style="red")
