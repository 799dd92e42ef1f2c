"""Scores block by block, and how far they would move had other blocks or seeds been drawn.

Neighbouring voxels and slices are near copies, so that intervals over them would be far too narrow;
blocks of a micrometre or more are nearly independent pieces of tissue, and so are runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.errors import SettingsError, ShapeError
from chondria.evaluation.objects import same_grid

__all__ = ["block_counts", "iou_interval", "iou_of_counts", "resampled"]

Counts = NDArray[np.int64]

# Times that blocks and runs are resampled.
DRAWS = 2000


def block_counts(prediction: NDArray[Any], truth: NDArray[Any], edge_px: int = 256) -> Counts:
    """Count the voxels of blocks: squares of the plane, through all slices.

    Parameters
    ----------
    prediction, truth : ndarray, (Z, Y, X) or (Y, X)
        Masks or label maps on one grid; what is not zero is foreground.
    edge_px : int
        Edge of a block; those at the far border are smaller.

    Returns
    -------
    ndarray of int, (blocks, 3)
        True positives, false positives and false negatives.

    Raises
    ------
    ShapeError
        If the two differ in shape.
    SettingsError
        If the edge is not at least 1.
    """
    if edge_px < 1:
        raise SettingsError(f"Found blocks of {edge_px} px; give an edge of at least 1.")
    prediction, truth = same_grid(prediction, truth)
    found, true = prediction != 0, truth != 0
    maps = [(found & true).sum(0), (found & ~true).sum(0), (~found & true).sum(0)]
    rows = np.arange(0, found.shape[1], edge_px)
    columns = np.arange(0, found.shape[2], edge_px)
    sums = [np.add.reduceat(np.add.reduceat(m, rows, 0), columns, 1).ravel() for m in maps]
    return np.stack(sums, axis=1).astype(np.int64)


def iou_of_counts(counts: NDArray[Any]) -> NDArray[np.float64]:
    """IoU of counts (..., 3); 1 where there is nothing and nothing was found."""
    union = counts.sum(-1)
    return np.where(union > 0, counts[..., 0] / np.maximum(union, 1), 1.0)


def iou_interval(counts: Counts, *, level: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """Bootstrap interval of the mean IoU of runs, over runs and blocks (Efron 1979).

    Parameters
    ----------
    counts : ndarray of int, (runs, blocks, 3)
        `block_counts` of each run, on the same blocks.
    level : float
        Share of the resampled means within the interval.
    seed : int
        Of the resampling.

    Returns
    -------
    tuple of float
        Lower and upper bound (percentiles).

    Raises
    ------
    ShapeError
        If the counts are not (runs, blocks, 3).
    """
    rng = np.random.default_rng(seed)
    runs, blocks = _shape(counts)
    drawn_runs = rng.integers(0, runs, (DRAWS, runs))
    means = resampled(counts, drawn_runs, rng.integers(0, blocks, (DRAWS, blocks)))
    tail = (1 - level) / 2
    low, high = np.quantile(means, (tail, 1 - tail))
    return float(low), float(high)


def resampled(
    counts: Counts, runs: NDArray[np.intp], blocks: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Mean IoU of runs (draws, n) over blocks (draws, m) that were drawn from the counts."""
    weights = np.zeros((len(blocks), counts.shape[1]))
    np.add.at(weights, (np.arange(len(blocks))[:, None], blocks), 1)
    # (draws, runs, 3): each run's counts over the blocks of a draw.
    sums = np.einsum("db,rbk->drk", weights, counts.astype(np.float64))
    ious = iou_of_counts(sums)
    means: NDArray[np.float64] = np.take_along_axis(ious, runs, 1).mean(1)
    return means


def _shape(counts: Counts) -> tuple[int, int]:
    if counts.ndim != 3 or counts.shape[2] != 3 or 0 in counts.shape:
        raise ShapeError(
            f"Found counts of shape {counts.shape}; (runs, blocks, 3) are needed, at least one of "
            "each."
        )
    return counts.shape[0], counts.shape[1]
