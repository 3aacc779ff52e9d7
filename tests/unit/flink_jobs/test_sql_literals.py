"""The queries of sql/: their marked literals are the settings' defaults, and only those change."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from flink_jobs import sql_files
from flink_jobs.properties import Groups, SettingsError
from flink_jobs.settings import Settings, parse

SQL = Path(__file__).resolve().parents[3] / "sql"
FILES = sorted(SQL.glob("*.sql"))


def with_values(**groups: dict[str, str]) -> Settings:
    given: Groups = {
        "kinesis.analytics.flink.run.options": {"python": "main.py", "jarfile": "x.jar", "pyFiles": "python"},
        "input": {"stream": "events", "region": "us-east-1"},
        "output": {"results_stream": "results", "rejected_stream": "rejected"},
        **groups,
    }
    return parse(given, "test", local=False)


DEFAULTS = with_values()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_given_a_query_then_every_marked_literal_is_the_settings_default(file: Path) -> None:
    for name, value in sql_files.literals(file.read_text(encoding="utf-8")):
        assert value == sql_files.setting(DEFAULTS, name), name


@pytest.mark.parametrize("group", ["aggregation"])
def test_given_a_job_in_sql_then_each_of_its_settings_is_marked_in_its_query(group: str) -> None:
    marked = {name for name, _ in sql_files.literals((SQL / f"{group}.sql").read_text(encoding="utf-8"))}
    fields = dataclasses.fields(getattr(DEFAULTS, group))
    assert marked == {f"{group}.{field.name}" for field in fields}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_given_the_defaults_then_the_query_stays_as_it_stands(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert sql_files.render(text, DEFAULTS) == text


CHANGES = [
    ("aggregation", "window", "INTERVAL '5' MINUTE", "90 s", "INTERVAL '90.000' SECOND(8, 3)"),
    ("aggregation", "window", "INTERVAL '5' MINUTE", "1500 ms", "INTERVAL '1.500' SECOND(8, 3)"),
    ("aggregation", "window", "INTERVAL '5' MINUTE", "1 d", "INTERVAL '86400.000' SECOND(8, 3)"),
    ("recommendation", "window", "INTERVAL '1' HOUR", "2 h", "INTERVAL '7200.000' SECOND(8, 3)"),
    ("recommendation", "decay", "3600000", "90 s", "90000"),
    ("recommendation", "top", "5", "7", "7"),
    ("anomaly", "threshold", "3.0E0", "0.5", "0.5E0"),
    ("anomaly", "threshold", "3.0E0", "1000", "1000.0E0"),
    ("recommendation", "weight_other", "0.0E0", "0.00001", "0.00001E0"),
    ("recommendation", "weight_other", "0.0E0", "1e-7", "0.0000001E0"),
]


@pytest.mark.parametrize(("group", "key", "default", "value", "literal"), CHANGES)
def test_given_another_value_then_exactly_its_literal_changes(
    group: str, key: str, default: str, value: str, literal: str
) -> None:
    mark = f"/*:{group}.{key}*/ "
    text = f"SELECT 5, {mark}{default}, 1.0E0"
    assert list(sql_files.literals(text)) == [(f"{group}.{key}", sql_files.setting(DEFAULTS, f"{group}.{key}"))]
    assert sql_files.render(text, DEFAULTS) == text
    assert sql_files.render(text, with_values(**{group: {key: value}})) == f"SELECT 5, {mark}{literal}, 1.0E0"


def test_given_a_setting_that_two_literals_carry_then_both_change() -> None:
    text = "CAST(/*:recommendation.step*/ 300000 AS BIGINT), /*:recommendation.step*/ INTERVAL '5' MINUTE"
    rendered = sql_files.render(text, with_values(recommendation={"step": "1 min"}))
    assert "CAST(/*:recommendation.step*/ 60000 AS BIGINT)" in rendered
    assert "/*:recommendation.step*/ INTERVAL '60.000' SECOND(8, 3)" in rendered
    assert [value for name, value in sql_files.literals(text) if name == "recommendation.step"] == [300_000, 300_000]


def test_given_a_query_when_read_for_the_runner_then_it_has_no_closing_semicolon() -> None:
    query = sql_files.read(SQL, "aggregation", DEFAULTS)
    assert query.startswith("-- Aggregation")
    assert query.endswith("event_type")


@pytest.mark.parametrize(
    ("mark", "literal"),
    [
        ("aggregation.windows", "5"),
        ("agregation.window", "5"),
        ("local.parallelism", "1"),
        ("jobs.enabled", "1"),
        ("input.start", "1"),
        ("aggregation.window", "x"),
        ("Aggregation.Window", "5"),
        ("window", "5"),
    ],
)
def test_given_a_mark_that_sets_nothing_then_it_is_an_error_in_one_line(mark: str, literal: str) -> None:
    with pytest.raises(SettingsError) as caught:
        sql_files.render(f"SELECT /*:{mark}*/ {literal}", DEFAULTS)
    assert str(caught.value).startswith("sql: ")
    assert "allowed is" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
