"""How closely two figures of the same runs go together: Pearson's r with an interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chondria.errors import ShapeError

__all__ = ["Correlation", "correlate"]

NORMAL_975 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Correlation:
    """Pearson's correlation of n pairs.

    Attributes
    ----------
    r : float
        From -1 to 1; not a number of fewer than two pairs, or where one side is constant.
    low, high : float
        95 % interval by Fisher's z transformation (1921), which takes the pairs for independent
        draws of a normal distribution; -1 to 1 of fewer than four pairs, which tell nothing.
    n : int
        Pairs.
    """

    r: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        if math.isnan(self.r):
            return f"no correlation to be told (n = {self.n})"
        return f"r = {self.r:+.3f} ({self.low:+.3f} to {self.high:+.3f}, n = {self.n})"


def correlate(x: Sequence[float], y: Sequence[float]) -> Correlation:
    """Measure how two figures go together.

    Parameters
    ----------
    x, y : sequence of float
        A pair of finite figures for each run.

    Returns
    -------
    Correlation
        r and its 95 % interval.

    Raises
    ------
    ShapeError
        If there are not as many of one as of the other.
    """
    if len(x) != len(y):
        raise ShapeError(
            f"Found {len(x)} figures and {len(y)} to correlate; every run needs one of each."
        )
    n = len(x)
    centred = [np.asarray(v, np.float64) - np.mean(v) if n else np.zeros(0) for v in (x, y)]
    lengths = [float(np.linalg.norm(v)) for v in centred]
    if n < 2 or _is_constant(x) or _is_constant(y):
        return Correlation(math.nan, -1.0, 1.0, n)
    r = float(np.clip(centred[0] / lengths[0] @ (centred[1] / lengths[1]), -1, 1))
    if n < 4:
        return Correlation(r, -1.0, 1.0, n)
    if abs(r) == 1:
        return Correlation(r, r, r, n)
    z, half = math.atanh(r), NORMAL_975 / math.sqrt(n - 3)
    return Correlation(r, math.tanh(z - half), math.tanh(z + half), n)


def _is_constant(values: Sequence[float]) -> bool:
    return min(values) == max(values)
