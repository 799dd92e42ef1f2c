"""Truth and prediction cut into units of error: what was found together stands together.

A unit is a group of true and predicted objects that are linked: a true object and its one
partner, the true objects of a merge, the pieces of a split, an object that was missed, one that
was made up. Errors of different units are nearly independent, so that units can be resampled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chondria.trust.object_rows import object_rows

__all__ = [
    "COUNT",
    "COUNTED",
    "LENGTH",
    "QUANTITIES",
    "VOLUME",
    "ErrorTally",
    "ErrorUnits",
    "MeasuredObjects",
    "Overlaps",
    "error_units",
]

# Columns of the sums.
COUNT, COUNTED, VOLUME, LENGTH = range(4)
QUANTITIES: Final = 4


@dataclass(frozen=True, eq=False, slots=True)
class MeasuredObjects:
    """Objects of a label map with their measures.

    Attributes
    ----------
    ids : ndarray of int, (objects,)
        Ascending.
    voxels, volume_um3 : ndarray, (objects,)
        Size.
    block : ndarray of int, (objects,)
        Number of the block of tissue that each lies in.
    counted : ndarray of bool, (objects,)
        Whether the object begins within the volume, on every axis: an object that is cut by the
        first face belongs to the tissue before, so that objects per volume do not depend on
        how large the volume is (the unbiased brick, Gundersen 1986).
    length_um : ndarray of float, (objects,), optional
        Of their skeletons.
    """

    ids: NDArray[Any]
    voxels: NDArray[Any]
    volume_um3: NDArray[Any]
    block: NDArray[Any]
    counted: NDArray[Any]
    length_um: NDArray[Any] | None = None

    def quantities(self) -> NDArray[np.float64]:
        """Give what adds up, (objects, 4): one, counted, volume, length (0 if not measured)."""
        length = np.zeros(self.ids.size) if self.length_um is None else self.length_um
        return np.column_stack([np.ones(self.ids.size), self.counted, self.volume_um3, length])


@dataclass(frozen=True, eq=False, slots=True)
class Overlaps:
    """Voxels of each pair of identifiers that occurs, background (0) included, (pairs,)."""

    predicted_ids: NDArray[Any]
    true_ids: NDArray[Any]
    voxels: NDArray[Any]


@dataclass(frozen=True, slots=True)
class ErrorTally:
    """What went wrong, in numbers.

    Attributes
    ----------
    true_objects, predicted_objects : int
        How many there are.
    missing, extra : int
        True objects without a partner; predicted ones without.
    split, merged : int
        True objects of two partners or more; predicted ones of two or more.
    shared_voxels, predicted_voxels, true_voxels : int
        Of the masks.
    """

    true_objects: int
    predicted_objects: int
    missing: int
    extra: int
    split: int
    merged: int
    shared_voxels: int
    predicted_voxels: int
    true_voxels: int

    @property
    def iou(self) -> float:
        """Of the masks; 1 where both are empty."""
        union = self.predicted_voxels + self.true_voxels - self.shared_voxels
        return self.shared_voxels / union if union else 1.0

    def __add__(self, other: ErrorTally) -> ErrorTally:
        """Put two volumes together."""
        pairs = zip(self.__slots__, other.__slots__, strict=True)
        return ErrorTally(*(getattr(self, a) + getattr(other, b) for a, b in pairs))

    def sentence(self) -> str:
        """Say it for people; the IoU of the masks beside it hardly notices a merge."""
        return (
            f"Of {self.true_objects} true objects of the validation slices {self.missing} were "
            f"missed and {self.split} split; of {self.predicted_objects} predicted ones "
            f"{self.extra} are no mitochondria and {self.merged} are several merged; the masks "
            f"agree to an IoU of {self.iou:.3f}."
        )


@dataclass(frozen=True, eq=False, slots=True)
class ErrorUnits:
    """What is true and what was predicted of each unit.

    Attributes
    ----------
    true, predicted : ndarray of float64, (units, 4)
        Number of objects, of those that begin within the volume, volume in um3, length in um.
    block : ndarray of int, (units,)
        Block of tissue.
    has_length : bool
        Whether lengths were measured.
    """

    true: NDArray[np.float64]
    predicted: NDArray[np.float64]
    block: NDArray[np.int64]
    has_length: bool

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.block)

    def __add__(self, other: ErrorUnits) -> ErrorUnits:
        """Put two volumes together; their blocks stay apart."""
        after = 1 + int(self.block.max(initial=-1))
        return ErrorUnits(
            np.concatenate([self.true, other.true]),
            np.concatenate([self.predicted, other.predicted]),
            np.concatenate([self.block, other.block + after]),
            self.has_length and other.has_length,
        )


def error_units(
    overlaps: Overlaps, predicted: MeasuredObjects, true: MeasuredObjects
) -> tuple[ErrorUnits, ErrorTally]:
    """Link objects that share more than half of the smaller one, and group what is linked.

    Parameters
    ----------
    overlaps : Overlaps
        Of the two label maps.
    predicted, true : MeasuredObjects
        Their objects.

    Returns
    -------
    ErrorUnits
        Every object of either side is in exactly one, so that sums over units are sums over
        objects.
    ErrorTally
        Misses, false alarms, splits and merges.
    """
    both = (overlaps.predicted_ids != 0) & (overlaps.true_ids != 0)
    p = object_rows(predicted.ids)(overlaps.predicted_ids[both])
    t = object_rows(true.ids)(overlaps.true_ids[both])
    shared = overlaps.voxels[both]
    linked = 2 * shared > np.minimum(predicted.voxels[p], true.voxels[t])
    p, t = p[linked], t[linked]
    unit_of_predicted, unit_of_true, n = _connected(p, t, predicted.ids.size, true.ids.size)
    block = np.zeros(n, np.int64)
    block[unit_of_predicted] = predicted.block
    block[unit_of_true] = true.block  # where the truth is, if there is any
    units = ErrorUnits(
        _summed(unit_of_true, true.quantities(), n),
        _summed(unit_of_predicted, predicted.quantities(), n),
        block,
        predicted.length_um is not None and true.length_um is not None,
    )
    partners_of_p = np.bincount(p, minlength=predicted.ids.size)
    partners_of_t = np.bincount(t, minlength=true.ids.size)
    tally = ErrorTally(
        true.ids.size,
        predicted.ids.size,
        missing=int(np.count_nonzero(partners_of_t == 0)),
        extra=int(np.count_nonzero(partners_of_p == 0)),
        split=int(np.count_nonzero(partners_of_t > 1)),
        merged=int(np.count_nonzero(partners_of_p > 1)),
        shared_voxels=int(shared.sum()),
        predicted_voxels=int(predicted.voxels.sum()),
        true_voxels=int(true.voxels.sum()),
    )
    return units, tally


def _connected(
    p: NDArray[np.intp], t: NDArray[np.intp], n_predicted: int, n_true: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], int]:
    """Number the groups of linked objects; gives that of each predicted and of each true one."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    size = n_predicted + n_true
    graph = coo_array((np.ones(p.size), (p, n_predicted + t)), shape=(size, size))
    n, unit = connected_components(graph, directed=False)
    return unit[:n_predicted], unit[n_predicted:], int(n)


def _summed(
    unit: NDArray[np.int32], quantities: NDArray[np.float64], n: int
) -> NDArray[np.float64]:
    columns = [np.bincount(unit, weights=column, minlength=n) for column in quantities.T]
    return np.stack(columns, axis=1).astype(np.float64)
