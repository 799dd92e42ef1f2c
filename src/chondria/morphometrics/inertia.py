"""Axes of the ellipsoid that has an object's moments of inertia, and where the longest points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["InertiaAxes", "measure_inertia"]

# Two axes that differ by less than this share are equal: they point nowhere.
EQUAL: Final = 1e-6


@dataclass(frozen=True, eq=False, slots=True)
class InertiaAxes:
    """The ellipsoid (ellipse, in 2-D) with the object's second moments.

    Attributes
    ----------
    lengths_nm : tuple of float
        Whole axes, longest first: 3, or 2 for a flat object.
    direction : ndarray of float64, (axes,)
        Unit vector of the longest, in the array's axes, signed so that its first component that
        is not zero is positive; NaN where no axis is the longest.
    """

    lengths_nm: tuple[float, ...]
    direction: NDArray[np.float64]

    def angles_deg(self) -> tuple[float, float]:
        """Give the direction as two angles.

        Returns
        -------
        tuple of float
            Azimuth: from the x axis towards y, -180 to 180 (0 to 180 where the elevation is 0, as
            in 2-D). Elevation: from the plane of the slice towards larger z, 0 to 90. NaN where
            there is no direction; the azimuth too where the elevation is 90.
        """
        z, y, x = (0.0, *self.direction) if len(self.direction) == 2 else self.direction
        elevation = math.degrees(math.atan2(z, math.hypot(y, x)))
        azimuth = math.degrees(math.atan2(y, x)) if y or x else math.nan
        return azimuth, elevation


def measure_inertia(points_px: NDArray[Any], edges_nm: Sequence[float]) -> InertiaAxes:
    """Measure the axes of inertia.

    Parameters
    ----------
    points_px : ndarray of int, (voxels, axes)
        Indices of the object's voxels.
    edges_nm : sequence of float
        Edge lengths of a voxel. Each voxel counts as the box that it is, so that an object of one
        voxel or slice has axes too.

    Returns
    -------
    InertiaAxes
        Lengths and direction.
    """
    edges = np.asarray(edges_nm, float)
    points = (points_px - points_px.mean(axis=0)) * edges
    covariance = points.T @ points / len(points) + np.diag(edges**2 / 12)
    moments, vectors = np.linalg.eigh(covariance)
    # A solid ball of n dimensions and semi-axis a has the second moment a²/(n + 2).
    lengths = 2 * np.sqrt((len(edges) + 2) * moments[::-1])
    direction = vectors[:, -1]
    direction = np.where(np.abs(direction) < EQUAL, 0.0, direction)
    direction = direction * np.sign(direction[np.flatnonzero(direction)[0]]) + 0.0  # no -0
    if lengths[0] - lengths[1] <= EQUAL * lengths[0]:
        direction = np.full(len(edges), np.nan)
    return InertiaAxes(tuple(map(float, lengths)), direction)
