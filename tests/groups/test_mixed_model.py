"""The mixed model beside statsmodels, which fits it another way."""

import warnings

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.mixed_linear_model import MixedLM

from chondria.groups.animal_means import animal_means
from chondria.groups.linear_model import equal_variances, paired
from chondria.groups.mixed_model import mixed_model
from chondria.groups.nested import nested_sample
from chondria.groups.place import Place
from chondria.groups.simulation import NestedDesign, simulate


@pytest.mark.parametrize(
    "design",
    [
        NestedDesign(effect=0.5),
        NestedDesign((6, 6, 4), (2, 4), (5, 30), spreads=(1, 1, 1)),
        NestedDesign((4, 6), (1, 3), (5, 30), variances=(0.3, 0.2, 0.5)),
    ],
)
def test_estimates_agree_with_statsmodels(design):
    sample = simulate(design, np.random.default_rng(3))
    frame = pd.DataFrame(
        {
            "value": sample.values,
            "condition": sample.condition,
            "animal": sample.units[0],
            "cell": sample.units[1],
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = MixedLM.from_formula(
            "value ~ 0 + C(condition)",
            groups="animal",
            re_formula="1",
            vc_formula={"cell": "0 + C(cell)"},
            data=frame,
        ).fit(reml=True)
    found = mixed_model(sample)
    np.testing.assert_allclose(found.means, expected.fe_params, atol=0.01)
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), expected.bse_fe, rtol=0.05)
    assert found.freedom[0, 1] == len(sample.animals) - len(sample.conditions)


def test_a_balanced_design_gives_the_t_test_of_animal_means():
    # Where no variance is estimated to be zero, both are the same test.
    design = NestedDesign(variances=(0.4, 0.2, 0.4), effect=0.4)
    sample = simulate(design, np.random.default_rng(1))
    mixed, student = mixed_model(sample), equal_variances(animal_means(sample))
    found, expected = mixed.difference(0, 1), student.difference(0, 1)
    assert found.value == pytest.approx(expected.value)
    assert found.standard_error == pytest.approx(expected.standard_error, rel=1e-3)
    assert mixed.omnibus_p == pytest.approx(student.omnibus_p, rel=1e-2)


def test_one_value_for_each_animal_is_a_linear_model():
    places = [Place("ab"[i % 2], f"m{i}", "c", "i") for i in range(6)]
    values = [np.array([float(i**2)]) for i in range(6)]
    sample = nested_sample(values, places, ("a", "b"))
    expected = equal_variances(animal_means(sample))
    assert mixed_model(sample).omnibus_p == expected.omnibus_p


def test_values_without_any_variance():
    places = [Place("ab"[i % 2], f"m{i}", "c", "i") for i in range(6)]
    sample = nested_sample([np.ones(4)] * 6, places, ("a", "b"))
    assert np.isnan(mixed_model(sample).difference(0, 1).p_value)


@pytest.mark.parametrize(
    "design",
    [
        NestedDesign((8, 8), (3, 3), (20, 20), (0.3, 0.1, 0.6), effect=0.5, reactions=0.2),
        NestedDesign((9, 9), (1, 4), (5, 30), (0.3, 0.2, 0.5), reactions=0.2),
    ],
)
def test_paired_estimates_agree_with_statsmodels(design):
    sample = simulate(design, np.random.default_rng(5))
    frame = pd.DataFrame(
        {
            "value": sample.values,
            "condition": sample.condition,
            "animal": sample.pair[sample.units[0]],
            "side": sample.units[0],
            "cell": sample.units[1],
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = MixedLM.from_formula(
            "value ~ 0 + C(condition)",
            groups="animal",
            re_formula="1",
            vc_formula={"side": "0 + C(side)", "cell": "0 + C(cell)"},
            data=frame,
        ).fit(reml=True)
    found = mixed_model(sample)
    np.testing.assert_allclose(found.means, expected.fe_params, atol=0.01)
    table = expected.cov_params().to_numpy()[:2, :2]
    np.testing.assert_allclose(found.covariance, table, rtol=0.1, atol=2e-3)
    assert found.freedom[0, 1] == design.animals[0] - 1


def test_a_balanced_paired_design_gives_the_paired_t_test():
    design = NestedDesign(variances=(0.3, 0.1, 0.4), effect=0.4, reactions=0.3)
    sample = simulate(design, np.random.default_rng(1))
    mixed, expected = mixed_model(sample), paired(animal_means(sample))
    found, paired_t = mixed.difference(0, 1), expected.difference(0, 1)
    assert found.value == pytest.approx(paired_t.value)
    assert found.standard_error == pytest.approx(paired_t.standard_error, rel=1e-3)
    assert found.p_value == pytest.approx(paired_t.p_value, rel=1e-2)


def test_one_value_for_each_animal_and_condition_is_the_paired_t_test():
    places = [Place("ab"[i % 2], f"m{i // 2}", "c", "i") for i in range(8)]
    values = [np.array([float(i**2)]) for i in range(8)]
    sample = nested_sample(values, places, ("a", "b"))
    assert mixed_model(sample).omnibus_p == paired(animal_means(sample)).omnibus_p
