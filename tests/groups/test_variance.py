import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chondria.groups.nested import nested_sample
from chondria.groups.place import Place
from chondria.groups.simulation import NestedDesign, simulate
from chondria.groups.variance import _equations, repeated_levels, variance_shares


@given(st.integers(0, 2**32 - 1))
def test_expected_sums_of_squares_are_traces(seed):
    """By brute force: E[y'Ay] is the sum over levels of variance times tr(A Z Z')."""
    rng = np.random.default_rng(seed)
    design = NestedDesign((2, 3), (1, 3), (1, 4))
    sample = simulate(design, rng)
    units = [sample.condition, sample.units[0], sample.units[1], np.arange(len(sample.values))]
    squares, expected = _equations(sample.values, units)
    same = [(codes[:, None] == codes).astype(float) for codes in units]
    means = [matrix / matrix.sum(1) for matrix in same]
    forms = [inner - outer for outer, inner in itertools.pairwise(means)]
    values = sample.values
    np.testing.assert_allclose(squares, [values @ form @ values for form in forms], atol=1e-9)
    brute = [[np.trace(form @ matrix) for matrix in same[1:]] for form in forms]
    np.testing.assert_allclose(expected, brute, atol=1e-9)


def test_shares_of_a_large_sample_are_those_it_was_drawn_with():
    design = NestedDesign((300, 300), (1, 4), (3, 12), variances=(0.2, 0.3, 0.5))
    animal, cell, single = variance_shares(simulate(design, np.random.default_rng(0)))
    found = (animal.share, cell.share, single.share)
    assert found == pytest.approx((0.2, 0.3, 0.5), abs=0.04)
    assert (animal.icc, cell.icc) == pytest.approx((animal.share, animal.share + cell.share))
    assert np.isnan(single.icc)
    assert single.level == "object"


def test_levels_that_do_not_repeat_are_not_told_apart():
    places = [Place("ab"[i % 2], f"m{i}", "c", "i") for i in range(4)]
    many = nested_sample([np.arange(3.0)] * 4, places, ("a", "b"))
    assert repeated_levels(many) == ("animal",)
    single = nested_sample([np.ones(1)] * 4, places, ("a", "b"))
    assert repeated_levels(single) == ()
    assert [share.level for share in variance_shares(single)] == ["animal"]


def test_nothing_varies():
    places = [Place("ab"[i % 2], f"m{i}") for i in range(4)]
    shares = variance_shares(nested_sample([np.ones(3)] * 4, places, ("a", "b")))
    assert [share.share for share in shares] == [0, 0]
