"""docs/costs.md: every environment's bill at four rates with its formulas, what breaks first, and what is assumed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from config.model import Environment
from operations import load
from operations.costs import Line, total
from operations.limits import limits
from operations.measured import measured
from operations.prices import Prices

Bills = Mapping[float, list[Line]]


def page(bills: Mapping[str, tuple[Environment, Bills]], prices: Prices) -> str:
    """The page; ``bills`` by environment's name, then by events a second."""
    found = measured()
    lines = [
        "# Costs",
        "",
        f"USD a month in us-east-1, by the prices of {prices.date} (`operations/prices.toml`; another table:",
        "`make cost ENV=dev ARGS='--prices my.toml'`), at events a second; `stopped` is what remains while the",
        "application is stopped and nothing comes. The settings are those of the environment's file: a column beyond",
        "what breaks first says what the bill would be, not that it would run. Written by `make snapshots`.",
        "",
        "## What is assumed",
        "",
        f"- An event is {load.EVENT_BYTES} bytes, a result {load.RESULT_BYTES}, a rejection {load.REJECTION_BYTES}.",
        f"- An event makes {load.RESULTS_PER_EVENT} results, {load.SAMPLES_PER_EVENT} samples of a metric,",
        f"  {load.ALERTS_PER_EVENT} alerts and {load.REJECTED_PER_EVENT} rejections, as the laptop's traffic does;",
        f"  there are {load.EVENT_TYPES} event types.",
        f"- State is {found.state_bytes / 1024:.0f} KB for each event a second, and a million events take",
        f"  {found.cpu_seconds:.0f} s of CPU: measured, [benchmarks](benchmarks/README.md).",
        "- What CloudWatch gives each account for nothing (10 alarms, 10 metrics, 3 small dashboards, a million",
        "  requests, 5 GB of logs) is taken off once; set it to 0 in a table of your own where others use it up.",
        "- Not on the bill: data transfer out of AWS, support, tax, what people run by hand (Athena, Logs Insights,",
        "  backfills: their line says what an hour of one is, and their results cost what results cost).",
    ]
    for name, (environment, rates) in bills.items():
        lines += ["", f"## {name}", "", *_table(rates), "", *_limits(environment)]
    return "\n".join(lines) + "\n"


def _table(bills: Bills) -> Iterator[str]:
    yield "| what | " + " | ".join(f"{rate:,.0f}/s" for rate in bills) + " | stopped | formula |"
    yield "| --- |" + " ---: |" * (len(bills) + 1) + " --- |"
    columns = list(bills.values())
    for lines in zip(*columns, strict=True):
        amounts = " | ".join(f"{line.running:,.2f}" for line in lines)
        yield f"| {lines[0].what} | {amounts} | {lines[0].stopped:,.2f} | {lines[0].formula} |"
    totals = " | ".join(f"**{total(lines, lambda line: line.running):,.2f}**" for lines in columns)
    yield f"| **total** | {totals} | **{total(columns[0], lambda line: line.stopped):,.2f}** | |"


def _limits(environment: Environment) -> Iterator[str]:
    yield "What breaks first as events grow, and which setting to raise:"
    yield ""
    yield "| events/s | limit | raise |"
    yield "| ---: | --- | --- |"
    for limit in limits(environment):
        yield f"| {limit.most:,.0f} | {limit.what} | {limit.setting} |"
