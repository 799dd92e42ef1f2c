"""Means of conditions and their differences, from the means of animals alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chondria.groups.animal_means import AnimalMeans

__all__ = ["ConditionModel", "Difference", "equal_variances", "paired", "unequal_variances"]

CONFIDENCE = 0.95
# What is left of a variance where the differences of all pairs are alike.
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False, slots=True)
class ConditionModel:
    """What a way of comparing says of the conditions.

    Attributes
    ----------
    method : str
        For people.
    means : ndarray, (conditions,)
        On the scale of comparison.
    covariance : ndarray, (conditions, conditions)
        Of `means`.
    freedom : ndarray, (conditions, conditions)
        Degrees of freedom of the difference of two means; on the diagonal, of one mean.
    omnibus_p : float
        Of the hypothesis that all means are equal; not a number where there is no test.
    """

    method: str
    means: NDArray[np.float64]
    covariance: NDArray[np.float64]
    freedom: NDArray[np.float64]
    omnibus_p: float

    def difference(self, a: int, b: int) -> Difference:
        """Test the difference of two conditions, the mean of b less that of a."""
        from scipy.stats import t

        value = float(self.means[b] - self.means[a])
        spread = self.covariance
        alone = float(spread[a, a] + spread[b, b])
        variance = alone - 2 * float(spread[a, b])
        freedom = float(self.freedom[a, b])
        if variance <= ROUNDING * alone:  # animals that do not vary say nothing of others
            return Difference(value, 0.0, freedom, math.nan, math.nan, math.nan)
        error = math.sqrt(variance)
        reach = float(t.isf((1 - CONFIDENCE) / 2, freedom)) * error
        p = 2 * float(t.sf(abs(value) / error, freedom))
        return Difference(value, error, freedom, value - reach, value + reach, p)

    def interval(self, condition: int) -> tuple[float, float]:
        """Return the 95 % interval of the mean of one condition."""
        from scipy.stats import t

        error = math.sqrt(self.covariance[condition, condition])
        freedom = float(self.freedom[condition, condition])
        reach = float(t.isf((1 - CONFIDENCE) / 2, freedom)) * error
        return float(self.means[condition]) - reach, float(self.means[condition]) + reach


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of two means, its 95 % interval and two-sided p-value, by Student's t."""

    value: float
    standard_error: float = math.nan
    freedom: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p_value: float = math.nan


def equal_variances(means: AnimalMeans) -> ConditionModel:
    """Take animals of all conditions to vary alike: Student's t-test, or analysis of variance.

    With as many animals in each condition it keeps its level even where they do not vary alike.

    Parameters
    ----------
    means : AnimalMeans
        Each condition has an animal at least; one has two.

    Returns
    -------
    ConditionModel
        Degrees of freedom: animals less conditions.
    """
    from scipy.stats import f

    n, centres = means.animals, _centres(means)
    freedom = len(means.values) - len(n)
    residuals = means.values - centres[means.condition]
    variance = float(residuals @ residuals) / freedom if freedom else math.nan
    between = float(n @ (centres - means.values.mean()) ** 2) / (len(n) - 1)
    p = float(f.sf(between / variance, len(n) - 1, freedom)) if variance > 0 else math.nan
    name = "t-test on animal means" if len(n) == 2 else "analysis of variance of animal means"
    return ConditionModel(
        name, centres, np.diag(variance / n), np.full((len(n), len(n)), float(freedom)), p
    )


def paired(means: AnimalMeans) -> ConditionModel:
    """Compare conditions within animals: the paired t-test, or Hotelling's for more than two.

    An animal's means may vary and belong together in any way: of three conditions each pair has
    the variance of its own differences.

    Parameters
    ----------
    means : AnimalMeans
        Two animals at least, each with every condition (`AnimalMeans.pair`).

    Returns
    -------
    ConditionModel
        Degrees of freedom: animals less one.
    """
    table = np.stack([means.of(i) for i in range(len(means.conditions))], axis=1)
    n, k = table.shape
    covariance = np.atleast_2d(np.cov(table, rowvar=False)) / n
    name = "paired t-test on animal means" if k == 2 else "Hotelling's test of animal means"
    p = _hotelling_p(table)
    return ConditionModel(name, table.mean(axis=0), covariance, np.full((k, k), n - 1.0), p)


def unequal_variances(means: AnimalMeans) -> ConditionModel:
    """Let each condition's animals vary in their own way: Welch's tests.

    Parameters
    ----------
    means : AnimalMeans
        Two animals of each condition at least.

    Returns
    -------
    ConditionModel
        Degrees of freedom by Satterthwaite; the omnibus is Welch's (1951, Biometrika 38, 330).
    """
    n, centres = means.animals, _centres(means)
    errors = np.array([means.of(i).var(ddof=1) for i in range(len(n))]) / n
    together = errors[:, None] + errors
    with np.errstate(invalid="ignore", divide="ignore"):
        inner = errors**2 / (n - 1)
        freedom = together**2 / (inner[:, None] + inner)
    np.fill_diagonal(freedom, n - 1.0)
    name = "Welch's t-test" if len(n) == 2 else "Welch's analysis of variance"
    omnibus = _welch_p(centres, errors, n)
    return ConditionModel(f"{name} of animal means", centres, np.diag(errors), freedom, omnibus)


def _hotelling_p(table: NDArray[np.float64]) -> float:
    """Test that all columns have one mean (Hotelling 1931, Ann Math Stat 2, 360)."""
    from scipy.stats import f

    differences = table[:, 1:] - table[:, :1]
    n, k = differences.shape
    spread = np.atleast_2d(np.cov(differences, rowvar=False))
    if n <= k or not np.linalg.det(spread) > 0:
        return math.nan
    centre = differences.mean(axis=0)
    statistic = n * float(centre @ np.linalg.solve(spread, centre)) * (n - k) / (k * (n - 1))
    return float(f.sf(statistic, k, n - k))


def _centres(means: AnimalMeans) -> NDArray[np.float64]:
    return np.array([means.of(i).mean() for i in range(len(means.conditions))])


def _welch_p(
    centres: NDArray[np.float64], errors: NDArray[np.float64], n: NDArray[np.intp]
) -> float:
    from scipy.stats import f

    if not np.all(errors > 0):
        return math.nan
    k = len(n)
    weights = 1 / errors
    share = weights / weights.sum()
    lack = float(np.sum((1 - share) ** 2 / (n - 1)))
    between = float(weights @ (centres - share @ centres) ** 2) / (k - 1)
    statistic = between / (1 + 2 * (k - 2) / (k**2 - 1) * lack)
    return float(f.sf(statistic, k - 1, (k**2 - 1) / (3 * lack)))
