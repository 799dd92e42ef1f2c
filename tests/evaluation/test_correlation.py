"""Pearson's r: agrees with SciPy, keeps its symmetries, and says when it knows nothing."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import pearsonr

from chondria.errors import ShapeError
from chondria.evaluation.correlation import correlate

numbers = st.floats(-100, 100).map(lambda value: round(value, 3))
pairs = st.lists(st.tuples(numbers, numbers), min_size=4, max_size=30)


@given(pairs)
def test_r_and_its_interval_are_those_of_scipy(drawn) -> None:
    x, y = map(list, zip(*drawn, strict=True))
    assume(np.std(x) > 1e-2 and np.std(y) > 1e-2)
    found = correlate(x, y)
    expected = pearsonr(x, y)
    assert found.r == pytest.approx(expected.statistic, abs=1e-9)
    if abs(found.r) < 0.999999:
        interval = expected.confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-6)


@given(pairs, st.floats(0.1, 10), numbers)
def test_scale_and_origin_do_not_matter_but_direction_does(drawn, scale, offset) -> None:
    x, y = map(list, zip(*drawn, strict=True))
    assume(np.std(x) > 1e-2 and np.std(y) > 1e-2)
    r = correlate(x, y).r
    assert correlate(y, x).r == pytest.approx(r, abs=1e-9)
    assert correlate([scale * v + offset for v in x], y).r == pytest.approx(r, abs=1e-6)
    assert correlate([-v for v in x], y).r == pytest.approx(-r, abs=1e-9)


def test_few_or_constant_figures_tell_nothing() -> None:
    assert math.isnan(correlate([1], [2]).r)
    assert math.isnan(correlate([1, 1, 1, 1, 1], [1, 2, 3, 4, 5]).r)
    assert "n = 0" in str(correlate([], []))
    three = correlate([1, 2, 3], [3, 2, 1])
    assert (three.r, three.low, three.high) == (pytest.approx(-1), -1, 1)
    assert str(correlate([1, 2, 3, 4], [1, 3, 2, 5])).endswith("n = 4)")
    with pytest.raises(ShapeError, match="3 figures and 2"):
        correlate([1, 2, 3], [1, 2])
