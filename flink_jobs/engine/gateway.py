"""The few places where PyFlink's public API does not reach and the JVM is called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pyflink.java_gateway import get_gateway
from pyflink.util.java_utils import to_jarray

_PACKAGE = "realtime.analytics"


def java(name: str) -> Any:
    """A class of flink_jobs/java by its name below the package, ``slots.Slots`` say.

    Loaded through the context class loader, which knows the job's jar both on the managed service and here.
    """
    jvm = get_gateway().jvm
    found = jvm
    for part in f"{_PACKAGE}.{name}".split("."):
        found = getattr(found, part)
    return found


def strings(values: Iterable[str]) -> Any:
    """A Java ``String[]``."""
    return to_jarray(get_gateway().jvm.java.lang.String, list(values))


def ints(values: Iterable[int]) -> Any:
    """A Java ``int[]``."""
    return to_jarray(get_gateway().jvm.int, list(values))


def string_arrays(values: Iterable[Iterable[str]]) -> Any:
    """A Java ``String[][]``."""
    arrays = [strings(each) for each in values]
    result = get_gateway().new_array(get_gateway().jvm.java.lang.String, len(arrays), 0)
    for number, each in enumerate(arrays):
        result[number] = each
    return result


def streams(values: Iterable[Any]) -> Any:
    """A Java ``DataStream[]``."""
    return to_jarray(get_gateway().jvm.org.apache.flink.streaming.api.datastream.DataStream, list(values))


def properties(values: Mapping[str, str]) -> Any:
    """A ``java.util.Properties``."""
    result = get_gateway().jvm.java.util.Properties()
    for key, value in values.items():
        result.setProperty(key, value)
    return result
