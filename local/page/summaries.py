"""One line about a result, for a person."""

from __future__ import annotations

from typing import Any

from contracts.results import ResultType


def summary(result: dict[str, Any]) -> str:
    """What a result says, in the words of its job; a record that is none of ours says what it lacks."""
    try:
        return _told(result)
    except KeyError as missing:
        return f"a record without {missing}"


def _told(result: dict[str, Any]) -> str:
    match result["result_type"]:
        case ResultType.AGGREGATION:
            return (
                f"{result['event_type']}: {result['event_count']} events of {result['unique_users']} users, "
                f"average {_number(result['avg_value'])}"
            )
        case ResultType.ANOMALY:
            return (
                f"{result['event_type']}: {_number(result['current_value'])} instead of "
                f"{_number(result['expected_low'])} to {_number(result['expected_high'])}, "
                f"score {_number(result['anomaly_score'])}"
            )
        case ResultType.SESSION:
            return (
                f"user {result['user_id']}: {result['event_count']} events in "
                f"{_number(result['duration_minutes'])} minutes, {', '.join(result['event_types'])}"
            )
        case ResultType.BEHAVIOR:
            converted = "converted" if result["conversion_flag"] else "no conversion"
            return f"session {result['session_id']}: {result['event_count']} steps, {converted}"
        case ResultType.RECOMMENDATION:
            return (
                f"user {result['user_id']}: {result['category']} is number {result['rank']}, "
                f"score {_number(result['behavior_score'])}"
            )
        case ResultType.FRAUD:
            return f"{result['alert_level']}: user {result['user_id']}, {_number(result['risk_score'])} events"
        case other:
            return str(other)


def _number(value: float | str | None) -> str:
    if value is None:
        return "unknown"
    number = float(value)
    return f"{number:,.0f}" if number == int(number) else f"{number:,.2f}"
