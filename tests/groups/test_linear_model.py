import numpy as np
import pytest
from scipy import stats

from chondria.groups.animal_means import AnimalMeans
from chondria.groups.linear_model import equal_variances, paired, unequal_variances

RNG = np.random.default_rng(4)


def means_of(*groups: np.ndarray) -> AnimalMeans:
    condition = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    names = tuple("abcdef"[: len(groups)])
    return AnimalMeans(np.concatenate(groups), condition, names)


@pytest.mark.parametrize("fit", [equal_variances, unequal_variances])
@pytest.mark.parametrize("sizes", [(2, 2), (3, 6), (5, 5)])
def test_two_conditions_as_scipy_compares_them(fit, sizes):
    a, b = (RNG.normal(i, 1 + i, n) for i, n in enumerate(sizes))
    expected = stats.ttest_ind(b, a, equal_var=fit is equal_variances)
    interval = expected.confidence_interval()
    found = fit(means_of(a, b)).difference(0, 1)
    np.testing.assert_allclose(
        (found.value, found.freedom, found.p_value, found.low, found.high),
        (b.mean() - a.mean(), expected.df, expected.pvalue, interval.low, interval.high),
    )
    # With two conditions the omnibus is the same test.
    assert fit(means_of(a, b)).omnibus_p == pytest.approx(found.p_value)


@pytest.mark.parametrize("equal", [True, False])
def test_three_conditions_as_statsmodels_compares_them(equal):
    from statsmodels.stats.oneway import anova_oneway

    groups = [RNG.normal(0, 1 + i, n) for i, n in enumerate((4, 3, 7))]
    use = "equal" if equal else "unequal"
    expected = anova_oneway(groups, use_var=use, welch_correction=True)
    fit = equal_variances if equal else unequal_variances
    assert fit(means_of(*groups)).omnibus_p == pytest.approx(expected.pvalue)


def test_pairs_share_the_variance_of_all_conditions():
    groups = [RNG.normal(0, 1, 4) for _ in range(3)]
    found = equal_variances(means_of(*groups)).difference(0, 2)
    variance = np.mean([group.var(ddof=1) for group in groups])
    assert found.standard_error == pytest.approx(np.sqrt(variance / 2))
    assert found.freedom == 9


@pytest.mark.parametrize("fit", [equal_variances, unequal_variances])
def test_the_interval_of_a_mean(fit):
    groups = [RNG.normal(0, 1, 4), RNG.normal(0, 1, 5)]
    model = fit(means_of(*groups))
    if fit is unequal_variances:
        low, high = stats.t.interval(0.95, 3, groups[0].mean(), stats.sem(groups[0]))
        assert model.interval(0) == pytest.approx((low, high))
    low, high = model.interval(1)
    assert low < groups[1].mean() < high


@pytest.mark.parametrize("fit", [equal_variances, unequal_variances])
def test_animals_that_do_not_vary_give_no_p(fit):
    model = fit(means_of(np.ones(3), np.ones(3)))
    assert np.isnan(model.omnibus_p)
    assert np.isnan(model.difference(0, 1).p_value)
    assert model.difference(0, 1).value == 0


def paired_means(table: np.ndarray, rng: np.random.Generator) -> AnimalMeans:
    """Animals in rows, conditions in columns; the values in any order."""
    animal, condition = (place.ravel() for place in np.indices(table.shape))
    order = rng.permutation(table.size)
    names = tuple("abcdef"[: table.shape[1]])
    return AnimalMeans(table.ravel()[order], condition[order], names, animal[order])


@pytest.mark.parametrize("n", [2, 4, 9])
def test_pairs_as_scipy_compares_them(n):
    table = RNG.normal(0, 3, (n, 1)) + RNG.normal((0, 0.7), 1, (n, 2))
    expected = stats.ttest_rel(table[:, 1], table[:, 0])
    interval = expected.confidence_interval()
    model = paired(paired_means(table, RNG))
    found = model.difference(0, 1)
    np.testing.assert_allclose(
        (found.freedom, found.p_value, found.low, found.high),
        (n - 1, expected.pvalue, interval.low, interval.high),
    )
    assert model.omnibus_p == pytest.approx(found.p_value)
    alone = stats.ttest_1samp(table[:, 0], 0).confidence_interval()
    np.testing.assert_allclose(model.interval(0), (alone.low, alone.high))


def test_three_conditions_of_each_animal():
    from statsmodels.stats.multivariate import test_mvmean as hotelling

    table = RNG.normal(0, 3, (7, 1)) + RNG.normal((0, 0.7, 0.2), (1, 2, 3), (7, 3))
    model = paired(paired_means(table, RNG))
    assert model.omnibus_p == pytest.approx(hotelling(table[:, 1:] - table[:, :1]).pvalue)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        expected = stats.ttest_rel(table[:, b], table[:, a]).pvalue
        assert model.difference(a, b).p_value == pytest.approx(expected)
    assert np.isnan(paired(paired_means(table[:2], RNG)).omnibus_p)  # too few animals


def test_pairs_that_differ_alike_say_nothing():
    table = RNG.normal(0, 1, (5, 1)) + np.array([[0.1, 0.4]])
    model = paired(paired_means(table, RNG))
    assert np.isnan(model.difference(0, 1).p_value)
