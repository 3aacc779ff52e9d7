"""Which Java the classes of a jar were compiled for."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import IO

#: JVM specification, 4.1: every class file begins with it.
_MAGIC = b"\xca\xfe\xba\xbe"
#: A class file's major version is that of Java 1.0 and one more for each Java since.
_MAJOR_OF_JAVA_0 = 44
#: A multi-release jar's classes of a Java N and newer, which older ones never load.
_VERSIONED = re.compile(r"META-INF/versions/(\d+)/")


class BrokenJar(Exception):
    """A file is no jar, or a class in it no class; the message names it."""


def newer(jar: Path, java: int) -> dict[str, int]:
    """Name and Java of every class that a JVM of version ``java`` would load and cannot, those of jars in the jar, too.

    Raises:
        BrokenJar: the file is no jar, or holds something that is called a class and is none.
    """
    try:
        with jar.open("rb") as file:
            return _newer(file, str(jar), java)
    except zipfile.BadZipFile as error:
        raise BrokenJar(f"{jar} is no whole jar ({error}): run `make clean package`") from error


def _newer(file: IO[bytes], shown: str, java: int) -> dict[str, int]:
    found: dict[str, int] = {}
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if name.endswith(".jar"):
                inner = _newer(io.BytesIO(archive.read(name)), f"{shown}!/{name}", java)
                found.update({f"{name}!/{each}": needed for each, needed in inner.items()})
            elif name.endswith(".class") and _is_loaded(name, java):
                needed = _java_of(archive, name, shown)
                if needed > java:
                    found[name] = needed
    return found


def _is_loaded(name: str, java: int) -> bool:
    """Whether a JVM of that version may load it; a module's description counts on a module path only, not on ours."""
    versioned = _VERSIONED.match(name)
    return not name.endswith("module-info.class") and (versioned is None or int(versioned[1]) <= java)


def _java_of(archive: zipfile.ZipFile, name: str, shown: str) -> int:
    with archive.open(name) as file:
        head = file.read(8)
    if len(head) < 8 or not head.startswith(_MAGIC):
        raise BrokenJar(f"{shown}: {name} is no class file: run `make clean package`")
    return int.from_bytes(head[6:8], "big") - _MAJOR_OF_JAVA_0
