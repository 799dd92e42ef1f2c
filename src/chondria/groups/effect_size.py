"""How large a difference is: Hedges' g with its exact interval, and what could have been found."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["EffectSize", "detectable_difference", "hedges_g", "hedges_g_paired"]

CONFIDENCE = 0.95
POWER = 0.8
POINTS = 4000
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class EffectSize:
    """A standardised difference with its 95 % interval."""

    value: float
    low: float
    high: float


def hedges_g(a: NDArray[np.float64], b: NDArray[np.float64]) -> EffectSize:
    """Divide the difference of means by the standard deviation between animals.

    The correction for small samples is exact, J = Γ(f/2) / (√(f/2) Γ((f-1)/2)) with f degrees of
    freedom (Hedges 1981, J Educ Stat 6, 107); the interval inverts the noncentral t distribution
    (Cumming & Finch 2001, Educ Psychol Meas 61, 532).

    Parameters
    ----------
    a, b : ndarray, (animals,)
        Means of animals; positive where `b` is larger.

    Returns
    -------
    EffectSize
        Not a number where there are fewer than two animals in either, or they do not vary.
    """
    n, m = len(a), len(b)
    freedom = n + m - 2
    spread = 0.0
    if min(n, m) >= 2:
        spread = math.sqrt((np.var(a) * n + np.var(b) * m) / freedom)
    if spread == 0:
        return EffectSize(math.nan, math.nan, math.nan)
    return _exact(float(b.mean() - a.mean()) / spread, math.sqrt(n * m / (n + m)), freedom)


def hedges_g_paired(differences: NDArray[np.float64]) -> EffectSize:
    """Divide the mean difference within animals by the standard deviation of these differences.

    Corrected as `hedges_g`, with the same exact interval. Animals that vary much and react alike
    give a larger one than `hedges_g` would of the same means.

    Parameters
    ----------
    differences : ndarray, (animals,)
        Of each animal's two conditions.

    Returns
    -------
    EffectSize
        Not a number where there are fewer than three animals (the correction for two is zero), or
        all differ alike.
    """
    n = len(differences)
    spread = float(np.std(differences, ddof=1)) if n >= 3 else 0.0
    if spread <= ROUNDING * np.abs(differences).max(initial=0.0):
        return EffectSize(math.nan, math.nan, math.nan)
    return _exact(float(differences.mean()) / spread, math.sqrt(n), n - 1)


def _exact(standardised: float, root: float, freedom: int) -> EffectSize:
    """Correct for few animals; `root` times the standardised difference is Student's t."""
    t = standardised * root
    correction = math.exp(math.lgamma(freedom / 2) - math.lgamma((freedom - 1) / 2))
    factor = correction / math.sqrt(freedom / 2) / root
    tail = (1 - CONFIDENCE) / 2
    low, high = (_noncentrality(t, freedom, share) for share in (1 - tail, tail))
    return EffectSize(factor * t, factor * low, factor * high)


def detectable_difference(standard_error: float, freedom: float) -> float:
    """Compute the difference that a two-sided t-test at 5 % finds with a power of 80 %.

    Parameters
    ----------
    standard_error, freedom : float
        Of the difference.

    Returns
    -------
    float
        In units of `standard_error`'s; not a number where there is no test.
    """
    from scipy.optimize import brentq
    from scipy.stats import t

    if not standard_error > 0 or not freedom > 0:
        return math.nan
    bound = float(t.isf((1 - CONFIDENCE) / 2, freedom))
    below = _noncentral_t(bound, freedom)
    shift = brentq(lambda shift: below(shift) - (1 - POWER), 0.0, 10.0 * bound)
    return float(shift) * standard_error


def _noncentrality(t: float, freedom: float, share: float) -> float:
    """Find the noncentrality for which `share` of the distribution is below t."""
    from scipy.optimize import brentq

    reach, below = 10.0 + abs(t) * 4, _noncentral_t(t, freedom)
    return float(brentq(lambda shift: below(shift) - share, t - reach, t + reach))


def _noncentral_t(t: float, freedom: float) -> Callable[[float], float]:
    """Share of the noncentral t distribution below t, as a function of its noncentrality.

    The normal distribution averaged over chi-squared: SciPy's own is not a number far out.
    """
    from scipy.special import chdtri, ndtr

    quantiles = (np.arange(POINTS) + 0.5) / POINTS
    scaled = t * np.sqrt(chdtri(freedom, quantiles) / freedom)
    return lambda shift: float(np.mean(ndtr(scaled - shift)))
