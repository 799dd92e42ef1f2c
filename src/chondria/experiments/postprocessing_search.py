"""Choose threshold, median along z and largest doubt on validation blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter

from chondria.errors import ShapeError
from chondria.postprocessing.confidence import object_confidence
from chondria.postprocessing.filters import threshold, z_extent_slices, z_median
from chondria.postprocessing.instances import connected_instances
from chondria.volume import Volume

__all__ = ["SearchGrid", "score_block", "sturdiest"]


@dataclass(frozen=True, slots=True)
class SearchGrid:
    """The values that are tried, each list from one end to the other.

    Attributes
    ----------
    thresholds : sequence of float
        Probabilities from which a voxel is foreground.
    z_medians_nm : sequence of float
        Extents of the median along z; 0 for none.
    doubts : sequence of float
        Largest doubts of an object that is kept; infinity keeps all.
    """

    thresholds: Sequence[float] = (0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8)
    z_medians_nm: Sequence[float] = (0, 15, 25, 35, 45)
    doubts: Sequence[float] = (np.inf, 8, 6, 5, 4.5, 4, 3.75, 3.5, 3.25, 3, 2.75, 2.5, 2.25, 2)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Values of each list."""
        return len(self.thresholds), len(self.z_medians_nm), len(self.doubts)


def score_block(
    probability: Volume,
    truth: NDArray[np.bool_],
    grid: SearchGrid,
    on_step: Callable[[], None] = lambda: None,
) -> NDArray[np.float64]:
    """IoU of every post-processing of a grid, one global count over the block each.

    Parameters
    ----------
    probability : Volume, (Z, Y, X)
        Prediction of a block that the network did not learn from.
    truth : ndarray of bool, (Z, Y, X)
        Its foreground.
    grid : SearchGrid
        What to try. The median is left out where the volume has no voxel size.
    on_step : callable
        Called after each threshold.

    Returns
    -------
    ndarray of float64, shape of the grid
        IoU by threshold, median and doubt; 1 where neither side has foreground.

    Raises
    ------
    ShapeError
        If the shapes differ.
    """
    values = probability.numpy()
    if values.shape != truth.shape:
        raise ShapeError(
            f"Found probabilities of shape {values.shape} and a truth of shape {truth.shape}; "
            "both must be of one block."
        )
    found = np.empty(grid.shape)
    for i, p in enumerate(grid.thresholds):
        mask = threshold(values, p)
        for j, extent_nm in enumerate(grid.z_medians_nm):
            smooth = mask
            if extent_nm and probability.voxel_size_nm:
                smooth = z_median(mask, z_extent_slices(extent_nm, probability.voxel_size_nm[0]))
            found[i, j] = _iou_by_doubt(smooth, values, truth, grid.doubts)
        on_step()
    return found


def sturdiest(scores: NDArray[np.float64]) -> tuple[int, ...]:
    """Find the place of a grid whose worst neighbour is best.

    A block holds few objects, so its best settings may stand next to a cliff: one step further, a
    large object is lost. Settings that are nearly as good all around carry over to other images.

    Parameters
    ----------
    scores : ndarray
        Higher is better.

    Returns
    -------
    tuple of int
        Index of the best; of equals that with the higher score of its own, then the first.
    """
    worst = minimum_filter(scores, size=3, mode="nearest")
    candidates = np.flatnonzero(worst.ravel() == worst.max())
    best = candidates[scores.ravel()[candidates].argmax()]
    return tuple(int(i) for i in np.unravel_index(best, scores.shape))


def _iou_by_doubt(
    mask: NDArray[np.bool_],
    probability: NDArray[Any],
    truth: NDArray[np.bool_],
    doubts: Sequence[float],
) -> list[float]:
    """Count every object once; which of them are kept decides each IoU."""
    labels = connected_instances(mask)
    doubt = object_confidence(labels, probability).doubt
    voxels = np.bincount(labels.ravel(), minlength=len(doubt))
    true = np.bincount(labels[truth], minlength=len(doubt))
    n_true = np.count_nonzero(truth)
    found = []
    for largest in doubts:
        kept = doubt <= largest
        kept[0] = False
        union = n_true + (voxels - true)[kept].sum()
        found.append(float(true[kept].sum() / union) if union else 1.0)
    return found
