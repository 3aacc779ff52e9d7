"""The rejection contract: why a record was not accepted, and the record itself."""

from __future__ import annotations

from enum import StrEnum

from contracts.columns import Column, ColumnType

#: ``result_type`` of a rejection, so that consumers route it like a result.
REJECTED = "rejected"


class Reason(StrEnum):
    """Closed list of reasons. The Java enum ``Reason`` is tested against it."""

    MALFORMED = "malformed"
    MISSING_FIELD = "missing_field"
    INVALID_TIME = "invalid_time"
    INVALID_TYPE = "invalid_type"
    OUT_OF_RANGE = "out_of_range"
    FUTURE = "future"
    PAST = "past"
    LATE = "late"
    LATE_AFTER_IDLE = "late_after_idle"
    DUPLICATE = "duplicate"
    RULE_FAILED = "rule_failed"


#: Of records that are not accepted. A rule that fails rejects an event which was.
INTAKE_REASONS = tuple(reason for reason in Reason if reason is not Reason.RULE_FAILED)

REASON_MEANINGS: dict[Reason, str] = {
    Reason.MALFORMED: "not one JSON object in UTF-8 within the limits of size, depth, fields and digits",
    Reason.MISSING_FIELD: "a required field is absent, null or empty",
    Reason.INVALID_TIME: "event_time is neither ISO 8601 nor epoch milliseconds of the years 1970 to 9999",
    Reason.INVALID_TYPE: "a field has another JSON type than the contract says",
    Reason.OUT_OF_RANGE: "a number or a text is beyond the contract's limit",
    Reason.FUTURE: "event_time is further after the arrival than `time.future_tolerance`",
    Reason.PAST: "event_time is further before the arrival than `time.past_tolerance`",
    Reason.LATE: "event_time is at or below its shard's clock minus the delay; the clock is the largest time of the "
    "accepted events before it, each no later than that event's arrival",
    Reason.LATE_AFTER_IDLE: "event_time is at or below the watermark, which passed while the shard was idle",
    Reason.DUPLICATE: "an event of the same event_id was accepted within the duplicate window",
    Reason.RULE_FAILED: "a job's rule raised an error on the event, which counts in the other jobs; source is the job, "
    "partition a digest of the key, position the event's place among the key's, payload the fields that the rule was "
    "given or the state that was due",
}

REJECTION_COLUMNS = (
    Column("reason", ColumnType.STRING, "one of the closed list"),
    Column("detail", ColumnType.STRING, "the field and what was wrong with it"),
    Column("payload", ColumnType.STRING, "the record as it came, text or base64"),
    Column("payload_encoding", ColumnType.STRING, "utf-8 or base64"),
    Column("payload_truncated", ColumnType.BOOLEAN, "true where the payload was cut to fit a Kinesis record"),
    Column("source", ColumnType.STRING, "the stream; the job when its rule failed"),
    Column("partition", ColumnType.STRING, "the shard"),
    Column("position", ColumnType.STRING, "the sequence number, with the sub-sequence number of a packed record"),
    Column("arrival_time", ColumnType.TIMESTAMP, "when the stream took it"),
)
