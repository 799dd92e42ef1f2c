"""Reliability diagrams of data whose calibration is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chondria.errors import PixelValueError
from chondria.trust.reliability import reliability, wilson_interval


def test_calibrated_data_have_almost_no_error() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(200_000)
    found = reliability(p, rng.random(p.size) < p)
    assert found.expected_calibration_error < 0.01
    assert found.brier == pytest.approx(1 / 6, abs=0.005)  # mean of p (1 - p)
    inside = [
        entry.frequency_low <= entry.mean_probability <= entry.frequency_high
        for entry in found.bins
    ]
    assert sum(inside) >= len(inside) - 2


def test_what_is_too_sure_has_the_error_that_it_has() -> None:
    found = reliability(np.full(1000, 0.9), np.arange(1000) < 600)
    assert found.expected_calibration_error == pytest.approx(0.3)
    assert (found.bins[0].count, found.bins[0].frequency) == (1000, pytest.approx(0.6))


def test_rows_that_stand_for_many_equal_many_rows() -> None:
    rng = np.random.default_rng(1)
    levels = rng.random(20)
    every = rng.integers(1, 9, 20)
    true = np.array([rng.integers(0, n + 1) for n in every])
    outcomes = np.concatenate([np.arange(n) < k for n, k in zip(every, true, strict=True)])
    assert reliability(levels, true, every).expected_calibration_error == pytest.approx(
        reliability(np.repeat(levels, every), outcomes).expected_calibration_error
    )


def test_no_case_is_no_error() -> None:
    found = reliability(np.zeros(0), np.zeros(0))
    assert (found.bins, found.expected_calibration_error, found.count) == ((), 0, 0)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_the_share(counted: tuple[int, int]) -> None:
    low, high = wilson_interval(*counted)
    assert 0 <= low <= counted[0] / counted[1] + 1e-12
    assert counted[0] / counted[1] - 1e-12 <= high <= 1
    assert wilson_interval(0, 0) == (0, 1)


def test_wilson_is_that_of_statsmodels() -> None:
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    expected = proportion.proportion_confint(7, 20, method="wilson")
    assert wilson_interval(7, 20) == pytest.approx(expected)


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(PixelValueError):
        reliability(np.array([np.nan]), np.array([1]))
