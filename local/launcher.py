"""Starts a command that does nothing before it is let go.

The command waits for one line before it runs: by then its pid is on disk. When the owner dies first, the pipe
closes and the command never runs. `sh` and not `preexec_fn`, which may deadlock in a process with threads.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

_LAUNCHER = 'read -r go && [ "$go" = go ] || exit 125; exec "$@" </dev/null'


def launch(
    command: Sequence[str | Path], *, log: IO[bytes], env: Mapping[str, str], cwd: Path | None
) -> subprocess.Popen[bytes]:
    """Start the launcher of `command` in a session of its own, both outputs to `log`; see `let_go`.

    Raises:
        OSError: no process could be started, or `cwd` is no directory.
    """
    return subprocess.Popen(  # noqa: S603 - the command comes from our code, and no shell parses it
        ["/bin/sh", "-c", _LAUNCHER, "launcher", *map(str, command)],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=env,
        cwd=cwd,
        start_new_session=True,
    )


def module_environment() -> dict[str, str]:
    """Return the variables with which `python -m local...` finds this package, wherever it is started."""
    return {"PYTHONPATH": str(Path(__file__).resolve().parent.parent)}


def let_go(popen: subprocess.Popen[bytes]) -> None:
    """Make the launcher become its command; the pid stays.

    Raises:
        OSError: the launcher is gone.
    """
    if popen.stdin is None:
        raise RuntimeError("not a launcher: it has no pipe")
    popen.stdin.write(b"go\n")
    popen.stdin.close()
