import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from chondria.groups.effect_size import (
    _noncentral_t,
    detectable_difference,
    hedges_g,
    hedges_g_paired,
)


@given(st.floats(-5, 5), st.integers(2, 30), st.floats(-3, 6))
def test_noncentral_t_as_in_scipy(t, freedom, shift):
    expected = stats.nct.cdf(t, freedom, shift)
    if np.isfinite(expected):
        assert _noncentral_t(t, freedom)(shift) == pytest.approx(expected, abs=1e-4)


def test_hedges_g_of_a_known_example():
    a, b = np.array([1.0, 2, 3, 4]), np.array([3.0, 4, 5, 6])
    found = hedges_g(a, b)
    # d = 2 / sqrt(5 / 3); J = 1 - 3 / (4 * 6 - 1), nearly
    assert found.value == pytest.approx(2 / np.sqrt(5 / 3) * (1 - 3 / 23), rel=2e-3)
    assert found.low < found.value < found.high
    turned = hedges_g(b, a)
    assert (turned.value, turned.low) == pytest.approx((-found.value, -found.high), abs=1e-6)


def test_the_interval_ends_where_the_t_test_does():
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.normal(0, 1, 5), rng.normal(0.8, 1, 4)
        found, p = hedges_g(a, b), stats.ttest_ind(a, b).pvalue
        assert (found.low <= 0 <= found.high) == (p >= 0.05)


def test_enormous_effects_are_finite():
    found = hedges_g(np.array([0.0, 1e-3, 2e-3]), np.array([9.0, 9.001, 9.002]))
    assert 0 < found.low < found.value < found.high < 1e5


@pytest.mark.parametrize("b", [np.array([1.0]), np.array([2.0, 2.0])])
def test_no_effect_size_where_nothing_varies_or_one_animal_is(b):
    assert np.isnan(hedges_g(np.array([2.0, 2.0]), b).value)


def test_what_is_detectable_is_found_four_times_out_of_five():
    rng = np.random.default_rng(2)
    n = 5
    shift = detectable_difference(np.sqrt(2 / n), 2 * n - 2)
    a, b = rng.normal(0, 1, (4000, n)), rng.normal(shift, 1, (4000, n))
    assert np.mean(stats.ttest_ind(a, b, axis=1).pvalue < 0.05) == pytest.approx(0.8, abs=0.02)
    assert np.isnan(detectable_difference(np.nan, np.nan))


def test_the_paired_interval_ends_where_the_paired_t_test_does():
    rng = np.random.default_rng(0)
    for _ in range(20):
        differences = rng.normal(0.6, 1, 6)
        found, p = hedges_g_paired(differences), stats.ttest_1samp(differences, 0).pvalue
        assert (found.low <= 0 <= found.high) == (p >= 0.05)
        # J = 1 - 3 / (4 (n - 1) - 1), nearly
        nearly = differences.mean() / differences.std(ddof=1) * (1 - 3 / 19)
        assert found.value == pytest.approx(nearly, rel=2e-3)


def test_the_paired_interval_holds_the_truth():
    rng = np.random.default_rng(1)
    found = [hedges_g_paired(rng.normal(0.8, 1, 5)) for _ in range(250)]
    assert np.mean([one.low <= 0.8 <= one.high for one in found]) == pytest.approx(0.95, abs=0.035)
    assert np.mean([one.value for one in found]) == pytest.approx(0.8, abs=0.12)


@pytest.mark.parametrize("differences", [[], [1.0], [1.0, 2.0], [0.1 + 0.2, 0.3, 0.3]])
def test_no_paired_effect_size_of_two_animals_or_of_rounding(differences):
    assert np.isnan(hedges_g_paired(np.array(differences)).value)
