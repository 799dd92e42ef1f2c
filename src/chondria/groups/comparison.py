"""Conditions compared pair by pair: difference, interval, p-value, effect size."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chondria.errors import SettingsError
from chondria.groups.animal_means import AnimalMeans, animal_means
from chondria.groups.effect_size import (
    EffectSize,
    detectable_difference,
    hedges_g,
    hedges_g_paired,
)
from chondria.groups.linear_model import (
    ConditionModel,
    Difference,
    equal_variances,
    paired,
    unequal_variances,
)
from chondria.groups.mixed_model import mixed_model
from chondria.groups.nested import NestedSample
from chondria.groups.permutation import Permutation, flip_signs, permute_animals

__all__ = ["METHODS", "Comparison", "Contrast", "compare_conditions", "fit_conditions", "holm"]

METHODS = ("auto", "student", "welch", "paired", "mixed")


@dataclass(frozen=True, slots=True)
class Contrast:
    """How condition `b` differs from condition `a`, on the scale of comparison.

    Attributes
    ----------
    a, b : int
        Indices of conditions.
    difference : Difference
        Not a number but for its value, where there is no test.
    p_holm : float
        The p-value corrected for all pairs of conditions.
    effect : EffectSize
        Hedges' g on animal means; of the differences within animals in a paired design.
    permutation : Permutation
        Without any distribution, as a check.
    detectable : float
        The difference that such an experiment would have found four times out of five.
    """

    a: int
    b: int
    difference: Difference
    p_holm: float
    effect: EffectSize
    permutation: Permutation
    detectable: float


@dataclass(frozen=True, eq=False, slots=True)
class Comparison:
    """All conditions of one measure.

    Attributes
    ----------
    means : AnimalMeans
        What was compared.
    model : ConditionModel, optional
        None where a condition has fewer than two animals, so that nothing can be tested.
    contrasts : tuple of Contrast
        Every pair, in the order of conditions.
    """

    means: AnimalMeans
    model: ConditionModel | None
    contrasts: tuple[Contrast, ...]


def compare_conditions(sample: NestedSample, method: str = "auto") -> Comparison:
    """Compare conditions with animals, not objects, as observations.

    Parameters
    ----------
    sample : NestedSample
        One measure. Every condition has values.
    method : str
        ``student`` (variances between animals equal), ``welch`` (not equal), ``paired`` (the same
        animals in each condition), ``mixed`` (a mixed model of all objects); ``auto`` is ``paired``
        where animals have every condition, Student's where conditions have equal numbers of
        animals, and Welch's else: the design decides, never the values.

    Returns
    -------
    Comparison
        Without a test where a condition has fewer than two animals.

    Raises
    ------
    SettingsError
        If the method is unknown, or not one for such a design.
    MissingPackageError, DesignError
        As `mixed_model`.
    """
    means = animal_means(sample)
    model = fit_conditions(sample, method)
    pairs = list(itertools.combinations(range(len(means.conditions)), 2))
    tested = [_difference(model, means, a, b) for a, b in pairs]
    corrected = holm([difference.p_value for difference in tested])
    contrasts = []
    for (a, b), difference, p in zip(pairs, tested, corrected, strict=True):
        of_a, of_b = means.of(a), means.of(b)
        found = detectable_difference(difference.standard_error, difference.freedom)
        if sample.paired:
            effect, permutation = hedges_g_paired(of_b - of_a), flip_signs(of_b - of_a)
        else:
            effect, permutation = hedges_g(of_a, of_b), permute_animals(of_a, of_b)
        contrasts.append(Contrast(a, b, difference, p, effect, permutation, found))
    return Comparison(means, model, tuple(contrasts))


def fit_conditions(sample: NestedSample, method: str = "auto") -> ConditionModel | None:
    """Estimate the means of conditions; see `compare_conditions`.

    Parameters
    ----------
    sample : NestedSample
        One measure. Every condition has values.
    method : str
        One of `METHODS`.

    Returns
    -------
    ConditionModel or None
        None where a condition has fewer than two animals.

    Raises
    ------
    SettingsError, MissingPackageError, DesignError
        As `compare_conditions`.
    """
    if method not in METHODS:
        raise SettingsError(f"Found the method '{method}'; allowed are {', '.join(METHODS)}.")
    _check_design(sample, method)
    means = animal_means(sample)
    if means.animals.min() < 2:
        return None
    if method == "mixed":
        return mixed_model(sample)
    if sample.paired:
        return paired(means)
    balanced = len(set(means.animals.tolist())) == 1
    if method == "student" or (method == "auto" and balanced):
        return equal_variances(means)
    return unequal_variances(means)


def _check_design(sample: NestedSample, method: str) -> None:
    if sample.paired and method in ("student", "welch"):
        raise SettingsError(
            f"Found the method '{method}', but the same animals are in each condition; such a "
            "design is compared within animals: take auto, paired or mixed."
        )
    if method == "paired" and not sample.paired:
        raise SettingsError(
            "Found the method 'paired', but each animal has one condition; take auto, student, "
            "welch or mixed, or give an animal with several conditions one name in all of them."
        )


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for their number (Holm 1979, Scand J Stat 6, 65); nan stays nan."""
    p = np.array(p_values, float)
    there = np.flatnonzero(np.isfinite(p))
    order = there[np.argsort(p[there])]
    factors = np.arange(len(order), 0, -1)
    p[order] = np.minimum(1, np.maximum.accumulate(p[order] * factors))
    return [float(value) for value in p]


def _difference(model: ConditionModel | None, means: AnimalMeans, a: int, b: int) -> Difference:
    if model is None:
        return Difference(float(means.of(b).mean() - means.of(a).mean()))
    return model.difference(a, b)
