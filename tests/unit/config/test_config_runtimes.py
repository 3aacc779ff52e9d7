"""The runtime table says what the build and the tests really use."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from botocore.session import Session

from config.runtimes import RUNTIMES

ROOT = Path(__file__).resolve().parents[3]
RUNTIME = RUNTIMES["FLINK-1_20"]


def test_the_versions_are_those_of_the_builds() -> None:
    pom = (ROOT / "pom.xml").read_text(encoding="utf-8")
    requirements = (ROOT / "requirements" / "dev.in").read_text(encoding="utf-8")
    assert f"<flink.version>{RUNTIME.flink}</flink.version>" in pom
    assert f"<kinesis.connector.version>{RUNTIME.connector}</kinesis.connector.version>" in pom
    assert f"<maven.compiler.release>{RUNTIME.java}</maven.compiler.release>" in pom
    assert re.search(rf"^apache-flink=={re.escape(RUNTIME.flink)}\s", requirements, re.MULTILINE)
    assert ".".join(map(str, sys.version_info[:2])) == RUNTIME.python


def test_the_service_knows_every_runtime() -> None:
    shape = Session().get_service_model("kinesisanalyticsv2").shape_for("RuntimeEnvironment")
    assert set(RUNTIMES) <= set(shape.enum)
