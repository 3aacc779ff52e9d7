"""Which classes of a jar a JVM cannot load."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.class_files import BrokenJar, newer
from tests.unit.scripts.jars import write_jar


def test_given_classes_of_older_javas_and_of_the_same_then_none_is_newer(tmp_path: Path) -> None:
    jar = write_jar(tmp_path / "a.jar", {"a/One.class": 1, "a/Eight.class": 8, "a/Eleven.class": 11})
    assert newer(jar, 11) == {}


def test_given_a_class_of_java_17_then_java_11_cannot_load_it_and_java_17_can(tmp_path: Path) -> None:
    jar = write_jar(tmp_path / "a.jar", {"a/Old.class": 11, "software/amazon/msk/Token.class": 17})
    assert newer(jar, 11) == {"software/amazon/msk/Token.class": 17}
    assert newer(jar, 17) == {}


def test_given_a_multi_release_jar_then_only_the_classes_that_this_java_looks_at_count(tmp_path: Path) -> None:
    classes = {"META-INF/versions/11/a/A.class": 17, "META-INF/versions/17/a/A.class": 17, "a/A.class": 8}
    assert newer(write_jar(tmp_path / "a.jar", classes), 11) == {"META-INF/versions/11/a/A.class": 17}


def test_given_the_description_of_a_module_then_it_does_not_count(tmp_path: Path) -> None:
    classes = {"module-info.class": 21, "META-INF/versions/9/module-info.class": 21}
    assert newer(write_jar(tmp_path / "a.jar", classes), 11) == {}


def test_given_a_jar_in_the_jar_then_its_classes_count(tmp_path: Path) -> None:
    inner = write_jar(tmp_path / "inner.jar", {"b/B.class": 21})
    outer = write_jar(tmp_path / "outer.jar", {"a/A.class": 11}, {"lib/inner.jar": inner.read_bytes()})
    assert newer(outer, 11) == {"lib/inner.jar!/b/B.class": 21}


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"a/A.class": b"no class at all"}, r"a\.jar: a/A\.class is no class file: run `make clean package`"),
        ({"a/A.class": b"\xca\xfe\xba"}, r"a\.jar: a/A\.class is no class file: run `make clean package`"),
        ({"lib/inner.jar": b"no jar"}, r"a\.jar is no whole jar \(.+\): run `make clean package`"),
    ],
)
def test_given_an_entry_that_is_not_what_its_name_says_then_the_jar_is_refused(
    tmp_path: Path, others: dict[str, bytes], message: str
) -> None:
    with pytest.raises(BrokenJar, match=message):
        newer(write_jar(tmp_path / "a.jar", {}, others), 11)
