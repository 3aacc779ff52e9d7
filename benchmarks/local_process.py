"""Runs the plain-Python or the Polars contender over a file and prints what it cost, as JSON."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from benchmarks import events


def main() -> None:
    """Runs one contender and prints CPU seconds, seconds and counts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.local_process")
    parser.add_argument("contender", choices=["plain_python", "polars"])
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    if options.contender == "polars":
        from benchmarks.polars_jobs import run
    else:
        from benchmarks.plain_python import run
    cpu, began = time.process_time(), time.monotonic()
    counts = run(events.read(options.file))
    print(json.dumps({"cpu": time.process_time() - cpu, "seconds": time.monotonic() - began, "counts": counts}))


if __name__ == "__main__":
    main()
