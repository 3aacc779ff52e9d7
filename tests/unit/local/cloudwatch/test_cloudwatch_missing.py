"""An alarm's state: the rows of the CloudWatch guide's two tables on missing data, and how far back is looked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.cloudwatch.missing import EXTRA_POINTS, Rule, State, Treatment, evaluate

OK, ALARM, INSUFFICIENT = State.OK, State.ALARM, State.INSUFFICIENT
#: Stands for "keeps its state".
KEEPS = None

THREE_OF_THREE = [
    ("0-X-X", [OK, OK, OK, OK]),
    ("----0", [OK, OK, OK, OK]),
    ("-----", [INSUFFICIENT, KEEPS, ALARM, OK]),
    ("0XX-X", [ALARM, ALARM, ALARM, ALARM]),
    ("--X--", [ALARM, KEEPS, ALARM, OK]),
]
TWO_OF_THREE = [
    ("0-X-X", [ALARM, ALARM, ALARM, ALARM]),
    ("00X0X", [ALARM, ALARM, ALARM, ALARM]),
    ("0-X--", [OK, OK, ALARM, OK]),
    ("----0", [OK, OK, ALARM, OK]),
]
TREATMENTS = [Treatment.MISSING, Treatment.IGNORE, Treatment.BREACHING, Treatment.NOT_BREACHING]


def points(row: str) -> list[float | None]:
    return [{"0": 0.0, "X": 1.0, "-": None}[each] for each in row]


@pytest.mark.parametrize(
    ("needed", "row", "expected"),
    [(3, row, expected) for row, expected in THREE_OF_THREE] + [(2, row, expected) for row, expected in TWO_OF_THREE],
)
@pytest.mark.parametrize("state", list(State))
def test_given_the_rows_of_the_guide_then_the_states_of_the_guide(
    needed: int, row: str, expected: list[State | None], state: State
) -> None:
    for treatment, wanted in zip(TREATMENTS, expected, strict=True):
        rule = Rule(lambda value: value > 0, needed, 3, treatment)
        assert evaluate(points(row), rule, state) is (state if wanted is KEEPS else wanted), treatment


def test_given_one_of_one_then_the_newest_point_decides() -> None:
    rule = Rule(lambda value: value > 0, 1, 1, Treatment.NOT_BREACHING)
    assert evaluate(points("XX0"), rule, ALARM) is OK
    assert evaluate(points("00X"), rule, OK) is ALARM
    assert evaluate(points("0X-"), rule, OK) is ALARM  # the newest that there is


@given(
    st.lists(st.sampled_from([0.0, 1.0]), min_size=5, max_size=5),
    st.integers(1, 3),
    st.sampled_from(TREATMENTS),
    st.sampled_from(list(State)),
)
def test_given_nothing_missing_then_every_treatment_counts_the_last_n(
    values: list[float], needed: int, treatment: Treatment, state: State
) -> None:
    rule = Rule(lambda value: value > 0, needed, 3, treatment)
    expected = ALARM if sum(values[-3:]) >= needed else OK
    assert len(values) == 3 + EXTRA_POINTS
    assert evaluate(values, rule, state) is expected
