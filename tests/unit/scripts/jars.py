"""Small jars with classes of a given Java."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path


def class_file(java: int) -> bytes:
    """The head of a class that was compiled for that Java."""
    return b"\xca\xfe\xba\xbe\x00\x00" + (44 + java).to_bytes(2, "big") + b"\x00" * 8


def write_jar(path: Path, classes: Mapping[str, int], others: Mapping[str, bytes] | None = None) -> Path:
    """Writes a jar of classes, name to Java, and of other entries, name to bytes."""
    with zipfile.ZipFile(path, "w") as jar:
        for name, java in classes.items():
            jar.writestr(name, class_file(java))
        for name, content in (others or {}).items():
            jar.writestr(name, content)
    return path
