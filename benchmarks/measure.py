"""Runs a contender in a fresh process and watches it: CPU seconds, seconds, peak memory, largest checkpoint."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

_SAMPLE_SECONDS = 0.5
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Run:
    """What ``events`` events cost when the contender was warm.

    CPU seconds are of the whole process tree, sizes in bytes. ``before`` is what start-up and the events that warm up
    had cost. ``stopped``: it did not end within the limit, so ``cpu`` and ``seconds`` say only that it takes longer.
    """

    cpu: float
    seconds: float
    events: int
    before: float
    memory: int
    checkpoint: int
    counts: dict[str, int] = field(default_factory=dict)
    stopped: bool = False


class RunFailed(Exception):
    """The contender ended with an error; the message holds the end of what it said."""


class _Watch:
    """Samples a process tree until it is stopped."""

    def __init__(self, pid: int, checkpoints: Path) -> None:
        self.memory = 0
        self.checkpoint = 0
        self._pid = pid
        self._checkpoints = checkpoints
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the sampling."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_SAMPLE_SECONDS):
            self.memory = max(self.memory, _resident(self._pid))
            self.checkpoint = max(self.checkpoint, _size(self._checkpoints))


def _resident(pid: int) -> int:
    total = 0
    with contextlib.suppress(OSError):  # processes and threads end while they are looked at
        total += int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text(encoding="ascii").split():
                total += _resident(int(child))
    return total


def _size(folder: Path) -> int:
    """Bytes of the largest complete checkpoint with the state that it shares."""
    largest = shared = 0
    with contextlib.suppress(OSError):  # Flink deletes old ones meanwhile
        for job in folder.iterdir():
            shared = max(shared, sum(file.stat().st_size for file in (job / "shared").glob("*")))
            for checkpoint in job.glob("chk-*"):
                if (checkpoint / "_metadata").exists():
                    largest = max(largest, sum(file.stat().st_size for file in checkpoint.iterdir()))
    return largest + shared if largest else 0


def run(arguments: list[str], limit: float, events: int, folder: Path | None = None) -> Run:
    """Runs ``python -m`` with the arguments; the program prints cpu, seconds, events, before and counts at last.

    ``events``: how many it is about, should it be stopped. ``folder``: the working tree that it is run from.

    Raises:
        RunFailed: it ended with an error.
    """
    tree = folder or Path.cwd()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as own, (Path(own) / "output").open("w+b") as output:
        checkpoints = Path(own) / "checkpoints"
        checkpoints.mkdir()
        command = [sys.executable, "-W", "ignore", "-m", *arguments]
        if arguments[0] == "benchmarks.flink":
            command += ["--checkpoints", str(checkpoints)]
        # The Python workers, which the JVM starts, import the application from the tree.
        paths = [str(tree), sysconfig.get_path("purelib")]
        process = subprocess.Popen(  # noqa: S603
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=tree,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        )
        watch = _Watch(process.pid, checkpoints)
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            return Run(limit, limit, events, 0.0, watch.memory, watch.checkpoint, stopped=True)
        finally:
            watch.stop()
            with contextlib.suppress(ProcessLookupError):  # the session: Flink and its workers, too
                os.killpg(process.pid, 9)
            process.wait()
            shutil.rmtree(checkpoints, ignore_errors=True)
        output.seek(0)
        said = output.read().decode(errors="replace").rstrip().splitlines()
        if process.returncode != 0 or not said:
            raise RunFailed(f"{' '.join(arguments)}: exit code {process.returncode}: {' / '.join(said[-5:])}")
        told = json.loads(said[-1])
        return Run(
            told["cpu"],
            told["seconds"],
            told["events"],
            told["before"],
            watch.memory,
            watch.checkpoint,
            told["counts"],
        )
