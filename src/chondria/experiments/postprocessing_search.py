"""Choose threshold, median along z and largest doubt on validation blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from chondria.errors import ShapeError
from chondria.postprocessing.confidence import object_confidence
from chondria.postprocessing.filters import threshold, z_extent_slices, z_median
from chondria.postprocessing.instances import connected_instances
from chondria.volume import Volume

__all__ = ["BlockScores", "SearchGrid", "score_block"]

# How far the doubts of one object lie apart that two networks saw: root mean square of the
# logarithm of their ratio (recipes/doubt_spread.py, recipes/LOG.md).
DOUBT_SPREAD: Final = 0.345


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
    doubts: Sequence[float] = (np.inf, 12, 10, 8, 7, 6, 5, 4.5, 4, 3.5, 3, 2.75, 2.5, 2.25, 2)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Values of each list."""
        return len(self.thresholds), len(self.z_medians_nm), len(self.doubts)


@dataclass(frozen=True, eq=False, slots=True)
class BlockScores:
    """IoU of every post-processing of a grid on one block: by threshold, median and doubt.

    Attributes
    ----------
    iou : ndarray of float64, shape of the grid
        One global count over the block; 1 where neither side has foreground.
    expected : ndarray of float64, shape of the grid
        The same from the counts that are expected when the doubt of every object may turn out
        differently, by a factor whose logarithm is normal with `DOUBT_SPREAD`. A block has few
        objects, and its best bound may stand next to one that holds much of the foreground: on
        other images, or with another network, that one would be lost. Choose by this.
    """

    iou: NDArray[np.float64]
    expected: NDArray[np.float64]


def score_block(
    probability: Volume,
    truth: NDArray[np.bool_],
    grid: SearchGrid,
    on_step: Callable[[], None] = lambda: None,
) -> BlockScores:
    """Score every post-processing of a grid on a block.

    Unlike `segment`, which drops the smallest objects first, it keeps them.

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
    BlockScores
        IoU, and what is to be expected of it elsewhere.

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
    scores = BlockScores(np.empty(grid.shape), np.empty(grid.shape))
    for i, p in enumerate(grid.thresholds):
        mask = threshold(values, p)
        for j, extent_nm in enumerate(grid.z_medians_nm):
            smooth = mask
            if extent_nm and probability.voxel_size_nm:
                smooth = z_median(mask, z_extent_slices(extent_nm, probability.voxel_size_nm[0]))
            objects = _count_objects(smooth, values, truth)
            scores.iou[i, j] = [_iou(objects, bound, 0.0) for bound in grid.doubts]
            scores.expected[i, j] = [_iou(objects, bound, DOUBT_SPREAD) for bound in grid.doubts]
        on_step()
    return scores


@dataclass(frozen=True, eq=False, slots=True)
class _Objects:
    """Doubt and voxels of each object, and the foreground of the truth."""

    doubt: NDArray[np.float64]
    true: NDArray[np.int64]
    false: NDArray[np.int64]
    n_true: int


def _count_objects(
    mask: NDArray[np.bool_], probability: NDArray[Any], truth: NDArray[np.bool_]
) -> _Objects:
    labels = connected_instances(mask)
    doubt = object_confidence(labels, probability).doubt
    voxels = np.bincount(labels.ravel(), minlength=len(doubt))
    true = np.bincount(labels[truth], minlength=len(doubt))
    return _Objects(doubt[1:], true[1:], (voxels - true)[1:], int(np.count_nonzero(truth)))


def _iou(objects: _Objects, largest_doubt: float, spread: float) -> float:
    """IoU of the objects up to a doubt; with a spread, of the counts expected."""
    if spread:
        # An object without any doubt is kept whatever the bound.
        with np.errstate(divide="ignore"):
            kept = ndtr(np.log(largest_doubt / objects.doubt) / spread)
    else:
        kept = objects.doubt <= largest_doubt
    union = objects.n_true + (objects.false * kept).sum()
    return float((objects.true * kept).sum() / union) if union else 1.0
