"""A rule that fails costs its own events and nothing else: they become rejections, and somebody is told."""

from __future__ import annotations

import hashlib
import json
import logging
import struct
from typing import Any

import pytest

from contracts.events import Event
from contracts.results import ResultType
from flink_jobs.engine import host as engine
from flink_jobs.engine.host import Host
from flink_jobs.engine.lanes import lanes
from flink_jobs.rule import result_of
from flink_jobs.testing import Job, Rejected, event
from tests.unit.flink_jobs.engine.reference import encoded
from tests.unit.flink_jobs.engine.sample import MINUTE, Count, Counting, hand_over, taken, told

#: The failures' digest of key 1.
ONE = hashlib.sha256(b"1").hexdigest()[:32]


class Store(dict[str, bytes]):
    """A group's part of Flink's state."""

    def put(self, key: str, value: bytes) -> None:
        self[key] = value

    def remove(self, key: str) -> None:
        del self[key]


def ended(*events: Event) -> Job:
    """A job that has taken the events, each in its own slot, and then all time."""
    job = Job(Counting(slot=1_000))
    for each in events:
        job.take([each])
        job.pass_time(each.event_time + 1_000)
    job.pass_time(2**63 - 1)
    return job


class TestABatchOnWhichARuleRaises:
    def test_its_events_are_rejected_with_what_names_them(self) -> None:
        job = ended(event(1_000, value=2.5, category="raise"))
        detail = "fraud raised ArithmeticError: user 1 ?"
        payload = {
            "event_time": 1_000,
            "user_id": 1,
            "event_type": "view",
            "amount": 2_500_000,
            "category": "raise",
            "event_ref": "",
        }
        assert job.rejected == [Rejected("fraud", ONE, "1000-0", detail, json.dumps(payload), 1_000)]

    def test_events_of_one_time_have_places_of_their_own(self) -> None:
        job = Job(Counting())
        job.take([event(5), event(5, category="raise"), event(6), event(5)])
        job.pass_time(MINUTE)
        assert [each.position for each in job.rejected] == ["5-0", "5-1", "5-2", "6-0"]

    def test_the_key_keeps_the_state_from_before_and_what_it_emitted_is_void(self) -> None:
        job = ended(event(0, value=1.0), event(1_000, category="raise"), event(2_000, value=2.0))
        assert job.results() == [told(1, Count(2, 3_000_000, 2_000))]

    def test_a_new_key_has_no_state(self) -> None:
        assert ended(event(0, category="raise")).results() == []

    def test_other_keys_do_not_notice(self) -> None:
        job = Job(Counting())
        job.take([event(0, user_id=user, category="raise" if user == 3 else None) for user in range(6)])
        job.pass_time(10 * MINUTE)
        assert sorted(row.user_id for row in job.results()) == [0, 1, 2, 4, 5]
        assert len(job.rejected) == 1

    def test_other_jobs_do_not_notice(self) -> None:
        [lane] = lanes([Counting(), Sessions()])
        host = Host(lane, 1_000)
        host.read(0, Store())
        hand_over(host, 0, MINUTE, {0: [event(1, category="raise"), event(2)]})
        hand_over(host, 10 * MINUTE, 10 * MINUTE, {})
        fraud, session = host.given()
        assert fraud.rows == []
        assert [row[5] for row in session.rows] == [2]
        assert {failure[0] for failure in host.failures()} == {"fraud"}

    @pytest.mark.parametrize(
        ("category", "error"),
        [
            ("due", "LookupError"),
            ("no state", "AttributeError"),
            ("unknown type", "ValueError"),
            ("fraction", "TypeError"),
        ],
    )
    def test_so_it_is_when_the_new_state_cannot_be_kept(self, category: str, error: str) -> None:
        job = ended(event(0), event(1_000, category=category), event(2_000))
        [rejected] = job.rejected
        assert rejected.detail.startswith(f"fraud raised {error}: ")
        assert rejected.position == "1000-0"
        assert job.results() == [told(1, Count(2, 0, 2_000))]


class TestAStateOnWhichARuleRaises:
    def test_the_end_of_the_input_asks_once_not_every_hour_until_the_end_of_time(self) -> None:
        job = Job(Counting())
        job.take([event(1_000, category="on_time")])
        job.pass_time(2**63 - 1)
        assert len(job.rejected) == 1

    def test_many_failures_come_in_portions(self) -> None:
        host, users = started(Counting()), range(25_000)
        hand_over(host, 0, MINUTE, {0: [event(1, user_id=user, category="on_time") for user in users]})
        given = list(host.take(message(10 * MINUTE, 10 * MINUTE), 0, Store()))
        failures = [block for block in given if struct.unpack_from("<i", block) == (-1,)]
        assert [struct.unpack_from("<ii", block)[1] for block in failures] == [10_000, 10_000, 5_000]

    @pytest.mark.parametrize(
        ("category", "detail"),
        [
            ("on_time", "fraud raised LookupError: on time"),
            ("still due", "fraud raised ValueError: on_time at 120000 gave a state that is due at 61000: give one"),
        ],
    )
    def test_the_state_is_rejected_and_kept_and_the_rule_is_asked_again_an_hour_later(
        self, category: str, detail: str
    ) -> None:
        job = Job(Counting())
        job.take([event(1_000, category=category)])
        job.pass_time(2 * MINUTE)
        job.pass_time(59 * MINUTE)
        [rejected] = job.rejected
        assert rejected.detail.startswith(detail)
        assert (rejected.job, rejected.key, rejected.position) == ("fraud", ONE, "120000-0")
        assert rejected.event_time == 2 * MINUTE
        assert rejected.payload == "Count(count=1, micros=0, last=1000)"
        assert job.results() == [told(1, Count(1, 0, 1_000))], "of the batch; what on_time emitted is void"
        job.restart()
        job.pass_time(70 * MINUTE)
        assert [each.position for each in job.rejected] == ["120000-0", f"{62 * MINUTE}-0"]


class TestARowThatIsWrong:
    @pytest.mark.parametrize(
        ("row", "error"),
        [
            (told(1, Count(1, 0, 7), user_id="one"), "TypeError"),
            (told(1, Count(1, 0, 7), user_id=None), "ValueError: user_id is None"),
            (told(1, Count(1, 0, 7), needs_from=None), "ValueError: needs_from is None"),
            (told(1, Count(1, 0, 7), event_time=2**63), "OverflowError"),
            (told(1, Count(1, 0, 7), event_time=None), "ValueError: event_time is None"),
            (told(1, Count(1, 0, 7), risk_score=float("nan")), "ValueError: nan is no number of JSON"),
            (told(1, Count(1, 0, 7), alert_level=1), "TypeError"),
            (told(1, Count(1, 0, 7), alert_level="x" * 150_001), "ValueError: a text of 150,001 bytes does not fit"),
            (told(1, Count(1, 0, 7), alert_level="\ud800"), "UnicodeEncodeError"),
            ((1, 2), "ValueError"),
            ((), "ValueError"),
            (5, "TypeError"),
        ],
    )
    def test_it_is_rejected_and_the_others_are_given(self, row: Any, error: str) -> None:
        class Wrong(Counting):
            """Gives the row as user 3."""

            def on_time(self, key: int, state: Count, now: int, emit: Any) -> None:
                emit(row if key == 3 else told(key, state))

        host = started(Wrong())
        hand_over(host, 0, MINUTE, {0: [event(1, user_id=user) for user in range(6)]})
        # The message as the JVM has it: what is wrong must not keep it from being written.
        given = taken(host, message(10 * MINUTE, 10 * MINUTE), 0, Store())
        assert struct.unpack_from("<ii", given) == (0, 5), "five rows of the first job"
        assert b"fraud raised " + error.encode() in given

    def test_its_time_is_kept_and_its_place_is_told(self) -> None:
        class Wrong(Counting):
            """Gives a level that is no text."""

            def on_time(self, key: int, state: Count, now: int, emit: Any) -> None:
                emit(told(key, state, alert_level=1))

        job = Job(Wrong())
        job.take([event(1_000)])
        job.pass_time(5 * MINUTE)
        [rejected] = job.rejected
        assert (rejected.job, rejected.event_time, rejected.position) == ("fraud", 1_000, "1000-0")
        assert "alert_level=1" in rejected.payload


class Unwritable(Exception):
    """Cannot say what is wrong."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class TestWhatCannotBeWritten:
    def test_a_number_of_too_many_digits(self) -> None:
        class Wrong(Counting):
            """Gives a decimal that Python does not write."""

            def on_time(self, key: int, state: Count, now: int, emit: Any) -> None:
                emit(told(key, state, risk_score=10**5000))

        job = Job(Wrong())
        job.take([event(1_000)])
        job.pass_time(5 * MINUTE)
        [rejected] = job.rejected
        assert rejected.payload == "a fraud_result that cannot be written (ValueError)"

    def test_an_error_without_words(self) -> None:
        class Wrong(Counting):
            """Raises it."""

            def on_batch(self, key: int, state: Any, events: Any, emit: Any) -> Any:
                raise Unwritable

        job = Job(Wrong())
        job.take([event(1_000)])
        job.pass_time(5 * MINUTE)
        [rejected] = job.rejected
        assert rejected.detail == "fraud raised Unwritable: a Unwritable that cannot be written (RuntimeError)"


class TestLog:
    def test_it_is_told_once_a_minute_with_the_traceback(
        self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = 1_000.0
        monkeypatch.setattr("flink_jobs.engine.host.time.monotonic", lambda: now)
        host = started(Counting())

        def fail(slot: int) -> None:
            hand_over(host, slot * MINUTE, (slot + 1) * MINUTE, {0: [event(slot * MINUTE + 1, category="raise")] * 3})

        with caplog.at_level(logging.ERROR, "flink_jobs.rules"):
            fail(0)
            assert len(caplog.records) == 1
            now += 59.9
            fail(1)
            assert len(caplog.records) == 1
            now += 0.1
            fail(2)
        first, second = (record.getMessage() for record in caplog.records)
        assert first.startswith("fraud: the rule failed on 1 events; the last time:\nTraceback")
        assert first.endswith("\nArithmeticError"), "without its message, which names the user"
        assert 'raise ArithmeticError(f"user {key}' in first
        assert second.startswith("fraud: the rule failed on 6 events; ")


class TestMessages:
    """What Slots.java says."""

    def test_a_slots_parts_are_put_together_and_sorted(self) -> None:
        host = started(Counting())
        late, early = part([[30, 1], [20, 2]]), part([[10, 1]])
        taken(host, message(0, MINUTE, (0, late), (0, early)), 0, Store())
        hand_over(host, 10 * MINUTE, 10 * MINUTE, {})
        [given] = host.given()
        assert sorted(given.rows) == [told(2, Count(1, 0, 20)), told(1, Count(2, 0, 30))]

    def test_what_is_due_at_once_comes_in_portions(self) -> None:
        host, users = started(Counting()), range(25_000)
        hand_over(host, 0, MINUTE, {0: [event(1, user_id=user) for user in users]})
        given = list(host.take(message(10 * MINUTE, 10 * MINUTE), 0, Store()))
        assert [struct.unpack_from("<ii", block) for block in given] == [(0, 10_000), (0, 10_000), (0, 5_000)]

    def test_nothing_comes_of_it_is_nothing(self) -> None:
        assert taken(started(Counting()), message(0, MINUTE), 0, Store()) == b""

    def test_write_and_read_carry_the_state_to_another_worker(self) -> None:
        store = Store()
        first = started(Counting())
        taken(first, message(0, MINUTE, (0, part([[1, 1]]))), 0, store)
        assert taken(first, struct.pack("<bqqi", engine.WRITE, 0, 0, 0), 0, store) == b""
        second = Host(lanes([Counting()])[0], 1_000)
        assert taken(second, struct.pack("<bqqi", engine.READ, 0, 0, 0), 0, store) == b""
        given = taken(second, message(10 * MINUTE, 10 * MINUTE), 0, store)
        assert struct.unpack_from("<ii", given) == (0, 1)


class Sessions(Counting):
    """The same, as another job of the lane; it fails on nothing."""

    job = ResultType.SESSION

    def on_batch(self, key: int, state: Count | None, events: Any, emit: Any) -> Count:
        return Count((state.count if state else 0) + len(events), 0, events[-1].event_time)

    def on_time(self, key: int, state: Count, now: int, emit: Any) -> None:
        make = result_of(self.job)
        emit(make(state.last, key, 0, state.last, 0.0, state.count, 0, [], 0))


def started(rule: Counting) -> Host:
    [lane] = lanes([rule])
    host = Host(lane, 1_000)
    host.read(0, Store())
    return host


def part(rows: list[list[Any]]) -> bytes:
    """Events of times and users."""
    fields = {"event_time": "q", "user_id": "q", "event_type": "s", "amount": "m", "category": "s"}
    return encoded(fields, [[*row, "view", 0, None] for row in rows])


def message(start: int, end: int, *parts: tuple[int, bytes]) -> bytes:
    """A slot, as Slots.java writes it."""
    packed = [struct.pack("<ii", group, len(columns)) + columns for group, columns in parts]
    return struct.pack("<bqqi", engine.SLOT, start, end, len(parts)) + b"".join(packed)
