"""Moments against exact fractions: of any values, in any parts, they are as good as doubles can be."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_jobs.moments import deviation_of, merged, moments_of

VALUES = st.lists(
    st.one_of(st.floats(-1e18, 1e18), st.sampled_from([0.0, 1e9 - 1, 1e9 + 1, 1e15 + 0.25, 1e15 - 0.25, 3e-170])),
    min_size=2,
    max_size=40,
)


def exact(values: list[float]) -> tuple[Fraction, Fraction]:
    """Mean, and the sum of squared distances from it."""
    fractions = [Fraction(value) for value in values]
    mean = sum(fractions, Fraction(0)) / len(fractions)
    return mean, sum(((value - mean) ** 2 for value in fractions), Fraction(0))


@given(values=VALUES, cuts=st.sets(st.integers(1, 39)))
def test_the_parts_of_a_set_give_its_mean_and_deviation(values: list[float], cuts: set[int]) -> None:
    ends = sorted({cut for cut in cuts if cut < len(values)} | {len(values)})
    parts = [values[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
    count, shift, offset, _ = moments = merged([moments_of(part) for part in parts])
    mean, squares = exact(values)
    largest = max(map(abs, values))
    assert count == len(values)
    assert abs(Fraction(shift) + Fraction(offset) - mean) <= Fraction(largest) / 10**14
    variance = float(squares / (count - 1))
    assert deviation_of(moments) ** 2 == pytest.approx(variance, rel=1e-9, abs=(largest * 1e-14) ** 2)


@given(VALUES, st.randoms())
def test_the_order_of_a_parts_values_does_not_show(values: list[float], random: object) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert moments_of(shuffled) == moments_of(values)


@pytest.mark.parametrize("offset", [0.0, 1e9, 1e15])
def test_a_large_mean_does_not_blur_the_deviation(offset: float) -> None:
    values = [offset + number for number in (-1.0, 1.0) * 500]
    assert deviation_of(moments_of(values)) == pytest.approx((1000 / 999) ** 0.5, rel=1e-12)
    assert deviation_of(merged([moments_of([value]) for value in values])) == pytest.approx(
        (1000 / 999) ** 0.5, rel=1e-9
    )


@pytest.mark.parametrize("unit", [1e-280, 1e-170, 1.0, 1e18])
def test_differences_neither_vanish_nor_overflow(unit: float) -> None:
    assert deviation_of(moments_of([-unit, unit])) == pytest.approx(2**0.5 * unit, rel=1e-12)
    assert deviation_of(merged([moments_of([-unit]), moments_of([unit])])) == pytest.approx(2**0.5 * unit, rel=1e-12)


def test_equal_values_have_no_deviation() -> None:
    assert deviation_of(moments_of([0.1] * 30)) == 0
    assert deviation_of(merged([moments_of([0.1] * count) for count in (1, 7, 22)])) == 0
