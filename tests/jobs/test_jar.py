"""The shaded jar: the same sources give the same bytes, and what the connector loads by name is in it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.jobs.harness import JAR, ROOT

#: What Maven reads of the checkout for the jar.
_SOURCES = ("pom.xml", ".mvn", "flink_jobs/java")
_AN_OLD_DAY = 1_600_000_000
#: Maven in a process of its own umask, which a thread of this one could not have.
_MAVEN = "import os, sys; os.umask(0o077); os.execvp(sys.argv[1], sys.argv[1:])"


def test_given_the_same_sources_elsewhere_of_another_time_zone_and_umask_then_the_jar_is_the_same(
    jar: Path, tmp_path: Path
) -> None:
    checkout = tmp_path / "another folder"
    for name in _SOURCES:
        source, target = ROOT / name, checkout / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
    for path in checkout.rglob("*"):
        os.utime(path, (_AN_OLD_DAY, _AN_OLD_DAY))
    maven = (
        "mvn",
        "-B",
        "-q",
        "-o",
        f"-Dmaven.repo.local={ROOT / '.cache' / 'm2'}",
        "-Dmaven.test.skip=true",
        "package",
    )
    done = subprocess.run(  # noqa: S603 - Maven, on a copy of our sources
        [sys.executable, "-c", _MAVEN, *maven],
        cwd=checkout,
        env={**os.environ, "TZ": "Asia/Seoul", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rebuilt = checkout / "build" / "maven" / "realtime-analytics.jar"
    assert _digest(rebuilt) == _digest(jar)


def test_the_jar_holds_what_takes_aggregated_records_apart_and_signs_in_to_msk_and_no_ballast() -> None:
    with zipfile.ZipFile(JAR) as jar:
        names = set(jar.namelist())
    kinesis = "org/apache/flink/kinesis/shaded/com/amazonaws/services/kinesis/clientlibrary/types"
    assert f"{kinesis}/UserRecord.class" in names
    assert f"{kinesis}/Messages$AggregatedRecord.class" in names
    assert "org/apache/flink/kinesis/shaded/com/google/protobuf/ByteString.class" in names
    assert "software/amazon/msk/auth/iam/IAMLoginModule.class" in names
    # Kafka's compressions, for the service and for laptops; no program of the Kinesis producer library.
    natives = {name.rpartition("/")[0] for name in names if name.endswith((".so", ".dylib", ".dll", ".a"))}
    assert natives == {
        f"{library}{system}"
        for library, systems in {
            "": ("linux/amd64", "linux/aarch64", "darwin/x86_64", "darwin/aarch64"),
            "net/jpountz/util/": ("linux/amd64", "linux/aarch64", "darwin/x86_64", "darwin/aarch64"),
            "org/xerial/snappy/native/": ("Linux/x86_64", "Linux/aarch64", "Mac/x86_64", "Mac/aarch64"),
        }.items()
        for system in systems
    }
    assert not [name for name in names if "kinesis-producer-native" in name]


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
