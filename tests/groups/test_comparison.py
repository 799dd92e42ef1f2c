"""What a comparison may promise, on experiments whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from chondria.errors import SettingsError
from chondria.groups.comparison import compare_conditions, fit_conditions, holm
from chondria.groups.nested import nested_sample
from chondria.groups.place import Place
from chondria.groups.simulation import NestedDesign, simulate

UNEVEN = {"cells": (1, 6), "objects": (3, 60)}


def rates(design: NestedDesign, repeats: int, seed: int = 0) -> tuple[float, float, float]:
    """Share of p < 0.05 by the default and over objects, and of intervals that hold the truth."""
    rng = np.random.default_rng(seed)
    outcomes = []
    for _ in range(repeats):
        sample = simulate(design, rng)
        model = fit_conditions(sample)
        assert model is not None
        difference = model.difference(0, 1)
        a, b = (sample.values[sample.condition == i] for i in (0, 1))
        variance = a.var() / len(a) + b.var() / len(b)
        naive = 2 * stats.norm.sf(abs(b.mean() - a.mean()) / np.sqrt(variance))
        held = difference.low <= design.effect <= difference.high
        outcomes.append((difference.p_value < 0.05, naive < 0.05, held))
    found, objects, held = np.mean(outcomes, axis=0)
    return float(found), float(objects), float(held)


@pytest.mark.parametrize(
    "design",
    [
        NestedDesign(),  # 2 conditions, 5 animals, 3 cells, 20 mitochondria
        NestedDesign((3, 6), **UNEVEN),
    ],
)
def test_five_of_a_hundred_experiments_without_an_effect_find_one(design):
    # 3,000 experiments: the standard error of 5 % is 0.4 %.
    found, objects, held = rates(design, 3000)
    assert 0.04 <= found <= 0.06
    assert objects > 0.20
    assert 0.94 <= held <= 0.96


def test_an_effect_is_found():
    found, _, held = rates(NestedDesign(effect=1.0), 500)
    assert found > 0.9
    assert held > 0.92


def test_the_design_decides_on_the_method():
    rng = np.random.default_rng(0)
    even, uneven = (fit_conditions(simulate(NestedDesign(n), rng)) for n in ((3, 3), (3, 4)))
    assert even is not None
    assert uneven is not None
    assert even.method == "t-test on animal means"
    assert uneven.method == "Welch's t-test of animal means"


def test_one_animal_allows_no_test_but_figures():
    sample = nested_sample(
        [np.array([1.0, 2.0]), np.array([4.0]), np.array([5.0])],
        [Place("a", "m"), Place("b", "n"), Place("b", "o")],
        ("a", "b"),
    )
    found = compare_conditions(sample)
    (contrast,) = found.contrasts
    assert found.model is None
    assert contrast.difference.value == 3.0
    assert np.isnan([contrast.difference.p_value, contrast.p_holm, contrast.detectable]).all()


def test_every_pair_of_three_conditions():
    design = NestedDesign((3, 3, 3), spreads=(1.0, 1.0, 1.0))
    found = compare_conditions(simulate(design, np.random.default_rng(1)))
    assert [(c.a, c.b) for c in found.contrasts] == [(0, 1), (0, 2), (1, 2)]
    p = [c.difference.p_value for c in found.contrasts]
    assert [c.p_holm for c in found.contrasts] == holm(p)


def test_holm_as_statsmodels_corrects():
    p = np.random.default_rng(0).uniform(0, 0.1, 9)
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert holm([0.01, np.nan, 0.04]) == pytest.approx([0.02, np.nan, 0.04], nan_ok=True)
    assert holm([]) == []


def test_an_unknown_method_is_refused():
    sample = simulate(NestedDesign(), np.random.default_rng(0))
    with pytest.raises(SettingsError, match="auto, student, welch, paired, mixed"):
        compare_conditions(sample, "anova")


PAIRED = NestedDesign(variances=(0.3, 0.1, 0.5), reactions=0.05)


def test_paired_animals_keep_the_level_and_find_more_than_unpaired_ones():
    found, objects, held = rates(PAIRED, 2000)
    assert 0.04 <= found <= 0.06
    assert objects > 0.20
    assert 0.94 <= held <= 0.96
    with_effect = replace(PAIRED, effect=0.7)
    found, _, held = rates(with_effect, 200)
    alone, _, _ = rates(replace(with_effect, variances=(0.35, 0.1, 0.5), reactions=None), 200)
    assert found > alone + 0.2
    assert held > 0.92


def test_the_design_decides_that_animals_are_paired():
    sample = simulate(PAIRED, np.random.default_rng(0))
    found = compare_conditions(sample)
    assert found.model is not None
    assert found.model.method == "paired t-test on animal means"
    differences = found.means.of(1) - found.means.of(0)
    (contrast,) = found.contrasts
    assert contrast.difference.p_value == pytest.approx(stats.ttest_1samp(differences, 0).pvalue)
    assert contrast.permutation.smallest_p == 2 / 2**5
    assert np.isfinite(contrast.effect.value)


def test_a_method_of_the_other_design_is_refused():
    with pytest.raises(SettingsError, match="within animals: take auto, paired or mixed"):
        fit_conditions(simulate(PAIRED, np.random.default_rng(0)), "welch")
    with pytest.raises(SettingsError, match="each animal has one condition"):
        fit_conditions(simulate(NestedDesign(), np.random.default_rng(0)), "paired")
