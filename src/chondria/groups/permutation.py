"""Permutation tests of two conditions: which animals, or signs, chance could have put where."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Permutation", "flip_signs", "permute_animals"]

MOST = 20_000


@dataclass(frozen=True, slots=True)
class Permutation:
    """The p-value of a permutation test, and the smallest that so few animals allow."""

    p_value: float
    smallest_p: float


def permute_animals(a: NDArray[np.float64], b: NDArray[np.float64], seed: int = 0) -> Permutation:
    """Compare the difference of means with that of every other division of the animals.

    Parameters
    ----------
    a, b : ndarray, (animals,)
        Means of animals, one at least each.
    seed : int
        Of the 20,000 divisions that are drawn where there are more.

    Returns
    -------
    Permutation
        Two-sided; 3 and 3 animals give no p below 0.1, 4 and 4 none below 0.029.
    """
    together = np.concatenate([a, b])
    n, all_of_them = len(a), len(together)
    ways = math.comb(all_of_them, n)
    if ways <= MOST:
        chosen = np.array(list(itertools.combinations(range(all_of_them), n)))
    else:
        rng = np.random.default_rng(seed)
        drawn = [rng.permutation(all_of_them)[:n] for _ in range(MOST - 1)]
        chosen = np.array([np.arange(n), *drawn])
    sums = together[chosen].sum(1)
    differences = (together.sum() - sums) / len(b) - sums / n
    found = abs(differences[0])
    extreme = np.count_nonzero(np.abs(differences) >= found - 1e-12 * max(1.0, found))
    sides = 2 if n == len(b) else 1
    return Permutation(extreme / len(chosen), min(1.0, sides / min(ways, MOST)))


def flip_signs(differences: NDArray[np.float64], seed: int = 0) -> Permutation:
    """Compare the mean difference within animals with that of every other choice of signs.

    If no condition matters, either order of the two was as likely (Fisher 1935, The Design of
    Experiments, §21).

    Parameters
    ----------
    differences : ndarray, (animals,)
        Of each animal's two conditions, one animal at least.
    seed : int
        Of the 20,000 choices that are drawn where there are more.

    Returns
    -------
    Permutation
        Two-sided; 5 animals give no p below 0.0625, 6 none below 0.031.
    """
    n = len(differences)
    ways = 2 ** min(n, 62)
    if ways <= MOST:
        signs = np.array(list(itertools.product((1, -1), repeat=n)))
    else:
        rng = np.random.default_rng(seed)
        signs = np.vstack([np.ones(n), rng.choice((-1, 1), (MOST - 1, n))])
    sums = np.abs(signs @ differences)
    extreme = np.count_nonzero(sums >= sums[0] - 1e-12 * np.abs(differences).sum())
    return Permutation(extreme / len(signs), min(1.0, 2 / min(ways, MOST)))
