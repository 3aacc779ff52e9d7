"""``make backfill FROM=... TO=...``: the archive of the latest demo through the application, beside its live results.

Starts the parts of the laptop run anew, since nothing of a demo outlives it: the index is empty at first and holds the
backfill's results at the end. The exit code says whether they are the live run's.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from contracts.settings import SettingsError
from flink_jobs.properties import Groups
from flink_jobs.settings import Settings
from local.backfill.replay import BackfillFailed, Replay, compare, groups_of
from local.demo import application
from local.demo.observation import indexed_documents
from local.demo.pipeline import running
from local.environment import leave_the_users_settings
from local.processes import Supervisor
from local.stale_runs import clean_up_stale

RUNS = application.ROOT / ".run"


def main(arguments: list[str]) -> int:
    """Exit code 0 equal to the live run, 1 different or broken, 2 not allowed."""
    parser = argparse.ArgumentParser(prog="make backfill", description=__doc__)
    parser.add_argument("--from", dest="start", required=True, metavar="TIME", help="2026-11-24T00:00:00Z")
    parser.add_argument("--to", dest="end", required=True, metavar="TIME", help="results of up to then, UTC")
    parser.add_argument("--run", default="demo", metavar="NAME", help="the run below .run whose archive is read (demo)")
    given = parser.parse_args(arguments)
    run_dir = RUNS / given.run
    output = run_dir / "backfill" / f"{given.start}_{given.end}".replace(":", "")
    try:
        groups = groups_of(run_dir, given.start, given.end, output)
        settings = application.checked(application.property_groups(groups))
    except (BackfillFailed, SettingsError) as error:
        print(f"backfill: {error}", file=sys.stderr)
        return 2
    leave_the_users_settings()
    return _play(run_dir, groups, settings, output)


def _play(run_dir: Path, groups: Groups, settings: Settings, output: Path) -> int:
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {line}", flush=True)

    for line in clean_up_stale(RUNS):
        say(f"cleaned up: {line}")
    slots = settings.local.parallelism if settings.local is not None else 1
    with Supervisor(RUNS / "backfill") as supervisor, running(supervisor, groups, 1, slots, say) as pipeline:
        replay = Replay(pipeline, supervisor, settings, say)
        try:
            found = replay.play(pipeline.job_id)
        except BackfillFailed as error:
            print(f"backfill: {error}; logs are in {supervisor.logs}", file=sys.stderr)
            return 1
        indexed = sum(indexed_documents(pipeline.search.result()[0]).values())
        alerts = replay.alerts()
    outcome = compare(found, (run_dir / "results.jsonl").read_text(encoding="utf-8"), settings)
    say(f"{len(found)} results, {indexed} documents in the index, {alerts} alerts; files: {output}")
    say(
        f"of them {outcome.equal} equal to the live run's, {len(outcome.different)} different, "
        f"{len(outcome.unknown)} unknown to it; {len(outcome.left_out)} of its range need earlier events"
    )
    ok = outcome.ok and indexed == len(found) and alerts == 0
    say("the backfill gives what the live run gave" if ok else "NOT what the live run gave")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
