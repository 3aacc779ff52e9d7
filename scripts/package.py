"""Builds application.zip as the managed service wants it, from a checkout and the jar that Maven built.

The zip's comment is a digest of all that it was built from, so that a deployment can refuse a stale one.
In the zip: ``main.py`` (entry script), ``python/`` (modules and sql/, which pyFiles puts on the path),
``lib/realtime-analytics.jar`` (the one shaded jar). The same sources give the same bytes. A jar with classes that the
service's Java cannot load is refused.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import zipfile
from pathlib import Path

from config.runtimes import RUNTIMES
from scripts import class_files

ENTRY, MODULES, JAR = "main.py", "python", "lib/realtime-analytics.jar"
#: Property group ``kinesis.analytics.flink.run.options`` of every environment.
RUN_OPTIONS = {"python": ENTRY, "jarfile": JAR, "pyFiles": MODULES}

#: Folders whose files go below python/, and the endings that go.
_FOLDERS = {"contracts": (".py",), "flink_jobs": (".py",), "sql": (".sql",)}
#: Java goes in by its jar; these queries are for the warehouse and for Athena.
_NOT_FLINKS = (("flink_jobs", "java"), ("sql", "athena"), ("sql", "redshift"))
_BUILD_FILES = ("pom.xml", ".mvn/jvm.config", "scripts/package.py")
#: Zip has no time zone and starts in 1980; a fixed time keeps the bytes the same.
_TIME = (1980, 1, 1, 0, 0, 0)
_TOLD = 3


class PackageError(Exception):
    """The jar cannot run on the managed service; the message names the classes and the cure."""


def contents(root: Path, jar: Path) -> dict[str, Path]:
    """Name in the zip to file, in order of name."""
    files = {ENTRY: root / "flink_jobs" / "entry.py", JAR: jar}
    for folder, endings in _FOLDERS.items():
        for path in (root / folder).rglob("*"):
            relative = path.relative_to(root)
            if path.suffix in endings and relative.parts[:2] not in _NOT_FLINKS:
                files[f"{MODULES}/{relative.as_posix()}"] = path
    return dict(sorted(files.items()))


def sources(root: Path) -> dict[str, Path]:
    """Everything in the checkout that decides about the zip's bytes: modules, queries, Java and how they are built."""
    files = {name: path for name, path in contents(root, root / "pom.xml").items() if name != JAR}
    files.update({name: root / name for name in _BUILD_FILES})
    java = root / "flink_jobs" / "java" / "src" / "main"
    files.update({path.relative_to(root).as_posix(): path for path in java.rglob("*") if path.is_file()})
    return dict(sorted(files.items()))


def fingerprint(root: Path) -> str:
    """SHA-256 over names and bytes of the sources."""
    found = hashlib.sha256()
    for name, path in sources(root).items():
        content = path.read_bytes()
        found.update(f"{name}\0{len(content)}\0".encode())
        found.update(content)
    return found.hexdigest()


def built_from(target: Path) -> str:
    """The fingerprint that a zip was built from, empty where it is no zip of ours."""
    try:
        with zipfile.ZipFile(target) as archive:
            return archive.comment.decode("ascii", "replace")
    except zipfile.BadZipFile:
        return ""


def check(jar: Path) -> None:
    """Raises PackageError when a class of the jar is newer than the Java of one of the service's runtimes."""
    for runtime in RUNTIMES.values():
        newer = class_files.newer(jar, int(runtime.java))
        if newer:
            told = ", ".join(f"{name} (Java {java})" for name, java in sorted(newer.items())[:_TOLD])
            raise PackageError(
                f"{jar}: {len(newer)} classes need a newer Java than {runtime.java}, which {runtime.name} runs: "
                f"{told}. Choose an older version of the dependency that brings them, in pom.xml."
            )


def build(root: Path, jar: Path, target: Path) -> int:
    """Writes the zip; returns the number of files in it. PackageError when the service cannot load the jar."""
    check(jar)
    files = contents(root, jar)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w") as archive:
        for name, path in files.items():
            info = zipfile.ZipInfo(name, _TIME)
            info.external_attr = 0o644 << 16
            # Stored: the jar is compressed already, the rest is small, and two versions of zlib give different bytes.
            info.compress_type = zipfile.ZIP_STORED
            archive.writestr(info, path.read_bytes())
        archive.comment = fingerprint(root).encode("ascii")
    partial.replace(target)
    return len(files)


def main() -> None:
    """Command line: ``python -m scripts.package``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path())
    parser.add_argument("--jar", type=Path, default=Path("build/maven/realtime-analytics.jar"))
    parser.add_argument("--target", type=Path, default=Path("build/application.zip"))
    arguments = parser.parse_args()
    if not arguments.jar.is_file():
        sys.exit(f"{arguments.jar} is missing: run `make package`, which builds it first")
    try:
        count = build(arguments.root, arguments.jar, arguments.target)
    except (PackageError, class_files.BrokenJar) as error:
        sys.exit(str(error))
    print(f"{arguments.target}: {count} files, {arguments.target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
