"""Attaches the jobs to the accepted events: a query by itself, rules by lane."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyflink.common import Types
from pyflink.datastream import DataStream, KeyedProcessFunction, KeyedStream, RuntimeContext
from pyflink.datastream.state import MapStateDescriptor
from pyflink.table import StreamTableEnvironment

from contracts.entry import check
from contracts.events import Event
from contracts.results import SCHEMAS, ResultType
from flink_jobs import sql_files
from flink_jobs.engine.gateway import ints, java, string_arrays, strings
from flink_jobs.engine.host import Host
from flink_jobs.engine.lanes import EVENT_KINDS, Lane, RuleError, lanes
from flink_jobs.jobs import rule_of
from flink_jobs.query import stream_of
from flink_jobs.rule import Rule, result_columns
from flink_jobs.settings import Settings

#: Objects, collections of the young and of the middle generation between two collections of the next older one.
_COLLECTIONS = (200_000, 20, 50)
_BYTES = Types.PRIMITIVE_ARRAY(Types.BYTE())


@dataclass(frozen=True)
class Inputs:
    """What a job may read: the accepted events as a stream of rows, and as the table ``events``."""

    events: DataStream
    tables: StreamTableEnvironment
    sql: Path
    settings: Settings


@dataclass(frozen=True)
class Rows:
    """A job's rows and the names of their fields, in order."""

    stream: DataStream
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Attached:
    """Rows by job, and Java streams of the events on which a rule failed."""

    rows: dict[ResultType, Rows]
    failed: list[Any]


class LaneFunction(KeyedProcessFunction):  # type: ignore[misc]  # PyFlink has no types
    """Keyed by group; in: messages of ``Slots``; out: what ``Unpack`` reads."""

    def __init__(self, lane: Lane, most: int) -> None:
        self._lane = lane
        self._most = most
        self._host: Host
        self._store: Any

    def open(self, runtime_context: RuntimeContext) -> None:
        """Registers the state: what the entries write, by name."""
        # Pickled: in thread mode Flink 1.20's converter of byte arrays fails on a name that is not there.
        self._store = runtime_context.get_map_state(
            MapStateDescriptor("entries", Types.STRING(), Types.PICKLED_BYTE_ARRAY())
        )
        self._host = Host(self._lane, self._most)
        # Events and states have no cycles, and a collection walks all that are live: every 700 objects
        # that is a quarter of the worker's time. See https://docs.python.org/3/library/gc.html#gc.freeze
        gc.freeze()
        gc.set_threshold(*_COLLECTIONS)

    def process_element(self, value: bytes, ctx: KeyedProcessFunction.Context) -> Iterator[bytes]:
        """Does what the message says."""
        return self._host.take(bytes(value), ctx.get_current_key(), self._store)


def attach(inputs: Inputs) -> Attached:
    """The rows of all jobs that are enabled.

    Raises:
        ContractError: an entry is not what it may be, or a query does not give what its entry says.
        RuleError: a rule cannot run as it is declared, or the engine cannot run it safely.
    """
    for job in map(ResultType, inputs.settings.jobs.enabled):
        check(job.value, SCHEMAS[job])
    rows: dict[ResultType, Rows] = {}
    rules: list[Rule[Any, Any]] = []
    for job in map(ResultType, inputs.settings.jobs.enabled):
        rule = rule_of(job, inputs.settings)
        if rule is None:
            rows[job] = _query(job, inputs)
        else:
            rules.append(rule)
    failed = []
    for lane in lanes(rules):
        unpacked = _lane(lane, inputs)
        failed.append(unpacked.failed())
        for rule in lane.rules:
            stream = DataStream(unpacked.rows(rule.job.value))
            rows[rule.job] = Rows(stream, tuple(result_columns(SCHEMAS[rule.job])))
    return Attached(rows, failed)


def _query(job: ResultType, inputs: Inputs) -> Rows:
    stream, columns = stream_of(job, sql_files.read(inputs.sql, job, inputs.settings), inputs.tables)
    java("sql.OperatorIds").assign(stream._j_data_stream, inputs.events._j_data_stream, job.value)
    return Rows(stream, columns)


def _lane(lane: Lane, inputs: Inputs) -> Any:
    slots = java("slots.Slots").attach(inputs.events._j_data_stream, _java_lane(lane))
    keyed = KeyedStream(slots, _BYTES, DataStream(slots))
    function = LaneFunction(lane, inputs.settings.jobs.entries_in_memory)
    packed = keyed.process(function, output_type=_BYTES).name(f"{lane.name} rules").uid(f"{lane.name}-rules")
    if not java("slots.Chain").joins(slots, packed._j_data_stream):
        # State is written by the last message ahead of a barrier, which must not wait in a network buffer.
        raise RuleError(
            f"{lane.name}: the operators 'slots' and 'rules' are not chained, so a checkpoint could miss state. Leave "
            "pipeline.operator-chaining.enabled on, and give both the same parallelism and slot sharing group."
        )
    columns = [result_columns(SCHEMAS[rule.job]) for rule in lane.rules]
    return java("slots.Unpack").attach(
        packed._j_data_stream,
        lane.name,
        strings(rule.job.value for rule in lane.rules),
        strings("".join(each.values()) for each in columns),
        string_arrays(columns),
    )


def _java_lane(lane: Lane) -> Any:
    return java("slots.Lane")(
        lane.name,
        Event._fields.index(lane.key),
        strings(lane.event_types),
        _positions(lane.needs),
        lane.slot,
        lane.shrinks,
        strings(lane.fields),
        "".join(EVENT_KINDS[name] for name in lane.fields),
        _positions(lane.fields),
    )


def _positions(names: Iterable[str]) -> Any:
    return ints(Event._fields.index(name) for name in names)
