"""Is one way better than another: difference, interval, p-value, and one sentence."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chondria.errors import ShapeError
from chondria.evaluation.blocks import DRAWS, Counts, iou_of_counts, resampled

__all__ = ["Comparison", "compare_counts"]

SIGNIFICANT = 0.05
MOST_PERMUTATIONS = 20_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the mean IoU of A differs from that of B.

    Attributes
    ----------
    difference : float
        Mean IoU of A's runs less that of B's.
    low, high : float
        95 % bootstrap interval of the difference, over blocks and runs.
    p_value : float
        Two-sided, of a permutation test.
    smallest_p : float
        The smallest that the test can give with so many runs or blocks.
    runs : tuple of int
        Of A and B.
    blocks : int
        Of the test volume.
    paired : bool
        Whether runs of A and B share their weights, so that only blocks are exchanged.
    """

    difference: float
    low: float
    high: float
    p_value: float
    smallest_p: float
    runs: tuple[int, int]
    blocks: int
    paired: bool

    @property
    def verdict(self) -> str:
        """Is A ``better`` or ``worse``, or is there ``no evidence``."""
        if self.p_value >= SIGNIFICANT or self.low <= 0 <= self.high:
            return "no evidence"
        return "better" if self.difference > 0 else "worse"

    def sentence(self, a: str, b: str) -> str:
        """Say it for people."""
        figures = f"difference of IoU {self.difference:+.4f}, 95 % interval {self.low:+.4f} to "
        figures += f"{self.high:+.4f}, p = {self.p_value:.2g}; {self._sample()}"
        if self.verdict != "no evidence":
            return f"{a} is {self.verdict} than {b}: {figures}."
        said = f"No evidence that {a} and {b} differ: {figures}."
        if self.smallest_p >= SIGNIFICANT:
            said += f" So few give no p below {self.smallest_p:.2g}: add runs before you conclude."
        return said

    def _sample(self) -> str:
        if self.paired:
            return f"{self.runs[0]} models scored both ways on {self.blocks} blocks"
        return f"n = {self.runs[0]} and {self.runs[1]} runs on {self.blocks} blocks"


def compare_counts(a: Counts, b: Counts, *, paired: bool, seed: int = 0) -> Comparison:
    """Compare two sets of runs on the same blocks.

    Where the runs of A and B share their weights (two ways of post-processing), what chance could
    have exchanged is the two results of each block; else it is which runs belong to A. All
    exchanges are tried, or 20,000 drawn ones where there are more (Fisher's permutation test).

    Parameters
    ----------
    a, b : ndarray of int, (runs, blocks, 3)
        `chondria.evaluation.blocks.block_counts` of each run.
    paired : bool
        Whether run i of A and run i of B are the same weights.
    seed : int
        Of resampling.

    Returns
    -------
    Comparison
        Difference, interval, p-value.

    Raises
    ------
    ShapeError
        If the blocks differ, or paired runs are not as many.
    """
    if a.shape[1:] != b.shape[1:] or (paired and len(a) != len(b)):
        raise ShapeError(
            f"Found counts of shapes {a.shape} and {b.shape}; both must be of the same blocks, and "
            "of as many runs where they are paired."
        )
    rng = np.random.default_rng(seed)
    difference = _mean_iou(a) - _mean_iou(b)
    permuted = _exchanged_blocks(a, b, rng) if paired else _exchanged_runs(a, b, rng)
    differences = np.array(list(permuted))
    # What was found counts among what chance could have given, so that p is never zero.
    as_extreme = np.count_nonzero(np.abs(differences) >= abs(difference) - 1e-12)
    # Each exchange and its opposite are as extreme, where there is an opposite.
    smallest = (2 if paired or len(a) == len(b) else 1) / len(differences)
    low, high = _interval(a, b, paired, rng)
    return Comparison(
        float(difference),
        low,
        high,
        min(1.0, max(int(as_extreme), 1) / len(differences)),
        min(1.0, smallest),
        (len(a), len(b)),
        int(a.shape[1]),
        paired,
    )


def _mean_iou(counts: NDArray[np.int64]) -> float:
    return float(iou_of_counts(counts.sum(1)).mean())


def _exchanged_blocks(a: Counts, b: Counts, rng: np.random.Generator) -> Iterator[float]:
    blocks = a.shape[1]
    if 2**blocks <= MOST_PERMUTATIONS:
        swaps = np.array(list(itertools.product((False, True), repeat=blocks)))
    else:
        swaps = rng.integers(0, 2, (MOST_PERMUTATIONS, blocks)).astype(bool)
    for swap in swaps:
        here = np.where(swap[None, :, None], b, a)
        there = np.where(swap[None, :, None], a, b)
        yield _mean_iou(here) - _mean_iou(there)


def _exchanged_runs(a: Counts, b: Counts, rng: np.random.Generator) -> Iterator[float]:
    ious = iou_of_counts(np.concatenate([a, b]).sum(1))
    runs, chosen = len(ious), len(a)
    groups: Iterator[NDArray[np.intp]]
    if math.comb(runs, chosen) <= MOST_PERMUTATIONS:
        groups = (np.array(group) for group in itertools.combinations(range(runs), chosen))
    else:
        groups = (rng.permutation(runs)[:chosen] for _ in range(MOST_PERMUTATIONS))
    for group in groups:
        rest = np.setdiff1d(np.arange(runs), group)
        yield float(ious[group].mean() - ious[rest].mean())


def _interval(a: Counts, b: Counts, paired: bool, rng: np.random.Generator) -> tuple[float, float]:
    """Draw the same blocks for both, and the same runs where they are paired."""
    blocks = rng.integers(0, a.shape[1], (DRAWS, a.shape[1]))
    of_a = rng.integers(0, len(a), (DRAWS, len(a)))
    of_b = of_a if paired else rng.integers(0, len(b), (DRAWS, len(b)))
    differences = resampled(a, of_a, blocks) - resampled(b, of_b, blocks)
    low, high = np.quantile(differences, (0.025, 0.975))
    return float(low), float(high)
