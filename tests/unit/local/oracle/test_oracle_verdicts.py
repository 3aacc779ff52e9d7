"""The oracle's verdicts: the shared payload vectors, and what depends on the records before."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from contracts.columns import Column, ColumnType
from contracts.events import DECIMAL_SCALE, HEARTBEAT
from contracts.rejections import INTAKE_REASONS, Reason
from local.oracle.records import Event, LogRecord
from local.oracle.verdicts import Rejected, Tolerance, Verdicts, decode, judge
from local.traffic.poison import POISON, Poison

_FOLDER = Path(__file__).resolve().parents[3] / "vectors"
VECTORS: list[dict[str, Any]] = json.loads((_FOLDER / "payloads.json").read_text(encoding="utf-8"))
OWN_VECTORS: list[dict[str, Any]] = json.loads((_FOLDER / "own_fields.json").read_text(encoding="utf-8"))
#: Of tests/vectors/own_fields.json.
OWN = (
    Column("device", ColumnType.STRING, "what it was seen on", nullable=True),
    Column("attempt", ColumnType.LONG, "how often it was tried", nullable=True),
    Column("score", ColumnType.DOUBLE, "what a model says", nullable=True),
    Column("beta", ColumnType.BOOLEAN, "whether it is a beta", nullable=True),
)
T0 = 1_763_892_000_000
DELAY, TOLERANCE, WINDOW = 5_000, Tolerance(300_000, 7 * 86_400_000), 600_000


def plain(event: Event) -> dict[str, Any]:
    """The event as the vectors write it."""
    return {
        "event_time": event.time,
        "user_id": event.user_id,
        "event_type": event.event_type,
        "value": event.value,
        "amount": event.amount,
        "session_id": event.session_id,
        "category": event.category,
        "event_id": event.event_id,
        "event_ref": event.ref,
    }


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["name"]))
def test_given_a_shared_payload_then_the_verdict_is_as_written(vector: dict[str, Any]) -> None:
    payload = base64.b64decode(vector["payload"], validate=True)
    tolerance = Tolerance(vector["future_tolerance"], vector.get("past_tolerance", 0))
    if "reason" in vector:
        with pytest.raises(Rejected) as caught:
            decode(payload, vector["arrival"], tolerance)
        assert caught.value.reason.value == vector["reason"]
        return
    event = decode(payload, vector["arrival"], tolerance)
    wanted = dict(vector["event"])
    if wanted["amount"] is not None:
        wanted["amount"] = Decimal(wanted["amount"])
        assert event.amount is not None
        assert event.amount.as_tuple().exponent == -DECIMAL_SCALE
    assert plain(event) == wanted
    assert repr(event.value) == repr(wanted["value"])  # tells -0.0 from 0.0


@pytest.mark.parametrize("vector", OWN_VECTORS, ids=lambda vector: str(vector["name"]))
def test_given_a_teams_own_fields_then_the_verdict_is_as_written(vector: dict[str, Any]) -> None:
    payload = vector["payload"].encode()
    if "reason" in vector:
        with pytest.raises(Rejected) as caught:
            decode(payload, T0, Tolerance(0, 0), OWN)
        assert caught.value.reason.value == vector["reason"]
        return
    own = decode(payload, T0, Tolerance(0, 0), OWN).own
    assert list(own) == [column.name for column in OWN]
    assert list(map(repr, own.values())) == list(map(repr, vector["own"]))  # tells true from 1


def test_given_the_vectors_of_own_fields_then_each_kind_has_a_value_and_a_wrong_one() -> None:
    values = [vector["own"] for vector in OWN_VECTORS if "own" in vector]
    details = [vector["detail"] for vector in OWN_VECTORS if "detail" in vector]
    for number, column in enumerate(OWN):
        assert any(each[number] is not None for each in values), column.name
        assert any(each.startswith(column.name) for each in details), column.name


def test_given_the_vectors_then_they_are_readable_unique_and_hold_every_verdict_of_a_payload() -> None:
    names = [vector["name"] for vector in VECTORS]
    assert len(set(names)) == len(names)
    for vector in VECTORS:
        assert ("reason" in vector) != ("event" in vector), vector["name"]
        if "text" in vector:
            assert vector["text"].encode() == base64.b64decode(vector["payload"]), vector["name"]
    of_a_log = {Reason.LATE, Reason.LATE_AFTER_IDLE, Reason.DUPLICATE}
    assert {vector["reason"] for vector in VECTORS if "reason" in vector} == {
        reason.value for reason in INTAKE_REASONS if reason not in of_a_log
    }


@pytest.mark.parametrize("payload", [b'"' + b'\\"' * 500_000, b"[" * 1_000_000, b'{"a":"' + b"[" * 1_000_000])
def test_given_a_mebibyte_of_marks_then_it_is_malformed_in_bounded_time(payload: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        decode(payload, T0, TOLERANCE)
    assert caught.value.reason is Reason.MALFORMED


@pytest.mark.parametrize(("reason", "make"), POISON)
def test_given_the_demos_poison_then_it_is_rejected_for_what_it_is(reason: Reason, make: Poison) -> None:
    with pytest.raises(Rejected) as caught:
        decode(make(T0), T0, TOLERANCE)
    assert caught.value.reason is reason


def test_given_the_demos_poison_then_each_kind_is_another_record() -> None:
    assert len({make(T0) for _, make in POISON}) == len(POISON)


class Log:
    """Builds shard logs; times are milliseconds after T0."""

    def __init__(self) -> None:
        self.records: list[LogRecord] = []

    def event(self, time: int, shard: str = "a", event_type: str = "view", event_id: str | None = None) -> Log:
        fields: dict[str, Any] = {"event_time": T0 + time, "user_id": 7, "event_type": event_type}
        if event_id is not None:
            fields["event_id"] = event_id
        return self.raw(json.dumps(fields).encode(), shard)

    def raw(self, payload: bytes, shard: str = "a") -> Log:
        self.records.append(LogRecord("events", shard, str(len(self.records)), T0 + 60 * 60_000, payload))
        return self

    def judged(self, *, window: int = WINDOW, after_idle: frozenset[tuple[str, str]] = frozenset()) -> Verdicts:
        return judge(
            self.records,
            watermark_delay=DELAY,
            tolerance=TOLERANCE,
            duplicate_window=window,
            after_idle=after_idle,
        )

    def verdicts(self, **options: Any) -> list[str]:
        """Per record its reason, or "ok"."""
        rejected = self.judged(**options).rejected
        places = [(record.partition, record.position) for record in self.records]
        return [rejected[place].value if place in rejected else "ok" for place in places]


def test_given_an_event_exactly_the_delay_behind_its_shard_then_it_is_late_and_a_millisecond_less_is_not() -> None:
    assert Log().event(10_000).event(5_001).event(5_000).verdicts() == ["ok", "ok", "late"]


def test_given_the_first_event_of_a_shard_then_it_is_never_late() -> None:
    assert Log().event(100_000, "a").event(0, "b").event(0, "a").verdicts() == ["ok", "ok", "late"]


def test_given_a_rejected_record_then_it_does_not_move_the_shards_clock() -> None:
    future = json.dumps({"event_time": T0 + 10**9, "user_id": 7, "event_type": "view"}).encode()
    invalid = json.dumps({"event_time": T0 + 50_000, "user_id": "x", "event_type": "view"}).encode()
    log = Log().event(10_000).raw(future).raw(invalid).raw(b"").event(5_000).event(5_001)
    assert log.verdicts() == ["ok", "future", "invalid_type", "malformed", "late", "ok"]


def test_given_a_late_record_then_it_does_not_move_the_shards_clock_back() -> None:
    assert Log().event(10_000).event(0).event(5_000).verdicts() == ["ok", "late", "late"]


def test_given_a_heartbeat_then_it_is_accepted_moves_the_clock_and_is_no_event() -> None:
    log = Log().event(0).event(60_000, event_type=HEARTBEAT).event(55_000)
    assert log.verdicts() == ["ok", "ok", "late"]
    verdicts = log.judged()
    assert (verdicts.heartbeats, verdicts.accepted, len(verdicts.events)) == (1, 2, 1)


def test_given_an_event_id_again_then_it_is_a_duplicate_until_exactly_the_window() -> None:
    log = Log().event(0, event_id="e").event(WINDOW - 1, event_id="e").event(WINDOW, event_id="e")
    assert log.verdicts() == ["ok", "duplicate", "ok"]


def test_given_an_event_id_again_with_an_earlier_time_then_it_is_a_duplicate_too() -> None:
    assert Log().event(3_000, event_id="e").event(0, event_id="e").verdicts() == ["ok", "duplicate"]


def test_given_an_event_id_on_two_shards_then_the_second_is_a_duplicate() -> None:
    assert Log().event(0, "a", event_id="e").event(0, "b", event_id="e").verdicts() == ["ok", "duplicate"]


def test_given_no_event_id_then_every_record_counts() -> None:
    assert Log().event(0).event(0).event(0, event_id="e").event(0, event_id="f").verdicts() == ["ok"] * 4


def test_given_a_window_of_zero_then_nothing_is_a_duplicate() -> None:
    assert Log().event(0, event_id="e").event(0, event_id="e").verdicts(window=0) == ["ok", "ok"]


def test_given_a_duplicate_then_it_has_moved_the_shards_clock() -> None:
    """Lateness is decided in the source, duplicates behind it."""
    log = Log().event(0, event_id="e").event(60_000, event_id="e").event(55_000)
    assert log.verdicts() == ["ok", "duplicate", "late"]


def test_given_a_rejected_event_then_its_event_id_is_free() -> None:
    log = Log().event(10_000).event(0, event_id="e").event(10_000, event_id="e")
    assert log.verdicts() == ["ok", "late", "ok"]


def test_given_a_record_that_came_back_from_idleness_then_it_is_late_after_idle_unless_its_own_log_says_late() -> None:
    log = Log().event(10_000).event(11_000).event(0)
    assert log.verdicts(after_idle=frozenset({("a", "1"), ("a", "2")})) == ["ok", "late_after_idle", "late"]


def test_given_any_log_then_accepted_and_rejected_are_all_that_was_read() -> None:
    log = Log().event(0, event_id="e").event(0, event_id="e").raw(b"x").event(1, event_type=HEARTBEAT)
    verdicts = log.judged()
    assert verdicts.accepted + len(verdicts.rejected) == len(log.records)
