"""Faults of parts: a shard that falls silent, a TaskManager that dies, a search index that is away."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from local.demo.run import Run
from local.faults.fault import Fault, NotNow, Progress
from local.standins.flink import TASK_MANAGER
from local.traffic.delivery import DeliveryClosed

#: Longer would pass the idle timeout: the watermark would go on without the shard.
_HOLD_SECONDS = 8.0
#: The cluster gives up after the third: one is left for a real accident.
_MOST_KILLS = 2
_AWAY_SECONDS = 12.0


class IdleShard(Fault):
    """A shard delivers nothing for some seconds."""

    name, title, key = "idle", "Idle shard", "i"
    expect = "one shard falls silent: the watermark waits for it, then catches up; nothing becomes late"

    def __init__(self, run: Run) -> None:
        self._run = run

    def inject(self) -> tuple[str, Any]:
        """Keeps the last shard's records back."""
        run = self._run
        if run.traffic.shards < 2:
            raise NotNow("the stream has one shard: start with --shards 2")
        if run.verdict is not None:
            raise NotNow("the traffic is over: all shards are idle already")
        seconds = min(_HOLD_SECONDS, run.settings.time.idle_timeout / 2000)
        try:
            run.delivery.hold(run.traffic.shards - 1, seconds)
        except DeliveryClosed as error:
            raise NotNow(f"{error}: all shards are idle now") from error
        token = {"until": time.time() + seconds, "mark": run.status.event_time, "moved": time.time(), "target": None}
        return f"shard {run.traffic.shards - 1} keeps its records back for {seconds:.0f} s", token

    def look(self, progress: Progress, token: dict[str, Any]) -> None:
        """Noticed when the watermark stands still, over when it has passed where it stood and nothing is held."""
        run, now = self._run, time.time()
        mark = run.status.event_time
        if mark != token["mark"]:
            if progress.noticed is not None and now > token["until"] and not run.delivery.held:
                progress.recover("the shard is back, the watermark moves on; nothing was lost")
            token["mark"], token["moved"] = mark, now
        elif now - token["moved"] > 2.0 and run.delivery.held:
            progress.notice(f"the watermark waits; {run.delivery.held} records are held")
        if progress.noticed is None and now > token["until"] + 5 and not run.delivery.held:
            progress.recover("the shard came back before the watermark had to wait")


class KilledTaskManager(Fault):
    """The TaskManager with its Python worker dies, as by a crash."""

    name, title, key = "taskmanager", "Kill TaskManager", "k"
    expect = "the job stops and restarts from its last checkpoint: no result is lost or changed"

    def __init__(self, run: Run) -> None:
        self._run = run
        self._kills = 0

    def inject(self) -> tuple[str, Any]:
        """Kills it with SIGKILL; the run starts another."""
        if self._kills == _MOST_KILLS:
            raise NotNow(f"it was killed {_MOST_KILLS} times already; one more and the demo would give up")
        flink = self._run.pipeline.flink
        task_manager = next((each for each in flink.processes if each.name == TASK_MANAGER), None)
        running, wanted = flink.rest.running_tasks(self._run.pipeline.job_id)
        if task_manager is None or task_manager.returncode is not None or running < wanted:
            raise NotNow("the job is not running; wait until it is")
        self._kills += 1
        os.kill(task_manager.pid, signal.SIGKILL)
        return f"killed process {task_manager.pid}", {"pid": task_manager.pid, "tasks": wanted}

    def look(self, progress: Progress, token: dict[str, Any]) -> None:
        """Noticed when Flink's job does not run, recovered when all its tasks run on another process."""
        flink = self._run.pipeline.flink
        running, wanted = flink.rest.running_tasks(self._run.pipeline.job_id)
        if running < wanted:
            progress.notice(f"Flink noticed: {running} of {wanted} tasks run")
        now = next((each.pid for each in flink.processes if each.name == TASK_MANAGER), token["pid"])
        if progress.noticed is not None and running == wanted and now != token["pid"]:
            progress.recover(f"all {wanted} tasks run again, from the last checkpoint")


class StoppedSearch(Fault):
    """OpenSearch is stopped, and started again after some seconds."""

    name, title, key = "search", "Stop OpenSearch", "o"
    expect = "the indexer tries the same records again until OpenSearch is back: nothing is lost, nothing else waits"

    def __init__(self, run: Run) -> None:
        self._run = run

    def inject(self) -> tuple[str, Any]:
        """Stops it; :meth:`look` starts it again."""
        search = self._run.pipeline.search
        if self._run.delivery.closing:
            raise NotNow("the run is being closed and reconciled; with --keep it is possible again afterwards")
        if not search.done() or not search.result()[0].is_ready():
            raise NotNow("OpenSearch is not up; wait until it is")
        opensearch, mapping = search.result()
        counts = mapping.counts()
        opensearch.stop()
        token = {"until": time.time() + _AWAY_SECONDS, "resumed": False, "refused": counts.partial + counts.errors}
        return f"stopped for {_AWAY_SECONDS:.0f} s", token

    def look(self, progress: Progress, token: dict[str, Any]) -> None:
        """Noticed when the indexer is refused or nobody answers, recovered when the index has caught up."""
        opensearch, mapping = self._run.pipeline.search.result()
        counts = mapping.counts()
        refused = counts.partial + counts.errors - token["refused"]
        if refused:
            progress.notice(f"the indexer was refused {refused} times and tries again")
        if not token["resumed"]:
            if time.time() >= token["until"]:
                opensearch.resume()
                token["resumed"] = True
        elif opensearch.is_ready():
            # What the stream holds now; more comes while it is caught up with.
            token.setdefault("target", self._run.results.read)
            if counts.done + counts.given_up >= token["target"]:
                progress.recover("OpenSearch is back with its data, and the index has caught up")
