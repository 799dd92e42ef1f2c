"""How sharply the probability falls at the outline of each object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.errors import ShapeError
from chondria.trust.object_rows import object_rows
from chondria.volume import as_voxel_size, as_zyx

__all__ = ["boundary_sharpness"]


def boundary_sharpness(
    labels: NDArray[Any],
    probability: NDArray[Any],
    ids: NDArray[Any],
    voxel_size_nm: Sequence[float],
) -> NDArray[np.float64]:
    """Average the slope of the probability over the outline of each object.

    The slope is the length of the gradient in the plane (Y, X), by central differences, at every
    pixel of the object with a neighbour in the plane that is not of it. Slices are judged one by
    one: between thick sections there is no outline to be sharp. Where the probability falls
    evenly from 1 to 0 over ``w`` nm, the slope is ``1 / w``, and the width between the
    probabilities 0.75 and 0.25 is half its inverse.

    Parameters
    ----------
    labels : ndarray of int, (Z, Y, X)
        0 is background.
    probability : ndarray, (Z, Y, X)
        Floats 0 to 1, or uint8, where 255 is certainty.
    ids : ndarray of int, (objects,)
        Identifiers, ascending.
    voxel_size_nm : sequence of float
        Edge lengths (z, y, x).

    Returns
    -------
    ndarray of float64, (objects,)
        In 1/nm; 0 for an object without an outline, which fills every slice that it is in.

    Raises
    ------
    ShapeError, VoxelSizeError
        If the shapes differ, or the voxel size is none.
    """
    if labels.shape != probability.shape:
        raise ShapeError(
            f"Found labels of shape {labels.shape} and probabilities of shape "
            f"{probability.shape}; both must be of one volume."
        )
    _, y_nm, x_nm = as_voxel_size(voxel_size_nm)
    scale = 255.0 if probability.dtype == np.uint8 else 1.0
    rows_of = object_rows(ids)
    slopes, counts = np.zeros((2, ids.size))
    for plane, values in zip(as_zyx(labels), as_zyx(probability), strict=True):
        y, x = np.nonzero(_outline(plane))
        row = rows_of(plane[y, x])
        y, x, row = y[row >= 0], x[row >= 0], row[row >= 0]
        slope = np.hypot(_slope(values, y, x, 0, y_nm), _slope(values, y, x, 1, x_nm)) / scale
        slopes += np.bincount(row, weights=slope, minlength=ids.size)
        counts += np.bincount(row, minlength=ids.size)
    return slopes / np.maximum(counts, 1)


def _outline(plane: NDArray[Any]) -> NDArray[np.bool_]:
    """Mark the pixels of objects that have a neighbour of another number."""
    marked = np.zeros(plane.shape, np.bool_)
    down, across = plane[1:] != plane[:-1], plane[:, 1:] != plane[:, :-1]
    marked[1:] |= down
    marked[:-1] |= down
    marked[:, 1:] |= across
    marked[:, :-1] |= across
    outline: NDArray[np.bool_] = marked & (plane != 0)
    return outline


def _slope(
    values: NDArray[Any], y: NDArray[np.intp], x: NDArray[np.intp], axis: int, step_nm: float
) -> NDArray[np.float64]:
    """Central difference along one axis of the plane; one-sided at the edge of the image."""
    at, last = (y, x)[axis], values.shape[axis] - 1
    before, after = np.maximum(at - 1, 0), np.minimum(at + 1, last)
    low, high = ((before, x), (after, x)) if axis == 0 else ((y, before), (y, after))
    rise = values[high].astype(np.float64) - values[low]
    slope: NDArray[np.float64] = rise / (np.maximum(after - before, 1) * step_nm)
    return slope
