"""Axes: order is kept, ends are ends, marks are round and within."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chondria.report.axis import Axis

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30)


@given(VALUES)
def test_ends_order_and_marks(values: list[float]) -> None:
    axis = Axis.of(values)
    if max(values) - min(values) > 1e-6:
        assert axis.share(min(values)) == pytest.approx(0, abs=1e-9)
        assert axis.share(max(values)) == pytest.approx(1)
        shares = [axis.share(value) for value in sorted(values)]
        assert shares == sorted(shares)
        assert all(-1e-6 <= axis.share(tick) <= 1 + 1e-6 for tick in axis.ticks())


@given(st.floats(1e-6, 1e6), st.floats(1.01, 1e4), st.booleans())
def test_there_are_some_marks_but_not_many(low: float, ratio: float, logarithmic: bool) -> None:
    ticks = Axis(low, low * ratio, logarithmic).ticks()
    assert len(ticks) <= 8
    if not logarithmic:
        assert len(ticks) >= 2
    assert ticks == sorted(set(ticks))


def test_marks_are_round() -> None:
    assert Axis(0.02, 0.98).ticks() == [0.2, 0.4, 0.6, 0.8]
    assert Axis(0.0, 1000.0).ticks() == [0, 200, 400, 600, 800, 1000]
    assert Axis(0.04, 0.9, logarithmic=True).ticks() == [0.05, 0.1, 0.2, 0.5]
    assert Axis(1.0, 1e4, logarithmic=True).ticks() == [1, 10, 100, 1e3, 1e4]


def test_skewed_values_are_spread_by_ratios() -> None:
    axis = Axis.of([0.01, 0.02, 0.03, 100.0])
    assert axis.logarithmic
    assert axis.share(1.0) == pytest.approx(0.5)
    assert not Axis.of([0.0, 0.01, 0.02, 100.0]).logarithmic


@pytest.mark.parametrize("values", [[], [0.0], [5.0, 5.0], [-1e-9]])
def test_one_value_has_room_around_it(values: list[float]) -> None:
    axis = Axis.of(values)
    assert axis.low < axis.high
    assert all(math.isfinite(axis.share(value)) for value in values)
