import numpy as np
import pytest
from scipy import stats

from chondria.groups.permutation import permute_animals


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
