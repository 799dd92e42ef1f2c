"""How much of the variance lies between animals, cells, images and objects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chondria.groups.animal_means import parents
from chondria.groups.nested import NestedSample
from chondria.groups.place import LEVELS

__all__ = ["VarianceShare", "repeated_levels", "variance_shares"]


@dataclass(frozen=True, slots=True)
class VarianceShare:
    """The variance that a level adds within the next higher one.

    Attributes
    ----------
    level : str
        ``animal``, ``cell``, ``image`` or ``object``; where each unit of a level holds one value,
        the last one is that level.
    units : int
        How many there are.
    variance : float
        Within a condition, on the scale of comparison; zero where the estimate was negative.
    share : float
        Of the sum over levels.
    icc : float
        Intraclass correlation: of two objects that share a unit of this level and nothing below
        it; not a number for the last level.
    """

    level: str
    units: int
    variance: float
    share: float
    icc: float


def repeated_levels(sample: NestedSample) -> tuple[str, ...]:
    """Name the levels that can be told apart: with more units than the level above.

    Parameters
    ----------
    sample : NestedSample
        Values of objects.

    Returns
    -------
    tuple of str
        Of `LEVELS`, without those that hold one object in each unit.
    """
    kept, above = [], len(sample.conditions)
    for level, units in zip(LEVELS, sample.units, strict=True):
        count = int(units.max(initial=-1)) + 1
        if above < count < len(sample.values):
            kept.append(level)
            above = count
    return tuple(kept)


def variance_shares(sample: NestedSample) -> list[VarianceShare]:
    """Estimate the variance components of a nested design with unequal numbers.

    Sums of squares are equated with what they are expected to be (Searle, Casella & McCulloch
    1992, Variance Components, ch. 5): exact for any numbers, no iteration; conditions are fixed.

    Parameters
    ----------
    sample : NestedSample
        Two animals of a condition at least.

    Returns
    -------
    list of VarianceShare
        From `repeated_levels`, outermost first, and what holds single values last.
    """
    names = repeated_levels(sample)
    units = [sample.condition, *(sample.units[LEVELS.index(name)] for name in names)]
    units.append(np.arange(len(sample.values)))
    squares, expected = _equations(sample.values, units)
    variances = np.zeros(len(squares))
    for level in reversed(range(len(squares))):
        rest = expected[level, level + 1 :] @ variances[level + 1 :]
        if expected[level, level] > 0:
            variances[level] = max(0.0, (squares[level] - rest) / expected[level, level])
    share = variances / (variances.sum() or 1.0)
    together = np.append(np.cumsum(share)[:-1], np.nan)
    counts = [len(np.unique(codes)) for codes in units[1:]]
    return [
        VarianceShare(*row)
        for row in zip(
            (*names, _single(sample)),
            counts,
            variances.tolist(),
            share.tolist(),
            together.tolist(),
            strict=True,
        )
    ]


def _single(sample: NestedSample) -> str:
    """Name the level whose units hold one value each."""
    for level, units in zip(LEVELS, sample.units, strict=True):
        if int(units.max(initial=-1)) + 1 == len(sample.values):
            return level
    return "object"


def _equations(
    values: NDArray[np.float64], units: list[NDArray[np.intp]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sums of squares of each level within the one above, and their expected coefficients."""
    levels = len(units) - 1
    # Sums over units of (sum of values)^2 / n, and of (objects shared with inner units)^2 / n.
    total = np.array([_sum_of_squares(values, codes) for codes in units])
    # A unit within one of the other level counts whole.
    inner = np.full((levels + 1, levels), float(len(values)))
    for outer in range(levels):
        for level in range(outer, levels):
            inner[outer, level] = _overlap(units[outer], units[level + 1])
    return np.diff(total), np.diff(inner, axis=0)


def _sum_of_squares(values: NDArray[np.float64], codes: NDArray[np.intp]) -> float:
    n = np.bincount(codes)
    sums = np.bincount(codes, values - values.mean())
    return float(np.sum(sums[n > 0] ** 2 / n[n > 0]))


def _overlap(outer: NDArray[np.intp], inner: NDArray[np.intp]) -> float:
    """Sum, over outer units, of their inner units' squared sizes, by the outer unit's size."""
    size, members = np.bincount(outer), np.bincount(inner).astype(float)
    kept = members[members > 0]
    return float(np.sum(kept**2 / size[parents(inner, outer)]))
