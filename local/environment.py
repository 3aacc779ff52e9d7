"""The environment of whatever a laptop run or a test starts: only what is listed here comes from the user's shell.

Everything else may change a run or lead it away from this machine: AWS profiles and endpoints, proxies (also those
inside JAVA_TOOL_OPTIONS), PYTHONPATH and PYTHONWARNINGS, another locale or time zone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

#: Where programs, the user's files and temporary files are, which Java is used, how wide the terminal is.
_ALLOWED = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "JAVA_HOME"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"),
    *("TERM", "COLUMNS", "LINES", "NO_COLOR", "CI"),
)
_LOOPBACK = "127.0.0.1,localhost"
_FIXED = {
    # As the services have it, whatever the user's language and zone.
    "LC_ALL": "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8",
    "PYTHONUTF8": "1",
    "TZ": "UTC",
    # A profile of the user would bring its own keys or endpoint, and macOS has proxies in its system settings.
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": _LOOPBACK,
    "no_proxy": _LOOPBACK,
}


def child_environment(added: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a child process: what is allowed of this process's, and what is ``added``."""
    allowed = {name: os.environ[name] for name in _ALLOWED if name in os.environ}
    return {**allowed, **_FIXED, **(added or {})}


def leave_the_users_settings() -> None:
    """Make this process's environment that of its children: its AWS SDK and its threads' handlers read it."""
    kept = child_environment()
    os.environ.clear()
    os.environ.update(kept)
