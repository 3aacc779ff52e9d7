"""Results by the contract, for tests: every column there, with a value of its type."""

from __future__ import annotations

from contracts.columns import Column, ColumnType
from contracts.identity import result_id
from contracts.rejections import REJECTED, REJECTION_COLUMNS
from contracts.results import ENVELOPE, RUN_LIVE, SCHEMAS, ResultType

_VALUES: dict[ColumnType, object] = {
    ColumnType.LONG: 7,
    ColumnType.DOUBLE: 1.5,
    ColumnType.DECIMAL: 12.34,
    ColumnType.STRING: "text",
    ColumnType.BOOLEAN: True,
    ColumnType.STRINGS: ["view", "click"],
}


def sample_result(result_type: str, key: str, time: str, **columns: object) -> dict[str, object]:
    """A live result (or rejection) whose ``key`` decides its id and whose timestamps are all ``time`` (ISO 8601)."""
    own: tuple[Column, ...] = REJECTION_COLUMNS if result_type == REJECTED else SCHEMAS[ResultType(result_type)].columns
    values = _VALUES | {ColumnType.TIMESTAMP: time}
    document = {column.name: values[column.type] for column in (*ENVELOPE, *own)}
    document |= {"result_type": result_type, "result_id": result_id(result_type, 0, 0, key), "run": RUN_LIVE}
    for alert in () if result_type == REJECTED else SCHEMAS[ResultType(result_type)].alerts:
        if isinstance(alert.severity, str) and alert.severity in document:
            document[alert.severity] = "LOW"
    if result_type == REJECTED:
        document["reason"] = "late"
        del document["run"], document["event_time"]
    return document | columns
