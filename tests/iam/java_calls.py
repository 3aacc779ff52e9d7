"""Which calls of AWS a class file refers to, read from its constant pool: no JDK needed."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parents[2]
JAR = ROOT / "build" / "maven" / "realtime-analytics.jar"

#: Interfaces of the AWS SDKs for Java, 1 and 2, wherever they are shaded to; the group is the service.
_CLIENT = re.compile(r"(?:com/amazonaws|awssdk)/services/(\w+)/(?:Amazon\w+|\w+Client)$")
_UTF8, _CLASS, _LONG, _DOUBLE, _STRING_LIKE = 1, 7, 5, 6, (7, 8, 16, 19, 20)
_METHODS, _NAME_AND_TYPE = (10, 11), 12
_FOUR_BYTES = (3, 4, 9, 10, 11, 12, 17, 18)


def client_calls(pattern: str, jar: Path = JAR) -> set[tuple[str, str]]:
    """(service, method) of every AWS client that classes below ``pattern`` refer to."""
    found = set()
    with ZipFile(jar) as archive:
        for name in archive.namelist():
            if name.endswith(".class") and re.match(pattern, name):
                for owner, method in _references(archive.read(name)):
                    client = _CLIENT.search(owner)
                    if client is not None:
                        found.add((client[1], method))
    return found


def _references(data: bytes) -> Iterator[tuple[str, str]]:
    """Class and name of the methods that a class refers to (JVM specification, 4.4)."""
    texts: dict[int, str] = {}
    classes: dict[int, int] = {}
    names: dict[int, int] = {}
    methods: list[tuple[int, int]] = []
    (count,) = struct.unpack_from(">H", data, 8)
    position, index = 10, 1
    while index < count:
        tag = data[position]
        if tag == _UTF8:
            (length,) = struct.unpack_from(">H", data, position + 1)
            texts[index] = data[position + 3 : position + 3 + length].decode("utf-8", "replace")
            position += 3 + length
        elif tag in (_LONG, _DOUBLE):
            position, index = position + 9, index + 1  # they take two places
        elif tag in _STRING_LIKE:
            if tag == _CLASS:
                (classes[index],) = struct.unpack_from(">H", data, position + 1)
            position += 3
        elif tag in _FOUR_BYTES:
            first, second = struct.unpack_from(">HH", data, position + 1)
            if tag in _METHODS:
                methods.append((first, second))
            elif tag == _NAME_AND_TYPE:
                names[index] = first
            position += 5
        else:  # a method handle
            position += 4
        index += 1
    for owner, name in methods:
        yield texts[classes[owner]], texts[names[name]]
