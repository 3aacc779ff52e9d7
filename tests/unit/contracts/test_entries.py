"""An entry says all about a job's results: what is wrong in it is a line that says what to write."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from contracts.columns import Column, ColumnType
from contracts.entry import Alert, Count, Entry, Graph, check, mistakes
from contracts.events import ContractError
from contracts.settings import JobSettings, a_duration, a_whole_number


@dataclasses.dataclass(frozen=True)
class Settings(JobSettings):
    """Of the sample."""

    window: int = a_duration("15 min", "1 min", "1 d", "length of the window")
    much: int = a_whole_number(1000, 0, 10_000, "revenue that alerts")


GOOD = Entry(
    meaning="revenue per category",
    columns=(
        Column("window_start", ColumnType.TIMESTAMP, "start, inclusive"),
        Column("window_end", ColumnType.TIMESTAMP, "end, exclusive"),
        Column("category", ColumnType.STRING, "the key"),
        Column("country", ColumnType.STRING, "the key, too"),
        Column("revenue", ColumnType.DECIMAL, "exact sum of value"),
        Column("comment", ColumnType.STRING, "what there is to say", nullable=True),
    ),
    key=("category", "country"),
    start="window_start",
    end="window_end",
    line="{category}: {revenue}",
    settings=Settings,
    counts=(Count("Revenue", "revenue", value="revenue", at="window_start"),),
    alerts=(
        Alert(
            "REVENUE_HIGH",
            title="{severity}: {category}",
            sentence="{category} has {revenue}, more than {much}.",
            when="revenue > much",
            severity={"HIGH": "revenue > 2 * much", "MEDIUM": "True"},
            shows=("revenue",),
        ),
    ),
    widgets=(Graph("Revenue", ("Revenue",)),),
    longest=("window",),
)


@pytest.mark.parametrize(
    "text", ["category in ('books',)", "category not in ('a', 'b') and revenue + 1 > -2", "True", "category == country"]
)
def test_given_a_condition_that_fits_its_types_then_nothing_is_wrong(text: str) -> None:
    assert list(mistakes("revenue", dataclasses.replace(GOOD, **count(where=text)))) == []


def test_given_a_good_entry_with_two_texts_as_its_key_then_nothing_is_wrong() -> None:
    assert list(mistakes("revenue", GOOD)) == []
    check("revenue", GOOD)
    assert GOOD.told_settings == {"much"}


def alert(**changes: Any) -> dict[str, Any]:
    return {"alerts": (dataclasses.replace(GOOD.alerts[0], **changes),)}


def count(**changes: Any) -> dict[str, Any]:
    return {"counts": (dataclasses.replace(GOOD.counts[0], **changes),)}


def column(*more: Column) -> dict[str, Any]:
    return {"columns": (*GOOD.columns, *more)}


TEXT = ColumnType.STRING


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (column(GOOD.columns[0]), "the column window_start is there twice: write it once"),
        (column(Column("run", TEXT, "x")), "the column run is the envelope's: leave it out"),
        (column(Column("Total", TEXT, "x")), "Total cannot be the name of a column"),
        (column(Column("total", TEXT, "")), "the column total has no meaning: say"),
        ({"key": ("revenue",)}, "key: revenue is decimal; a key is long or string, and never null"),
        ({"key": ("comment",)}, "key: comment is string, or null; a key is long or string"),
        ({"key": ("town",)}, "key: town is no column; allowed are window_start,"),
        ({"key": ()}, "key: name the columns"),
        ({"start": "revenue"}, "start: revenue is no timestamp column"),
        ({"line": "{town}"}, "line: {town} is no column; allowed are"),
        ({"line": "{much}"}, "line: {much} is no column"),
        ({"line": "{category"}, "line: '{category'"),
        ({"longest": ("pause",)}, "longest: pause is no setting"),
        ({"widgets": (Graph("Nothing", ()),)}, "widgets: 'Nothing' has no metric"),
        (count(metric="revenue"), "count revenue: a metric's name is letters and digits"),
        (count(value="category"), "count Revenue: value = 'category' is no column with numbers"),
        (count(at="revenue"), "count Revenue: at = 'revenue' is no timestamp column"),
        (count(dimension="country"), "count Revenue: write values = (...), those of country"),
        (count(dimension="revenue"), "count Revenue: dimension = 'revenue' is no string column"),
        (count(values=("a",)), "count Revenue: values without a dimension"),
        (count(where="revenue >"), "is no condition: write one such as"),
        (count(where="town > 1"), "town is no column or setting"),
        (count(where="category > 5"), "category > 5 does not fit its types: write comparisons"),
        (count(where="revenue == 'high'"), "revenue == 'high' does not fit its types"),
        (count(where="category == 5 or revenue > 1"), "category == 5 does not fit its types"),
        (count(where="category * 2 == 'x'"), "category * 2 does not fit its types"),
        (count(where="category in ('books')"), "category in 'books' does not fit its types"),
        (count(where="revenue in ('a', 'b')"), "revenue in ('a', 'b') does not fit its types"),
        (count(where="revenue"), "revenue does not fit its types"),
        (count(where="not revenue"), "not revenue does not fit its types"),
        (count(where="(revenue > 1) > 0"), "(revenue > 1) > 0 does not fit its types"),
        (count(dimension="comment", values=("a",)), "count Revenue: dimension = 'comment' may be null"),
        (
            column(Column("seen_at", ColumnType.TIMESTAMP, "x", nullable=True)) | count(at="seen_at"),
            "at = 'seen_at' may be",
        ),
        (
            column(Column("seen_at", ColumnType.TIMESTAMP, "x", nullable=True)) | {"end": "seen_at"},
            "end: seen_at may be null",
        ),
        (count(where="window_end > 5"), "window_end is timestamp, which a condition cannot compare"),
        (count(where="__import__('os')"), "is not allowed in a condition"),
        (count(where="revenue.real"), "is not allowed in a condition"),
        (count(where="[r for r in category]"), "is not allowed in a condition"),
        (alert(type="high"), "alert high: an alert's type is capitals"),
        (alert(when="revenu > 5"), "revenu is no column or setting; allowed are category,"),
        (alert(severity="URGENT"), "severity URGENT is none of LOW, MEDIUM, HIGH"),
        (alert(severity={"HIGH": "revenue > 5"}), 'severity needs a last "LOW": "True"'),
        (alert(severity={"LOW": "True", "HIGH": "revenue > 5"}), 'severity needs a last "LOW": "True"'),
        (alert(severity={}), 'severity needs a last "LOW": "True"'),
        (alert(severity="comment"), "severity comment may be null"),
        (alert(sentence="{town}"), "sentence: {town} is no column or setting"),
        (alert(shows=("town",)), "shows town, which is no column"),
    ],
)
def test_given_a_mistake_then_its_line_names_file_part_and_cure(changes: dict[str, Any], words: str) -> None:
    found = list(mistakes("revenue", dataclasses.replace(GOOD, **changes)))
    assert any(words in line for line in found), found
    assert all(line.startswith("contracts/jobs/revenue.py: ") and len(line.splitlines()) == 1 for line in found)
    with pytest.raises(ContractError):
        check("revenue", dataclasses.replace(GOOD, **changes))


@pytest.mark.parametrize("name", ["Revenue", "re-venue", "1st", "time", "rejected", "class", "x" * 33, "a__b"])
def test_given_a_name_that_others_have_or_that_is_none_then_it_is_refused(name: str) -> None:
    assert "a job's name is 1 to 32 of a-z" in next(mistakes(name, GOOD))
