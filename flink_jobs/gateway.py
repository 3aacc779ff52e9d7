"""The few places where PyFlink's public API does not reach and the JVM is called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pyflink.common import Types
from pyflink.common.typeinfo import _from_java_type
from pyflink.datastream import DataStream, KeyedStream
from pyflink.java_gateway import get_gateway
from pyflink.util.java_utils import to_jarray

_PACKAGE = "realtime.analytics"


def java(name: str) -> Any:
    """A class of flink_jobs/java by its name below the package, ``jobs.FraudJob`` say.

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


def doubles(values: Iterable[float]) -> Any:
    """A Java ``double[]``."""
    return to_jarray(get_gateway().jvm.double, list(values))


def streams(values: Iterable[Any]) -> Any:
    """A Java ``DataStream[]``."""
    return to_jarray(get_gateway().jvm.org.apache.flink.streaming.api.datastream.DataStream, list(values))


def properties(values: Mapping[str, str]) -> Any:
    """A ``java.util.Properties``."""
    result = get_gateway().jvm.java.util.Properties()
    for key, value in values.items():
        result.setProperty(key, value)
    return result


def keyed_by_first_field(j_stream: Any) -> KeyedStream:
    """A Java stream of rows (key, value) as a keyed stream for a Python function, which sees the value.

    ``DataStream.key_by`` would send every event through a Python worker once more, only to read its key.
    """
    row_type = _from_java_type(j_stream.getType())
    key_type, value_type = row_type.get_field_types()
    selector = get_gateway().jvm.KeyByKeySelector()
    keyed = j_stream.keyBy(selector, Types.ROW([key_type]).get_java_type_info())
    return KeyedStream(keyed, value_type, DataStream(j_stream))
