"""Count, mean and deviation of values in parts that can be put together, exact enough for any value of an event."""

from __future__ import annotations

from collections.abc import Sequence
from math import ldexp, sqrt

#: Differences are squared after this power of two, which is exact: so none from 1e-280 to 2e18 vanishes or overflows.
_SCALE = ldexp(1.0, 430)

#: Count, a value of the set, how far the mean is from it, sum of squared scaled deviations. The mean as one number
#: would blur a third of a deviation of 1 at 1e15, where a double knows eighths.
Moments = tuple[int, float, float, float]


def moments_of(values: list[float]) -> Moments:
    """Moments of a value or more by Welford's update, in order of size, so that their own order does not show."""
    values = sorted(values)
    shift, offset, squares = values[len(values) // 2], 0.0, 0.0
    for count, value in enumerate(values, start=1):
        delta = value - shift - offset
        offset += delta / count
        squares += delta * _SCALE * ((value - shift - offset) * _SCALE)
    return len(values), shift, offset, squares


def merged(parts: Sequence[Moments]) -> Moments:
    """Moments of a part or more, in their order, by the pairwise formula of Chan, Golub and LeVeque (1983)."""
    count, shift, offset, squares = parts[0]
    for other_count, other_shift, other_offset, other_squares in parts[1:]:
        total = count + other_count
        delta = other_shift - shift + (other_offset - offset)
        share = other_count / total
        squares += other_squares + delta * _SCALE * (delta * _SCALE) * count * share
        offset += delta * share
        count = total
    return count, shift, offset, squares


def deviation_of(moments: Moments) -> float:
    """The sample's deviation of two values or more."""
    count, _, _, squares = moments
    return sqrt(squares / (count - 1)) / _SCALE
