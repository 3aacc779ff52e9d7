"""Finds the Java of the laptop run."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from functools import cache
from pathlib import Path

from local.environment import child_environment
from local.ports import HOST

# Flink 1.20 runs on 8, 11 and 17; OpenSearch 2.19 on 11 to 21; 17 is the newest that both support.
JAVA_VERSION = 17
_SECONDS = 30.0


class JavaMissing(Exception):
    """There is no Java of the right version; the message says what was found and how to get it."""


@cache
def java_command() -> Path:
    """Return the `java` of JAVA_HOME, or the one on PATH when JAVA_HOME is not set.

    Raises:
        JavaMissing: there is none, or its version is not 17.
    """
    home = os.environ.get("JAVA_HOME")
    found = str(Path(home) / "bin/java") if home else shutil.which("java")
    where = f"JAVA_HOME={home}" if home else "PATH"
    advice = f"install a JDK {JAVA_VERSION} (Debian: apt-get install openjdk-{JAVA_VERSION}-jdk-headless)"
    if found is None or not os.access(found, os.X_OK):
        raise JavaMissing(f"no java in {where}; {advice}, or set JAVA_HOME to one")
    done = subprocess.run(  # noqa: S603 - the user's own java
        [found, "-version"], check=False, capture_output=True, text=True, timeout=_SECONDS, env=child_environment()
    )
    version = re.search(r'version "(?:1\.)?(\d+)', done.stderr)
    if version is None or int(version[1]) != JAVA_VERSION:
        told = (done.stderr.splitlines() or ["nothing"])[0]
        raise JavaMissing(f"the java in {where} says {told!r}; {advice}, or set JAVA_HOME to one")
    return Path(found)


def loopback_option(folder: Path) -> str:
    """Return the option with which a JVM knows localhost and this machine as 127.0.0.1, and no other name.

    A machine's own name may have no address, and localhost only that of version 6. `folder` takes the table of names,
    which lives as long as the JVM.
    """
    table = folder.resolve() / "hosts"
    table.write_text(f"{HOST} localhost {socket.gethostname()}\n", encoding="utf-8")
    return f"-Djdk.net.hosts.file={table}"
