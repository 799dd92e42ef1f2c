"""Size and shape of one object, as the columns of its row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.morphometrics.boundary import measure_boundary
from chondria.morphometrics.centreline import measure_centre_line
from chondria.morphometrics.hull import measure_hull
from chondria.morphometrics.inertia import measure_inertia

__all__ = ["measure_shape"]

NM_PER_UM = 1000.0


def measure_shape(
    mask: NDArray[np.bool_], edges_nm: Sequence[float]
) -> tuple[dict[str, float], NDArray[np.float32]]:
    """Measure the size and shape of one object.

    Parameters
    ----------
    mask : ndarray of bool, (Z, Y, X), or (Y, X) of a single slice
        The object, at least one voxel; nothing of it lies beyond the array.
    edges_nm : sequence of float
        Edge lengths of a voxel along the array's axes.

    Returns
    -------
    tuple
        Values by the names of columns (see `chondria.morphometrics.schema`), and the centres of
        the faces of its boundary (faces, axes) in nm from the centre of the array's first voxel.
    """
    size_nm = float(np.count_nonzero(mask) * math.prod(edges_nm))
    boundary = measure_boundary(mask, edges_nm)
    # Of a tube, and of a ribbon in 2-D: the ends of a short one make it smaller.
    radius_nm = (mask.ndim - 1) * size_nm / boundary.extent_nm
    row = _size(size_nm, boundary.extent_nm, flat=mask.ndim == 2)
    row |= _axes(np.argwhere(mask), edges_nm)
    hull = measure_hull(mask, edges_nm)
    line = measure_centre_line(mask, edges_nm, radius_nm)
    row |= {
        "feret_max_um": hull.feret_max_nm / NM_PER_UM,
        "feret_min_um": hull.feret_min_nm / NM_PER_UM,
        "solidity": hull.solidity,
        "skeleton_length_um": line.length_nm / NM_PER_UM,
        "end_points": line.ends,
        "branch_points": line.branch_points,
        "loops": line.loops,
        "parts": line.parts,
    }
    return row, boundary.positions_nm


def _size(size_nm: float, extent_nm: float, *, flat: bool) -> dict[str, float]:
    if flat:
        form = extent_nm**2 / (4 * math.pi * size_nm)
        return {
            "perimeter_um": extent_nm / NM_PER_UM,
            "equivalent_diameter_um": math.sqrt(4 * size_nm / math.pi) / NM_PER_UM,
            "circularity": 1 / form,
            "form_factor": form,
        }
    form = extent_nm**3 / (36 * math.pi * size_nm**2)
    return {
        "surface_um2": extent_nm / NM_PER_UM**2,
        "equivalent_diameter_um": math.cbrt(6 * size_nm / math.pi) / NM_PER_UM,
        "sphericity": 1 / math.cbrt(form),
        "form_factor": form,
    }


def _axes(points: NDArray[Any], edges_nm: Sequence[float]) -> dict[str, float]:
    found = measure_inertia(points, edges_nm)
    longest, *middle, shortest = (length / NM_PER_UM for length in found.lengths_nm)
    azimuth, elevation = found.angles_deg()
    second = middle[0] if middle else shortest
    row = {"axis_major_um": longest}
    row |= {"axis_middle_um": second} if middle else {}
    row |= {
        "axis_minor_um": shortest,
        "aspect_ratio": longest / shortest,
        "elongation": 1 - second / longest,
    }
    row |= {"flatness": 1 - shortest / second} if middle else {}
    row |= {"azimuth_deg": azimuth}
    return row | ({"elevation_deg": elevation} if middle else {})
