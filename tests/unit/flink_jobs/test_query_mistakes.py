"""A query's columns against the entry: each mistake is a line that says what to write."""

from __future__ import annotations

import pytest

from contracts.results import ResultType
from flink_jobs.query import _refused, mistakes

AGGREGATION = ResultType("aggregation")
RIGHT = {
    "event_time": "TIMESTAMP(3) NOT NULL",
    "needs_from": "TIMESTAMP_LTZ(3) *ROWTIME* NOT NULL",
    "window_start": "TIMESTAMP(3) NOT NULL",
    "window_end": "TIMESTAMP(3) NOT NULL",
    "event_type": "STRING NOT NULL",
    "event_count": "BIGINT NOT NULL",
    "unique_users": "BIGINT NOT NULL",
    "total_value": "DECIMAL(38, 6) NOT NULL",
    "avg_value": "DOUBLE NOT NULL",
}


def test_given_the_entrys_columns_then_nothing_is_wrong() -> None:
    assert mistakes(AGGREGATION, RIGHT) == []
    assert mistakes(ResultType("anomaly"), {}) != []


@pytest.mark.parametrize(
    ("column", "found", "line"),
    [
        ("avg_value", None, "the column avg_value (total_value / event_count) is missing: write ... AS avg_value"),
        ("needs_from", None, "the column needs_from (the earliest event time that can change the row"),
        ("event_count", "INT NOT NULL", "is INT, the entry says long: write CAST(... AS BIGINT) AS event_count"),
        ("total_value", "DECIMAL(38, 2) NOT NULL", "write CAST(... AS DECIMAL(38, 6)) AS total_value"),
        ("avg_value", "DOUBLE", "may be null: write COALESCE(..., 0) AS avg_value, or say nullable=True in contracts/"),
        ("event_type", "VARCHAR(3)", "may be null: write COALESCE(..., '') AS event_type"),
        ("window_end", "TIMESTAMP(3)", "may be null: take it from the window"),
        ("window_end", "DATE NOT NULL", "is DATE, the entry says timestamp"),
        ("more", "BIGINT", "the column more is not in contracts/jobs/aggregation.py: add it there, or take it out"),
    ],
)  # fmt: skip
def test_given_another_column_then_the_line_says_what_to_write(column: str, found: str | None, line: str) -> None:
    types = {name: kind for name, kind in (RIGHT | {column: found}).items() if kind is not None}
    (told,) = mistakes(AGGREGATION, types)
    assert line in told


@pytest.mark.parametrize(
    ("java", "line"),
    [
        (
            'o.a.SqlParserException: failed. Encountered "value FROM" at line 10, column 17.\nWas expecting:\n',
            "line 10: value cannot stand here; a name that is a reserved word of SQL is written `value`",
        ),
        (
            "o.a.ValidationException: SQL validation failed.\n\tat x\n"
            "Caused by: org.apache.calcite.SqlValidatorException: Column 'usr' not found in any table\n",
            "there is no column usr; those of the table events are in sql/events.sql",
        ),
        (
            "a.b.RuntimeException: x\nCaused by: a.b.C: No match found for function signature CNT(<NUMERIC>)",
            "No match found for function signature CNT(<NUMERIC>)",
        ),
    ],
)
def test_given_what_flink_says_then_one_line_of_it_is_told(java: str, line: str) -> None:
    assert _refused(RuntimeError(java)) == line
