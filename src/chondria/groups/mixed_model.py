"""A linear mixed model: conditions fixed; animals, cells and images random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chondria.groups.animal_means import animal_means, parents, unit_means
from chondria.groups.linear_model import ConditionModel, equal_variances, paired
from chondria.groups.nested import NestedSample
from chondria.groups.place import LEVELS
from chondria.groups.variance import repeated_levels, variance_shares

__all__ = ["mixed_model"]


def mixed_model(sample: NestedSample) -> ConditionModel:
    """Fit a mixed model by restricted maximum likelihood, and test with the animals' freedom.

    Wald's z-test, which is often printed beside such a model, takes variances for known and finds
    too much with few animals. Here estimates are compared with t and F distributions of as many
    degrees of freedom as there are animals less conditions ("between-within"; Schluchter & Elashoff
    1990, J Stat Comput Simul 37, 69). In a paired design an animal has a level of its own and a
    reaction of its own to each condition, both random, and there are as many degrees of freedom as
    animals less one.

    The means of the finest units, the number of objects in each and the sum of squares within
    them hold all that the likelihood asks for, so that a hundred thousand objects cost no more
    than a hundred.

    Parameters
    ----------
    sample : NestedSample
        Two animals in each condition at least. With one value for each animal, or objects that do
        not vary within their unit, the model is that of `equal_variances`, or `paired`.

    Returns
    -------
    ConditionModel
        Means and their covariance by generalised least squares.
    """
    from scipy.optimize import minimize

    levels = repeated_levels(sample)
    of_means = paired if sample.paired else equal_variances
    if "animal" not in levels:
        return of_means(animal_means(sample))
    leaves = _Leaves.of(sample, levels)
    if leaves.within == 0:  # each unit's objects are alike: its means hold all there is to know
        return of_means(animal_means(sample))
    *parts, rest = (share.variance for share in variance_shares(sample))
    start = np.array(parts) / rest if rest > 0 else np.ones(len(parts))
    if sample.paired:  # the animal's own level, and what each condition adds to it
        start = np.array([start[0] / 2, start[0] / 2, *start[1:]])
    bounds = [(0.0, None)] * len(start)
    found = minimize(leaves.deviance, start + 0.01, method="L-BFGS-B", bounds=bounds)
    means, covariance = leaves.fixed_effects(found.x)
    conditions = len(sample.conditions)
    freedom = float(len(sample.animals) - conditions)
    if sample.paired:
        freedom = len(sample.animals) / conditions - 1
    p = _wald_p(means, covariance, freedom)
    everywhere = np.full(covariance.shape, freedom)
    return ConditionModel("mixed model", means, covariance, everywhere, p)


@dataclass(frozen=True, eq=False, slots=True)
class _Leaves:
    """What the likelihood needs of the finest units of the sample, animal by animal.

    Attributes
    ----------
    blocks : list of tuple
        For each animal the conditions of its leaves, one of (leaves, conditions); their means and
        numbers of objects, (leaves,); and for each level which of them share a unit,
        (levels, leaves, leaves).
    within : float
        Sum of squares within leaves.
    objects, conditions : int
        How many.
    """

    blocks: list[tuple[NDArray[np.float64], ...]]
    within: float
    objects: int
    conditions: int

    @classmethod
    def of(cls, sample: NestedSample, levels: tuple[str, ...]) -> _Leaves:
        leaf = sample.units[LEVELS.index(levels[-1])]
        means, n = unit_means(sample.values, leaf), np.bincount(leaf).astype(float)
        above = [parents(leaf, sample.units[LEVELS.index(level)]) for level in levels]
        effects = np.eye(len(sample.conditions))[sample.condition_of_animal[above[0]]]
        if sample.paired:
            above.insert(0, sample.pair[above[0]])
        blocks: list[tuple[NDArray[np.float64], ...]] = []
        for animal in range(int(above[0].max()) + 1):
            here = np.flatnonzero(above[0] == animal)
            shared = np.array([codes[here][:, None] == codes[here] for codes in above], float)
            blocks.append((effects[here], means[here], n[here], shared))
        within = float(np.sum((sample.values - means[leaf]) ** 2))
        return cls(blocks, within, len(leaf), len(sample.conditions))

    def deviance(self, ratios: NDArray[np.float64]) -> float:
        """Twice the negative restricted log-likelihood, the variance of objects profiled out.

        Parameters
        ----------
        ratios : ndarray, (levels,)
            Variance of each level by that of objects.
        """
        determinant, weights, _, rest = self._sums(ratios)
        freedom = self.objects - self.conditions
        return determinant + float(np.linalg.slogdet(weights)[1]) + freedom * float(np.log(rest))

    def fixed_effects(
        self, ratios: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Means of conditions (conditions,) and their covariance."""
        _, weights, means, rest = self._sums(ratios)
        variance = rest / (self.objects - self.conditions)
        return means, np.asarray(variance * np.linalg.inv(weights), np.float64)

    def _sums(
        self, ratios: NDArray[np.float64]
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float64], float]:
        """Log-determinant, weights and means of conditions, weighted residual squares."""
        determinant, rest = 0.0, self.within
        weights = np.zeros((self.conditions, self.conditions))
        sums = np.zeros(self.conditions)
        for effects, means, n, shared in self.blocks:
            covariance = np.tensordot(ratios, shared, 1) + np.diag(1 / n)
            solved = np.linalg.solve(covariance, np.column_stack([means, effects]))
            determinant += float(np.linalg.slogdet(covariance)[1])
            weights += effects.T @ solved[:, 1:]
            sums += effects.T @ solved[:, 0]
            rest += float(means @ solved[:, 0])
        centres: NDArray[np.float64] = np.asarray(np.linalg.solve(weights, sums), np.float64)
        return determinant, weights, centres, rest - float(sums @ centres)


def _wald_p(means: NDArray[np.float64], covariance: NDArray[np.float64], freedom: float) -> float:
    """Test that all means are equal."""
    from scipy.stats import f

    contrast = np.eye(len(means))[1:] - np.eye(len(means))[0]
    differences = contrast @ means
    spread = contrast @ covariance @ contrast.T
    if not np.linalg.det(spread) > 0:
        return float("nan")
    statistic = float(differences @ np.linalg.solve(spread, differences)) / len(differences)
    return float(f.sf(statistic, len(differences), freedom))
