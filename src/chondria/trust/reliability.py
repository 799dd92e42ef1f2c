"""Do probabilities mean what they say? Reliability diagrams and their error in one number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chondria.errors import PixelValueError

__all__ = ["Reliability", "ReliabilityBin", "reliability", "wilson_interval"]

BINS: Final = 15
Z_95: Final = 1.959963984540054


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Cases of about the same probability.

    Attributes
    ----------
    low, high : float
        Bounds of the bin.
    count : int
        Cases in it.
    mean_probability : float
        What was said of them.
    frequency : float
        Share of them that is true.
    frequency_low, frequency_high : float
        Its 95 % interval (Wilson), were the cases independent. Objects nearly are; pixels are not.
    """

    low: float
    high: float
    count: int
    mean_probability: float
    frequency: float
    frequency_low: float
    frequency_high: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """A reliability diagram.

    Attributes
    ----------
    bins : tuple of ReliabilityBin
        Those that are not empty, ascending.
    expected_calibration_error : float
        ``sum(count |frequency - mean probability|) / sum(count)`` (ECE; Naeini et al. 2015).
    brier : float
        Mean squared difference of probability and truth (Brier 1950).
    count : int
        Cases in all.
    """

    bins: tuple[ReliabilityBin, ...]
    expected_calibration_error: float
    brier: float
    count: int


def reliability(
    probability: NDArray[Any],
    true: NDArray[Any],
    every: NDArray[Any] | None = None,
    bins: int = BINS,
) -> Reliability:
    """Compare what was said with what is so, in bins of equal width.

    Parameters
    ----------
    probability : ndarray of float, (cases,)
        From 0 to 1.
    true : ndarray, (cases,)
        Whether each is so; with `every`, how many of so many are.
    every : ndarray of int, (cases,), optional
        How often each case occurs: one row then stands for many pixels of one level.
    bins : int
        Number of bins.

    Returns
    -------
    Reliability
        Without bins, and of error 0, where there is no case.

    Raises
    ------
    PixelValueError
        If a probability is not between 0 and 1.
    """
    p, positives = np.asarray(probability, np.float64), np.asarray(true, np.float64)
    if not np.all((p >= 0) & (p <= 1)):
        raise PixelValueError("Found probabilities outside 0 to 1; give calibrated or plain ones.")
    counts = np.ones(p.shape) if every is None else np.asarray(every, np.float64)
    place = np.minimum((p * bins).astype(int), bins - 1)
    n, said, so = (
        np.bincount(place, weights=weights, minlength=bins)
        for weights in (counts, counts * p, positives)
    )
    found = [_bin(i, bins, n[i], said[i], so[i]) for i in range(bins) if n[i]]
    total = max(n.sum(), 1.0)
    squares = positives * (1 - p) ** 2 + (counts - positives) * p**2
    return Reliability(
        tuple(found),
        float(np.abs(so - said).sum() / total),
        float(squares.sum() / total),
        int(n.sum()),
    )


def wilson_interval(positives: float, count: float) -> tuple[float, float]:
    """Interval of a share at 95 % (Wilson 1927); 0 to 1 where nothing was counted."""
    if count <= 0:
        return 0.0, 1.0
    share, factor = positives / count, Z_95**2 / count
    middle = (share + factor / 2) / (1 + factor)
    half = Z_95 * math.sqrt(share * (1 - share) / count + factor / (4 * count)) / (1 + factor)
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))


def _bin(index: int, bins: int, count: float, said: float, so: float) -> ReliabilityBin:
    bounds = (index / bins, (index + 1) / bins)
    shares = (float(said / count), float(so / count))
    return ReliabilityBin(*bounds, int(count), *shares, *wilson_interval(so, count))
