"""Extents of an object between parallel planes, and how much of its convex hull it fills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import cdist

__all__ = ["HullMeasures", "measure_hull"]

# Makes hulls of flat and thin objects bodies, in voxels; too little to reach another voxel.
THICKNESS: Final = 1e-3
CHUNK: Final = 256


@dataclass(frozen=True, slots=True)
class HullMeasures:
    """Measures of an object's convex hull.

    Attributes
    ----------
    feret_max_nm, feret_min_nm : float
        Largest and smallest distance of two parallel planes (lines, in 2-D) that touch the object
        from both sides.
    solidity : float
        Share of the voxels whose centres lie in the hull of the object's voxel centres that
        belong to the object: 1 for a convex object, whatever its size.
    """

    feret_max_nm: float
    feret_min_nm: float
    solidity: float


def measure_hull(mask: NDArray[np.bool_], edges_nm: Sequence[float]) -> HullMeasures:
    """Measure Feret diameters and solidity.

    The hull that Feret diameters are taken of is that of the centres of the faces of voxels,
    where on average the true boundary runs.

    Parameters
    ----------
    mask : ndarray of bool, (Z, Y, X) or (Y, X)
        The object; at least one voxel.
    edges_nm : sequence of float
        Edge lengths of a voxel along the array's axes.

    Returns
    -------
    HullMeasures
        Feret diameters and solidity.
    """
    corners = _extreme(_ends_of_rows(mask))
    faces = ConvexHull(_with_octahedra(corners, 0.5) * np.asarray(edges_nm))
    points = faces.points[faces.vertices]
    solid = ConvexHull(_with_octahedra(corners, THICKNESS))
    inside = _lattice_points(solid.equations, mask.shape)
    return HullMeasures(
        _largest_distance(points),
        _smallest_width(points, faces.equations[:, :-1]),
        float(np.count_nonzero(mask) / inside),
    )


def _ends_of_rows(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """First and last voxel of each row along the last axis: corners of the hull are among them."""
    rows = np.argwhere(mask.any(axis=-1))
    chosen = mask[tuple(rows.T)]
    first = chosen.argmax(axis=-1)
    last = mask.shape[-1] - 1 - chosen[:, ::-1].argmax(axis=-1)
    ends = [np.column_stack([rows, end]) for end in (first, last)]
    return np.concatenate(ends).astype(float)


def _extreme(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corners of the hull; all points where they lie in one plane or line."""
    try:
        return np.asarray(points[ConvexHull(points).vertices])
    except QhullError:
        return points


def _with_octahedra(points: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    offsets = reach * np.concatenate([np.eye(points.shape[1]), -np.eye(points.shape[1])])
    return (points[:, None] + offsets).reshape(-1, points.shape[1])


def _largest_distance(points: NDArray[Any]) -> float:
    starts = range(0, len(points), CHUNK)
    return max(float(cdist(points[start : start + CHUNK], points).max()) for start in starts)


def _smallest_width(points: NDArray[Any], normals: NDArray[Any]) -> float:
    """Width across the facets of the hull; that between two edges is hardly ever smaller."""
    widths = (
        np.ptp(points @ normals[i : i + CHUNK].T, axis=0) for i in range(0, len(normals), CHUNK)
    )
    return min(float(width.min()) for width in widths)


def _lattice_points(equations: NDArray[Any], shape: tuple[int, ...]) -> int:
    """Count voxel centres in a convex body: the length of each row, cut by every facet."""
    rows = np.indices(shape[:-1]).reshape(len(shape) - 1, -1).T.astype(float)
    low, high = np.zeros(len(rows)), np.full(len(rows), shape[-1] - 1.0)
    for *normal, slope, offset in equations:
        beyond = rows @ np.array(normal) + offset
        if slope > 0:
            np.minimum(high, beyond / -slope, out=high)
        elif slope < 0:
            np.maximum(low, beyond / -slope, out=low)
        else:
            high[beyond > 0] = -1.0
    return int(np.maximum(np.floor(high) - np.ceil(low) + 1, 0).sum())
