"""Runs the plain-Python or the Polars contender over a file and prints what it cost, as JSON."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import events


class Meter:
    """Reads CPU and wall clock when the events that warm up have been handed over, and at the end."""

    def __init__(self) -> None:
        self._begin = self._mark = self._now()
        self._measured = 0

    @staticmethod
    def _now() -> tuple[float, float]:
        return time.process_time(), time.monotonic()

    def watch(self, payloads: Iterator[bytes], warm_up: int) -> Iterator[bytes]:
        """The payloads."""
        for number, payload in enumerate(payloads):
            if number == warm_up:
                self._mark = self._now()
            self._measured = number + 1 - warm_up
            yield payload

    def told(self, counts: dict[str, int]) -> str:
        """What benchmarks.measure reads."""
        cpu, clock = self._now()
        return json.dumps(
            {
                "cpu": cpu - self._mark[0],
                "seconds": clock - self._mark[1],
                "events": self._measured,
                "before": self._mark[0] - self._begin[0],
                "counts": counts,
            }
        )


def main() -> None:
    """Runs one contender and prints CPU seconds, seconds and counts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.local_process")
    parser.add_argument("contender", choices=["plain_python", "polars"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--warm-up", type=int, default=0)
    options = parser.parse_args()
    meter = Meter()
    if options.contender == "polars":
        from benchmarks.polars_jobs import run

        # A batch over everything: it has no beginning to be warmed up by.
        counts = run(meter.watch(events.read(options.file), 0))
    else:
        from benchmarks.plain_python import run

        counts = run(meter.watch(events.read(options.file), options.warm_up))
    print(meter.told(dict(counts)))


if __name__ == "__main__":
    main()
