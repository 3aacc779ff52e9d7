"""What many live keys cost the rules' worker: memory, CPU, checkpoints and a restore, by how many states are in memory.

``python -m benchmarks.keys`` runs session, behavior and recommendation in the engine's host, without Flink: all users
are live all the time, at a steady rate, with a checkpoint each minute of event time. Each bound has its own process.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from benchmarks.flink import settings
from contracts.events import Event
from contracts.results import ResultType
from flink_jobs.engine.host import Host
from flink_jobs.engine.lanes import Lane, lanes
from flink_jobs.jobs import rule_of

JOBS = (ResultType.SESSION, ResultType.BEHAVIOR, ResultType.RECOMMENDATION)
START = 1_790_000_000_000 // 86_400_000 * 86_400_000
SECOND, MINUTE = 1_000, 60_000
#: Events of a slot at a rate that makes slots shrink; see flink_jobs/java/.../slots/Grid.java.
SLOT = 5 * SECOND
GROUPS = 64
_TYPES = ("view", "click", "view", "purchase")
_CATEGORIES = ("shoes", "hats", "bags", "coats")


@dataclass
class Store:
    """A group's part of Flink's state; ``written`` counts bytes."""

    values: dict[str, bytes] = field(default_factory=dict)
    written: int = 0

    def put(self, key: str, value: bytes) -> None:
        """Adds or replaces a value."""
        self.values[key] = value
        self.written += len(value)

    def remove(self, key: str) -> None:
        """Takes a value out."""
        del self.values[key]

    def items(self) -> list[tuple[str, bytes]]:
        """All values."""
        return list(self.values.items())


def lane() -> Lane:
    """The lane of the users."""
    chosen = settings(tuple(JOBS))
    (found,) = lanes([rule for job in JOBS if (rule := rule_of(job, chosen)) is not None])
    return found


def slots(users: int, rate: int, minutes: int) -> Iterator[tuple[int, dict[int, list[Event]]]]:
    """Start and events by group: each user in turn, so each is seen every ``users / rate`` seconds."""
    number = 0
    for start in range(START, START + minutes * MINUTE, SLOT):
        groups: dict[int, list[Event]] = {}
        for position in range(rate * SLOT // SECOND):
            user = number * 7_919 % users
            at = start + position * SECOND // rate
            event = Event(
                at, user, _TYPES[number % 4], None, number % 1000, f"s{user}", _CATEGORIES[number // 3 % 4], ""
            )
            groups.setdefault(user % GROUPS, []).append(event)
            number += 1
        yield start, groups


def measure(users: int, rate: int, minutes: int, most: int) -> dict[str, float | str]:
    """Runs it; memory in MB (largest resident size), CPU in seconds a million events, times in seconds."""
    host, stores = Host(lane(), most), {group: Store() for group in range(GROUPS)}
    for group, store in stores.items():
        host.read(group, store)
    digest, events, cpu, checkpoints, written = hashlib.sha256(), 0, 0.0, [], []
    resident = []
    for start, groups in slots(users, rate, minutes):
        began = time.process_time()
        rows = [
            row
            for _ in chain(host.hand_over(start, start + SLOT, groups), [None])
            for given in host.given()
            for row in given.rows
        ]
        cpu += time.process_time() - began
        events += sum(map(len, groups.values()))
        for row in sorted(rows, key=repr):
            digest.update(repr(row).encode())
        if (start + SLOT - START) % MINUTE == 0:
            before, began = sum(store.written for store in stores.values()), time.perf_counter()
            for group, store in stores.items():
                host.write(group, store)
            checkpoints.append(time.perf_counter() - began)
            written.append(sum(store.written for store in stores.values()) - before)
            resident.append(_resident())
    state = sum(len(value) for store in stores.values() for value in store.values.values())
    peak = max(resident) - state / 1e6  # the stores are Flink's
    began = time.perf_counter()
    again = Host(lane(), most)
    for group, store in stores.items():
        again.read(group, store)
    return {
        "entries in memory": most,
        "events": events,
        "CPU s / 1M": cpu * 1e6 / events,
        "memory MB": peak,
        "checkpoint s": max(checkpoints),
        "written MB": max(written) / 1e6,
        "state MB": state / 1e6,
        "restore s": time.perf_counter() - began,
        "results": digest.hexdigest()[:16],
    }


def _resident() -> float:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 1e6


def main() -> int:
    """Command line; prints a table, and 1 when the bound shows in the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.keys", description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=5_000, help="events a second of event time")
    parser.add_argument("--minutes", type=int, default=15)
    parser.add_argument("--most", type=int, nargs="+", default=[10_000_000, 500_000, 200_000])
    parser.add_argument("--alone", action="store_true", help="one bound, in this process, as JSON")
    options = parser.parse_args()
    if options.alone:
        print(json.dumps(measure(options.users, options.rate, options.minutes, options.most[0])))
        return 0
    found = []
    for most in options.most:
        given = [f"--{name}={getattr(options, name)}" for name in ("users", "rate", "minutes")]
        command = [sys.executable, "-m", "benchmarks.keys", "--alone", *given, "--most", str(most)]
        found.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))  # noqa: S603 - this module
        print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    names = list(found[0])
    print("| " + " | ".join(names) + " |\n|" + " ---: |" * len(names))
    for each in found:
        print(
            "| " + " | ".join(f"{each[n]:,.1f}" if isinstance(each[n], float) else str(each[n]) for n in names) + " |"
        )
    return 0 if len({each["results"] for each in found}) == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
