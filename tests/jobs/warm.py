"""Runs tests again and again over one warm cluster, for `make watch`.

A line of input is a JSON list of pytest's arguments, its answer a line ``{"code": ..., "said": ...}``. The checkout's
modules are read anew for each line; the JVM, the cluster in it and PyFlink stay. The jar is the one of the start: after
a change of Java, start anew.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import cluster

#: Packages of the checkout, which may have been edited.
_EDITED = ("contracts", "flink_jobs", "lambdas", "local", "tests")


class Warm:
    """The cluster, which a session of tests does not close."""

    def __init__(self, kept: cluster.Cluster) -> None:
        self._kept = kept

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kept, name)

    def close(self) -> None:
        """Stays."""


def main() -> None:
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    jar = Path(__file__).resolve().parents[2] / "build" / "maven" / "realtime-analytics.jar"
    with tempfile.TemporaryDirectory() as folder:
        warm = Warm(cluster.started(Path(shutil.copy(jar, folder))))
        cluster.started = lambda jar: warm  # type: ignore[assignment]
        for line in sys.stdin:
            for name in [name for name in sys.modules if name.split(".")[0] in _EDITED and name != cluster.__name__]:
                del sys.modules[name]
            said = io.StringIO()
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                code = pytest.main(json.loads(line))
            answers.write(json.dumps({"code": int(code), "said": said.getvalue()}) + "\n")
            answers.flush()
        warm._kept.close()


if __name__ == "__main__":
    main()
