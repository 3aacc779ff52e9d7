"""The queries of sql/: `:key` is a setting of the job, and nothing in a query is a setting without effect."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from contracts.entry import Entry
from contracts.events import ContractError
from contracts.results import SCHEMAS, ResultType
from contracts.settings import (
    JobSettings,
    SettingsError,
    a_duration,
    a_flag,
    a_number,
    a_text,
    a_whole_number,
    names,
    numbers_by_name,
)
from flink_jobs import sql_files
from flink_jobs.settings import Settings
from tests.events import configured

SQL = Path(__file__).resolve().parents[3] / "sql"
AGGREGATION = ResultType("aggregation")


@dataclasses.dataclass(frozen=True)
class Every(JobSettings):
    """A setting of each kind."""

    window: int = a_duration("5 min", "1 s", "1 d", "a duration")
    top: int = a_whole_number(5, 1, 10, "a whole number")
    weight: float = a_number(0.5, 0.0, 1.0, "a number")
    late: bool = a_flag(False, "a flag")
    word: str = a_text("[a-z' ]+", "letters", "it's", meaning="a text")
    kinds: tuple[str, ...] = names(("view", "o'clock"), 1, 3, "names")


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Those of the aggregation are of every kind."""
    entry: Entry = dataclasses.replace(SCHEMAS[AGGREGATION], settings=Every)
    monkeypatch.setitem(SCHEMAS, AGGREGATION, entry)
    return dataclasses.replace(configured(), of_jobs={"aggregation": Every()})


def test_given_a_setting_of_each_kind_then_its_literal_stands_in_the_query(settings: Settings) -> None:
    sql = "SELECT :window, :top, :weight, :late, :word, x IN (:kinds)"
    assert sql_files.parameters(sql) == ["window", "top", "weight", "late", "word", "kinds"]
    assert sql_files.render(sql, AGGREGATION, settings) == (
        "SELECT INTERVAL '300.000' SECOND(8, 3), 5, 0.5E0, false, 'it''s', x IN ('view', 'o''clock')"
    )


def test_given_colons_in_texts_comments_and_names_then_they_stay(settings: Settings) -> None:
    other = "-- :x\n/* :y */ ':z' || 'it''s :z', `a:b`, "
    sql = other + "TIME '10:00:00', :window, :top, :weight, :late, :word, :kinds"
    assert sql_files.render(sql, AGGREGATION, settings).startswith(other + "TIME '10:00:00', INTERVAL '300.000'")


def test_given_a_name_that_is_no_setting_then_the_line_says_where_to_add_it() -> None:
    with pytest.raises(
        SettingsError, match=r"sql/aggregation.sql: :windw is no setting of the job; allowed are window"
    ):
        sql_files.render("SELECT :windw, :window", AGGREGATION, configured())


def test_given_a_setting_that_the_query_does_not_name_then_it_is_refused() -> None:
    message = r"sql/aggregation.sql: the setting 'window' has no effect; write :window in the query, or take it out of"
    with pytest.raises(SettingsError, match=message):
        sql_files.render("SELECT INTERVAL '5' MINUTE", AGGREGATION, configured())


def test_given_numbers_by_name_then_a_query_cannot_have_them(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclasses.dataclass(frozen=True)
    class Weights(JobSettings):
        weights: tuple[tuple[str, float], ...] = numbers_by_name((("view", 1.0),), 5, 0.0, 9.0, "weights")

    monkeypatch.setitem(SCHEMAS, AGGREGATION, dataclasses.replace(SCHEMAS[AGGREGATION], settings=Weights))
    changed = dataclasses.replace(configured(), of_jobs={"aggregation": Weights()})
    with pytest.raises(SettingsError, match=":weights has no literal in SQL"):
        sql_files.render("SELECT :weights", AGGREGATION, changed)


@pytest.mark.parametrize("file", sorted(SQL.glob("*.sql")), ids=lambda file: file.name)
def test_given_a_query_then_its_parameters_are_the_settings_of_its_job(file: Path) -> None:
    if file.stem == "events":
        return
    query = sql_files.read(SQL, ResultType(file.stem), configured(file.stem))
    assert sql_files.parameters(query) == []
    assert not query.endswith(";")


def test_given_an_entry_without_a_query_or_a_rule_then_the_line_says_so(tmp_path: Path) -> None:
    with pytest.raises(
        ContractError, match=r"neither sql/aggregation.sql nor flink_jobs/jobs/aggregation.py: write one"
    ):
        sql_files.read(tmp_path, AGGREGATION, configured())
