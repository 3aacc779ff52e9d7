"""Every kind of record that must be rejected for what it is, with the reason it must get."""

from __future__ import annotations

from collections.abc import Callable

from contracts.events import MAX_DEPTH, MAX_NUMBER_LENGTH
from contracts.rejections import Reason

#: Takes the event time to use, epoch milliseconds; gives the record's bytes.
Poison = Callable[[int], bytes]


def _text(template: str) -> Poison:
    return lambda time: template.replace("TIME", str(time)).encode()


_GOOD = '"event_time":TIME,"user_id":7,"event_type":"view"'

POISON: tuple[tuple[Reason, Poison], ...] = (
    (Reason.MALFORMED, _text('{"event_time":TIME,"user_id":7')),
    (Reason.MALFORMED, lambda time: b'{"event_type":"\xff\xfe"}'),
    (Reason.MALFORMED, _text("[1,2,3]")),
    (Reason.MALFORMED, _text("null")),
    (Reason.MALFORMED, lambda time: b"\x00\x01\x02 not JSON at all"),
    (Reason.MALFORMED, _text("{" + _GOOD + "}{}")),
    (Reason.MALFORMED, _text("{" + _GOOD + ',"x":' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}")),
    (Reason.MALFORMED, _text("{" + _GOOD + ',"value":1' + "0" * MAX_NUMBER_LENGTH + "}")),
    (Reason.MISSING_FIELD, _text('{"user_id":7,"event_type":"view"}')),
    (Reason.MISSING_FIELD, _text('{"event_time":TIME,"event_type":"view"}')),
    (Reason.MISSING_FIELD, _text('{"event_time":TIME,"user_id":7,"event_type":""}')),
    (Reason.INVALID_TIME, _text('{"event_time":"yesterday","user_id":7,"event_type":"view"}')),
    (Reason.INVALID_TIME, _text('{"event_time":"2026-02-30T10:00:00Z","user_id":7,"event_type":"view"}')),
    (Reason.INVALID_TIME, _text('{"event_time":99999999999999999,"user_id":7,"event_type":"view"}')),
    (Reason.INVALID_TYPE, _text('{"event_time":TIME,"user_id":"seven","event_type":"view"}')),
    (Reason.INVALID_TYPE, _text("{" + _GOOD + ',"value":"12.5"}')),
    (Reason.INVALID_TYPE, _text("{" + _GOOD + ',"session_id":{"id":1}}')),
    (Reason.OUT_OF_RANGE, _text('{"event_time":TIME,"user_id":1180591620717411303424,"event_type":"view"}')),
    (Reason.OUT_OF_RANGE, _text("{" + _GOOD + ',"value":1e400}')),
    (Reason.OUT_OF_RANGE, _text("{" + _GOOD + ',"value":-2e18}')),
    (Reason.OUT_OF_RANGE, _text("{" + _GOOD + ',"category":"' + "x" * 257 + '"}')),
    (Reason.FUTURE, _text('{"event_time":"2099-01-01T00:00:00Z","user_id":7,"event_type":"view"}')),
    # The commonest mistake: seconds instead of milliseconds, which is a time of January 1970.
    (Reason.PAST, lambda time: f'{{"event_time":{time // 1000},"user_id":7,"event_type":"view"}}'.encode()),
)
