"""What Java, SQL and PyFlink code repeat of the contract, held against it. Reads sources; runs nothing of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from contracts import events, metrics
from contracts.columns import ColumnType
from contracts.entry import mistakes
from contracts.jobs.behavior import BehaviorSettings
from contracts.metrics import check_metrics
from contracts.rejections import REASON_MEANINGS, REJECTED, REJECTION_COLUMNS, Reason
from contracts.results import ALERT_LEVELS, ENVELOPE, HIGH_FREQUENCY, NEEDS_FROM, SCHEMAS, ResultType
from flink_jobs.event_table import COLUMNS
from flink_jobs.rule import result_columns

ROOT = Path(__file__).resolve().parents[3]
JAVA = ROOT / "flink_jobs" / "java" / "src" / "main" / "java" / "realtime" / "analytics"


def source(path: str) -> str:
    return (JAVA / path).read_text(encoding="utf-8")


def java_constant(path: str, name: str) -> str:
    found = re.findall(rf"static final \w+ {name} = ([^;]+);", source(path))
    assert len(found) == 1, f"{name} in {path}"
    return str(found[0])


def java_strings(path: str, name: str) -> list[str]:
    found = re.findall(rf"static final String\[\] {name} = \{{(.*?)\}};", source(path), re.DOTALL)
    assert len(found) == 1, f"{name} in {path}"
    return re.findall(r'"([^"]*)"', found[0])


def wanted_columns(job: ResultType) -> set[str]:
    """What is needed of a job's rows: the time, the columns, what makes the id, and what tells if it is complete."""
    schema = SCHEMAS[job]
    return {
        "event_time",
        NEEDS_FROM,
        schema.start,
        schema.end,
        *schema.key,
        *(column.name for column in schema.columns),
    }


def test_given_the_java_enum_then_its_reasons_are_the_contracts_in_the_same_order() -> None:
    body = source("intake/Reason.java").split("{", 1)[1].split(";", 1)[0]
    constants = re.findall(r'([A-Z_]+)\("(\w+)"\)', body)
    assert constants == [(reason.name, reason.value) for reason in Reason]


def test_given_a_reason_then_its_meaning_is_written_down() -> None:
    assert list(REASON_MEANINGS) == list(Reason)
    assert all(len(meaning) > 10 for meaning in REASON_MEANINGS.values())
    assert len(set(REASON_MEANINGS.values())) == len(REASON_MEANINGS)


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("../slots/ResultColumns", "DECIMAL_SCALE", events.DECIMAL_SCALE),
        ("EventDecoder", "MAX_PAYLOAD_BYTES", events.MAX_PAYLOAD_BYTES),
        ("EventDecoder", "MAX_ABS_VALUE", events.MAX_ABS_VALUE),
        ("EventDecoder", "MAX_STRING_LENGTH", events.MAX_STRING_LENGTH),
        ("EventDecoder", "DECIMAL_SCALE", events.DECIMAL_SCALE),
        ("BoundedJson", "MAX_DEPTH", events.MAX_DEPTH),
        ("BoundedJson", "MAX_FIELDS", events.MAX_FIELDS),
        ("BoundedJson", "MAX_NUMBER_LENGTH", events.MAX_NUMBER_LENGTH),
    ],
)
def test_given_the_decoders_limits_then_they_are_the_contracts(path: str, name: str, value: float) -> None:
    assert float(java_constant(f"intake/{path}.java", name)) == value


def test_given_the_decoders_fields_then_they_are_the_contracts_in_its_order() -> None:
    fields = [column.name for column in events.KNOWN_FIELDS]
    assert java_strings("intake/EventDecoder.java", "FIELDS") == [*events.TIME_FIELDS, *fields[1:]]


def test_given_the_heartbeat_then_java_calls_it_the_same() -> None:
    assert java_constant("intake/Accept.java", "HEARTBEAT") == f'"{events.HEARTBEAT}"'


def in_python() -> set[str]:
    """Jobs that have a file with a rule."""
    return {path.stem for path in (ROOT / "flink_jobs" / "jobs").glob("*.py")} - {"__init__"}


@pytest.mark.parametrize("job", sorted(in_python()))
def test_given_a_rule_then_it_gives_exactly_the_contracts_columns(job: str) -> None:
    columns = result_columns(SCHEMAS[ResultType(job)])
    assert set(columns) == wanted_columns(ResultType(job))


def test_given_the_engine_then_it_knows_no_business_word() -> None:
    """No event type, level, or column of a job stands in Java: a team changes them without it."""
    columns = {column.name for schema in SCHEMAS.values() for column in schema.columns}
    words = columns - {column.name for column in (*events.EVENT_FIELDS, *ENVELOPE)}
    words |= {*BehaviorSettings().funnel, *ALERT_LEVELS, HIGH_FREQUENCY, *(job.value for job in ResultType)}
    found = {
        (path.name, literal)
        for path in JAVA.rglob("*.java")
        for literal in re.findall(r'"([^"\n]*)"', path.read_text(encoding="utf-8"))
        if literal in words
    }
    assert not found


def without_comments(sql: str) -> str:
    return re.sub(r"/\*.*?\*/", "", re.sub(r"--[^\n]*", "", sql), flags=re.DOTALL)


def test_given_every_job_then_it_is_a_query_or_a_rule() -> None:
    """So that a new job cannot slip past the tests above."""
    in_sql = {path.stem for path in (ROOT / "sql").glob("*.sql")} - {"events"}
    assert sorted([*in_sql, *in_python()]) == sorted(job.value for job in ResultType)


def event_table() -> list[tuple[str, str]]:
    """Columns of sql/events.sql with their types."""
    text = without_comments((ROOT / "sql" / "events.sql").read_text(encoding="utf-8"))
    body = text.split("(", 1)[1].split("WATERMARK", 1)[0]
    return [
        (name.strip("`"), kind)
        for name, kind in re.findall(r"(`?\w+`?) ([A-Z_]+(?:\([\d, ]+\))?(?: NOT NULL)?),", body)
    ]


def test_given_the_table_for_a_person_then_it_has_the_columns_of_the_jobs_view() -> None:
    assert event_table() == list(COLUMNS.items())


def test_given_the_events_row_then_the_view_has_its_columns_after_the_time_and_then_the_teams_own() -> None:
    names = java_strings("intake/Events.java", "NAMES")
    assert list(COLUMNS)[1:] == [*names[1:], *(column.name for column in events.own_fields())]
    assert names[0] == "event_millis"


def test_given_the_events_fields_then_the_view_has_those_that_jobs_read_in_the_contracts_types() -> None:
    sql_types = {
        ColumnType.LONG: "BIGINT",
        ColumnType.STRING: "STRING",
        ColumnType.DOUBLE: "DOUBLE",
        ColumnType.BOOLEAN: "BOOLEAN",
    }
    for column in events.EVENT_FIELDS[1:]:
        if column.name not in ("ip_address", "event_id"):  # read by no job; event_ref stands for the id
            assert COLUMNS[column.name].removesuffix(" NOT NULL") == sql_types[column.type]
    assert COLUMNS["amount"] == f"DECIMAL(38, {events.DECIMAL_SCALE})"


@pytest.mark.parametrize("job", ResultType)
def test_given_an_entry_then_nothing_is_wrong_with_it(job: ResultType) -> None:
    assert list(mistakes(job.value, SCHEMAS[job])) == []


def test_given_the_rejection_then_java_writes_the_contracts_columns() -> None:
    written = re.findall(r'write\w+Field\(\s*"(\w+)"', source("sink/RejectionEncoder.java"))
    assert written == [*(column.name for column in ENVELOPE), *(column.name for column in REJECTION_COLUMNS)]
    assert java_constant("sink/RejectionEncoder.java", "TYPE") == f'"{REJECTED}"'


def test_given_the_envelope_then_java_writes_it_first() -> None:
    text = source("sink/ResultEncoder.java").replace("EVENT_TIME, time(", '"event_time", time(')
    assert re.findall(r'writeStringField\("(\w+)"', text) == [column.name for column in ENVELOPE]


def test_given_what_a_row_needs_then_java_knows_its_name() -> None:
    assert java_constant("sink/CompleteResults.java", "NEEDS_FROM") == f'"{NEEDS_FROM}"'


def test_given_metrics_then_their_names_are_unique_and_widgets_show_them() -> None:
    check_metrics()


def test_given_two_metrics_of_a_name_or_a_widget_of_none_then_the_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "METRICS", (*metrics.METRICS, metrics.METRICS[0]))
    with pytest.raises(events.ContractError, match="the metric EventCount is there 2 times: give each another name"):
        check_metrics()
    monkeypatch.setattr(metrics, "METRICS", metrics.METRICS[2:-1])
    with pytest.raises(events.ContractError, match="the widget 'Events by type' shows EventCount, which nobody counts"):
        check_metrics()
