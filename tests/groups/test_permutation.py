import numpy as np
import pytest
from scipy import stats

from chondria.groups.permutation import flip_signs, permute_animals


@pytest.mark.parametrize("sizes", [(3, 3), (3, 5), (4, 4)])
def test_as_scipy_permutes(sizes):
    rng = np.random.default_rng(sum(sizes))
    a, b = (rng.normal(i, 1, n) for i, n in enumerate(sizes))
    expected = stats.permutation_test(
        (a, b), lambda x, y, axis: abs(x.mean(axis) - y.mean(axis)), alternative="greater"
    )
    assert permute_animals(a, b).p_value == pytest.approx(expected.pvalue)


def test_the_smallest_p_is_reached_by_what_could_not_be_further_apart():
    for sizes, smallest in (((3, 3), 0.1), ((4, 4), 2 / 70), ((2, 3), 0.1), ((1, 1), 1.0)):
        a, b = np.arange(sizes[0]) * 1.0, 1000.0 + np.arange(sizes[1])
        found = permute_animals(a, b)
        assert found.p_value == pytest.approx(smallest)
        assert found.smallest_p == pytest.approx(smallest)


def test_many_animals_are_drawn():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, 12), rng.normal(0.8, 1, 12)
    expected = stats.ttest_ind(a, b).pvalue
    assert permute_animals(a, b).p_value == pytest.approx(expected, rel=0.2)


@pytest.mark.parametrize("n", [1, 3, 6, 10])
def test_signs_flipped_as_scipy_flips_them(n):
    rng = np.random.default_rng(n)
    differences = rng.normal(0.5, 1, n)
    found = flip_signs(differences)
    if n > 1:
        expected = stats.permutation_test(
            (differences,),
            lambda x, axis: abs(x.mean(axis)),
            permutation_type="samples",
            alternative="greater",
        )
        assert found.p_value == pytest.approx(expected.pvalue)
    assert found.smallest_p == 2 / 2**n
    assert flip_signs(np.full(n, 3.0)).p_value == found.smallest_p


def test_signs_of_many_animals_are_drawn():
    differences = np.random.default_rng(0).normal(0.4, 1, 30)
    expected = stats.ttest_1samp(differences, 0).pvalue
    assert flip_signs(differences).p_value == pytest.approx(expected, rel=0.2)
