"""What a watermark delay costs and saves: share of events that are late, by how far events are out of order.

``python -m benchmarks.lateness`` prints the table of docs/tuning.md: 100 events a second in one shard, each arriving
after a delay with an exponential distribution. An event is late as the contract says it: its time is at or below its
shard's clock, here the largest accepted time before it, less the watermark delay. No machine's clock is read: the
same seed gives the same table.
"""

from __future__ import annotations

import random
import sys

EVENTS, PER_SECOND, SEED = 200_000, 100, 1
#: Mean seconds from an event to its arrival: servers, browsers, phones that lose their network.
MEANS = (0.5, 2.0, 10.0)
DELAYS = (0, 1, 5, 10, 30, 60)


def share_late(mean: float, delay: float, events: int = EVENTS) -> float:
    """Share of events that are late, from 0 to 1. ``mean`` and ``delay`` in seconds."""
    dice = random.Random(SEED)  # noqa: S311 - a reproducible table
    times = [number / PER_SECOND for number in range(events)]
    arriving = sorted((time + dice.expovariate(1 / mean), time) for time in times)
    newest, late = float("-inf"), 0
    for _, time in arriving:
        if time <= newest - delay:
            late += 1
        else:
            newest = max(newest, time)
    return late / events


def table() -> str:
    """The table, in Markdown."""
    lines = [
        "| `time.watermark_delay` | " + " | ".join(f"mean {mean:g} s" for mean in MEANS) + " |",
        "| --- |" + " ---: |" * len(MEANS),
    ]
    for delay in DELAYS:
        cells = " | ".join(f"{share_late(mean, delay):.3%}" for mean in MEANS)
        lines.append(f"| {delay} s | {cells} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
