"""How far each object is from the next: between centroids and between surfaces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

__all__ = ["nearest_centroids", "nearest_surfaces"]

SAMPLES: Final = 256
ROUNDING_NM: Final = 1e-3


def nearest_centroids(centroids_nm: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Distance of each centroid to the nearest other one.

    Parameters
    ----------
    centroids_nm : ndarray of float, (objects, axes)
        Positions.

    Returns
    -------
    ndarray of float64, (objects,)
        Distances in nm; NaN where there is no other object.
    """
    if len(centroids_nm) < 2:
        return np.full(len(centroids_nm), np.nan)
    distances, _ = KDTree(centroids_nm).query(centroids_nm, k=2)
    return np.asarray(distances[:, 1], float)


def nearest_surfaces(
    surfaces_nm: Sequence[NDArray[np.floating[Any]]],
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Distance of each surface to the nearest other one.

    Parameters
    ----------
    surfaces_nm : sequence of ndarray of float, (points, axes)
        Points of each object's boundary.

    Returns
    -------
    tuple of ndarray, (objects,)
        Distances in nm between the nearest points, 0 where objects share a face; and which object
        is the nearest. NaN and -1 where there is no other.
    """
    count = len(surfaces_nm)
    best, which = np.full(count, np.inf), np.full(count, -1, np.intp)
    lows = np.array([points.min(axis=0) for points in surfaces_nm])
    highs = np.array([points.max(axis=0) for points in surfaces_nm])
    trees: dict[int, KDTree] = {}
    for one in range(count):
        gaps = _gaps(lows[one], highs[one], lows, highs)
        for other in np.argsort(gaps, kind="stable"):
            if other == one:
                continue
            if gaps[other] >= best[one]:
                break
            if other not in trees:
                trees[other] = KDTree(surfaces_nm[other])
            box = lows[other], highs[other]
            found = _distance(surfaces_nm[one], trees[other], box, best[one])
            for here, there in ((one, other), (other, one)):
                if found < best[here]:
                    best[here], which[here] = found, there
    return np.where(np.isfinite(best), best, np.nan), which


def _gaps(
    low: NDArray[Any], high: NDArray[Any], lows: NDArray[Any], highs: NDArray[Any]
) -> NDArray[np.float64]:
    """Distances between a box and others: no points within them are nearer."""
    apart = np.maximum(np.maximum(lows - high, low - highs), 0)
    return np.asarray(np.linalg.norm(apart, axis=1), float)


def _distance(
    points: NDArray[Any], tree: KDTree, box: tuple[NDArray[Any], NDArray[Any]], bound: float
) -> float:
    """Smallest distance from points to those of a tree; infinite if it is not below a bound."""
    points = points[_gaps(points, points, *box) < bound]
    if len(points) == 0:
        return np.inf
    # Points are no nearer than the way from their nearest sample lets them be.
    samples = points[:: max(len(points) // SAMPLES, 1)]
    of_samples, _ = tree.query(samples)
    away, which = KDTree(samples).query(points)
    nearest = min(bound, float(of_samples.min()))
    nearest += ROUNDING_NM  # the tree gives what is below its bound, not what is equal to it
    near = points[of_samples[which] - away < nearest]
    found, _ = tree.query(near, distance_upper_bound=nearest)
    return float(found.min(initial=np.inf))
