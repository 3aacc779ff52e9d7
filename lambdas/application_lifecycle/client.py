"""How the functions call AWS."""

from __future__ import annotations

from botocore.config import Config

#: A poll makes up to about ten calls and the next comes in seconds: a hanging call must not use up the function's time.
CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
