"""Tubes: signed distance to a bent axis of varying radius, on the points of a lattice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chondria.data.phantom_fields import Box, Field, Floats, Lattice

__all__ = ["tube_field"]


def tube_field(
    lattice: Lattice, nodes_nm: NDArray[np.float64], radii_nm: NDArray[np.float64], reach_nm: float
) -> Field:
    """Signed distance to a tube around a polyline; negative inside.

    Parameters
    ----------
    lattice : Lattice
        Points where the distance is wanted.
    nodes_nm : ndarray, (n, 3)
        Axis of the tube (z, y, x).
    radii_nm : ndarray, (n,)
        Radius at every node, linear in between.
    reach_nm : float
        Distances are right up to this value and cut there.
    """
    around = float(radii_nm.max()) + reach_nm
    box = lattice.box((nodes_nm - around).min(0), (nodes_nm + around).max(0))
    values = np.full([s.stop - s.start for s in box], reach_nm, np.float32)
    ends = range(max(len(nodes_nm) - 1, 1))
    for k in ends:
        pair, width = nodes_nm[k : k + 2], radii_nm[k : k + 2]
        low, high = pair.min(0) - width.max() - reach_nm, pair.max(0) + width.max() + reach_nm
        near = lattice.box(low, high)
        part = values[_inside(near, box)]
        np.minimum(part, _capsule(lattice.axes_nm(near), pair, width), out=part)
    return Field(box, values)


def _inside(inner: Box, outer: Box) -> Box:
    """The same box of points, counted from the corner of another that holds it."""
    z, y, x = (
        slice(i.start - o.start, i.stop - o.start) for i, o in zip(inner, outer, strict=True)
    )
    return z, y, x


def _capsule(
    axes_nm: tuple[Floats, Floats, Floats], ends: NDArray[np.float64], radii: NDArray[np.float64]
) -> Floats:
    """Signed distance to a segment thickened from one radius to another."""
    along = (ends[-1] - ends[0]).astype(np.float32)
    z, y, x = (axis - np.float32(start) for axis, start in zip(axes_nm, ends[0], strict=True))
    length2 = np.float32(max(float(along @ along), 1e-6))
    dot = (z * along[0] + y * along[1]) + x * along[2]
    t = np.clip(dot * (1 / length2), 0, 1)
    # |p|^2 - t (2 p.a - t a.a): the squared distance to the segment without three differences.
    dot *= 2
    dot -= t * length2
    dot *= t
    distance: Floats = (z * z + y * y) + x * x
    distance -= dot
    np.sqrt(np.maximum(distance, 0, out=distance), out=distance)
    t *= np.float32(radii[-1] - radii[0])
    distance -= t
    distance -= np.float32(radii[0])
    return distance
