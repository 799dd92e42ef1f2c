"""The contingency table: which objects of two label maps share how many voxels.

It is computed once and every metric reads it, so no metric touches the voxels again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.evaluation.objects import same_grid

__all__ = ["BinaryTable", "ContingencyTable", "ObjectPairs", "contingency_table"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BinaryTable:
    """Voxels by what was predicted and what is true.

    Parameters
    ----------
    true_positives, false_positives, false_negatives, true_negatives : int
        Numbers of voxels; positive means foreground.
    """

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    @property
    def voxels(self) -> int:
        """Number of voxels that were compared."""
        wrong = self.false_positives + self.false_negatives
        return self.true_positives + self.true_negatives + wrong


@dataclass(frozen=True, eq=False, slots=True)
class ObjectPairs:
    """The pairs of one predicted and one true object that share at least one voxel.

    Parameters
    ----------
    predicted, true : ndarray of int, (pairs,)
        Positions of the two objects in `ContingencyTable.predicted_objects` and `.true_objects`.
    voxels : ndarray of int, (pairs,)
        Voxels they share.
    iou : ndarray of float, (pairs,)
        Their intersection over union.
    """

    predicted: Integers
    true: Integers
    voxels: Integers
    iou: Floats


@dataclass(frozen=True, eq=False)
class ContingencyTable:
    """How many voxels bear each pair of identifiers; only pairs that occur are kept.

    Parameters
    ----------
    predicted_ids, true_ids : ndarray of int, (pairs,)
        Identifiers in the prediction and in the truth; 0 is the background.
    voxels : ndarray of int, (pairs,)
        Voxels that bear both.

    See Also
    --------
    contingency_table : computes it from two label maps.
    """

    predicted_ids: NDArray[Any]
    true_ids: NDArray[Any]
    voxels: Integers

    @cached_property
    def predicted_objects(self) -> NDArray[Any]:
        """Identifiers of the predicted objects, ascending, without the background."""
        return _objects(self.predicted_ids)

    @cached_property
    def true_objects(self) -> NDArray[Any]:
        """Identifiers of the true objects, ascending, without the background."""
        return _objects(self.true_ids)

    @cached_property
    def predicted_sizes(self) -> Integers:
        """Voxels of each predicted object."""
        return _sizes(self.predicted_objects, self.predicted_ids, self.voxels)

    @cached_property
    def true_sizes(self) -> Integers:
        """Voxels of each true object."""
        return _sizes(self.true_objects, self.true_ids, self.voxels)

    @cached_property
    def pairs(self) -> ObjectPairs:
        """The pairs of objects that overlap, with their intersection over union."""
        both = (self.predicted_ids != 0) & (self.true_ids != 0)
        predicted = np.searchsorted(self.predicted_objects, self.predicted_ids[both])
        true = np.searchsorted(self.true_objects, self.true_ids[both])
        shared = self.voxels[both]
        union = self.predicted_sizes[predicted] + self.true_sizes[true] - shared
        return ObjectPairs(predicted, true, shared, shared / union)

    @cached_property
    def binary(self) -> BinaryTable:
        """The same voxels, told apart only as background (identifier 0) and foreground."""
        predicted, true = self.predicted_ids != 0, self.true_ids != 0
        cells = (predicted & true, predicted & ~true, ~predicted & true, ~predicted & ~true)
        return BinaryTable(*(int(self.voxels[cell].sum()) for cell in cells))


def contingency_table(prediction: NDArray[Any], truth: NDArray[Any]) -> ContingencyTable:
    """Count the voxels of every pair of identifiers.

    Segmented images hold long runs of one pair of identifiers along x, so runs are counted and not
    voxels. Identifiers may be any integers: the cost follows the number of runs, not their size.

    Parameters
    ----------
    prediction, truth : ndarray of bool or int, (Z, Y, X) or (Y, X)
        Label maps or masks on one grid; 0 is the background.

    Returns
    -------
    ContingencyTable
        The pairs that occur and their numbers of voxels.

    Raises
    ------
    ShapeError
        If the two differ in shape.
    """
    prediction, truth = same_grid(prediction, truth)
    slices = [_count_runs(p, t) for p, t in zip(prediction, truth, strict=True)]
    predicted_ids, true_ids, voxels = (np.concatenate(part) for part in zip(*slices, strict=True))
    return ContingencyTable(*_sum_by_pair(predicted_ids, true_ids, voxels))


def _count_runs(
    prediction: NDArray[Any], truth: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], Integers]:
    """Count pairs of identifiers in one slice by its runs of equal pairs."""
    p, t = prediction.ravel(), truth.ravel()
    changes = np.flatnonzero((p[1:] != p[:-1]) | (t[1:] != t[:-1])) + 1
    starts = np.concatenate(([0], changes))
    return _sum_by_pair(p[starts], t[starts], np.diff(starts, append=p.size))


def _sum_by_pair(
    predicted: NDArray[Any], true: NDArray[Any], voxels: Integers
) -> tuple[NDArray[Any], NDArray[Any], Integers]:
    """Add up the voxels of equal pairs; the pairs come back unique and in ascending order."""
    predicted_ids, row = np.unique(predicted, return_inverse=True)
    true_ids, column = np.unique(true, return_inverse=True)
    cells, cell = np.unique(row * true_ids.size + column, return_inverse=True)
    # Weights are floats, exact up to 2**53 voxels.
    sums = np.bincount(cell, weights=voxels).astype(np.int64)
    return predicted_ids[cells // true_ids.size], true_ids[cells % true_ids.size], sums


def _objects(ids: NDArray[Any]) -> NDArray[Any]:
    """List the identifiers that are not background."""
    objects: NDArray[Any] = np.unique(ids[ids != 0])
    return objects


def _sizes(objects: NDArray[Any], ids: NDArray[Any], voxels: Integers) -> Integers:
    """Add up the voxels of each object."""
    inside = ids != 0
    where = np.searchsorted(objects, ids[inside])
    return np.bincount(where, weights=voxels[inside], minlength=objects.size).astype(np.int64)
