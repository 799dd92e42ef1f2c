"""Boxes around objects: what is measured of an object needs only its surroundings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from chondria.volume import VoxelSize

__all__ = [
    "Box",
    "coarse_steps",
    "grow_box",
    "inner_distance_nm",
    "is_flat",
    "measured_size_nm",
    "object_boxes",
]

Box = tuple[slice, slice, slice]

# Distances across slices that are so many times thicker than pixels say nothing of widths.
ANISOTROPIC = 2.5
# A distance that is farther than any in a volume: slices then do not see each other.
FAR_NM = 1e6


def object_boxes(labels: NDArray[Any]) -> dict[int, Box]:
    """Bound every object.

    Parameters
    ----------
    labels : ndarray of int, (Z, Y, X)
        A label map, 0 is background; identifiers are used as indices.

    Returns
    -------
    dict of int to tuple of slice
        Half-open boxes (z, y, x) by identifier, in ascending order.
    """
    wide = labels.astype(np.int32) if labels.dtype.itemsize > 4 else labels
    found = ndimage.find_objects(wide)
    return {number: box for number, box in enumerate(found, start=1) if box is not None}


def grow_box(box: Box, margin_px: Sequence[int], shape: Sequence[int]) -> Box:
    """Widen a box by a margin (z, y, x), within a volume of that shape."""
    z, y, x = (
        slice(max(0, side.start - margin), min(size, side.stop + margin))
        for side, margin, size in zip(box, margin_px, shape, strict=True)
    )
    return z, y, x


def is_flat(boxes: dict[int, Box]) -> bool:
    """Tell a label map whose objects have one slice each: nothing is said of what runs in z."""
    return bool(boxes) and all(box[0].stop - box[0].start == 1 for box in boxes.values())


def measured_size_nm(voxel_size_nm: VoxelSize, flat: bool) -> VoxelSize:
    """Give the voxel size (z, y, x) in nm that widths are measured with.

    Where slices are far thicker than pixels, or objects lie in one slice, slices are set so far
    apart that widths are measured in each slice alone.
    """
    z, y, x = voxel_size_nm
    return (FAR_NM, y, x) if flat or z > ANISOTROPIC * min(y, x) else voxel_size_nm


def coarse_steps(shape: Sequence[int], size_nm: VoxelSize, edge_nm: float) -> tuple[slice, ...]:
    """Choose every n-th voxel along each axis, so that voxels have about an edge length in nm."""
    steps = (max(1, math.floor(edge_nm / size)) for size in size_nm)
    return tuple(slice(None, None, min(step, n)) for step, n in zip(steps, shape, strict=True))


def inner_distance_nm(inside: NDArray[np.bool_], size_nm: VoxelSize) -> NDArray[np.float32]:
    """Distance in nm from each voxel inside to the nearest outside, 0 outside (Z, Y, X).

    What lies beyond the array counts as inside, unless all of it, or of a slice that stands alone,
    is inside.
    """
    import edt

    if size_nm[0] >= FAR_NM:
        planes = [_plane_distance_nm(plane, size_nm) for plane in inside]
        return np.asarray(planes, np.float32)
    if inside.all():
        return inner_distance_nm(np.pad(inside, 1), size_nm)[1:-1, 1:-1, 1:-1]
    return np.asarray(edt.edt(inside, anisotropy=size_nm, parallel=1), np.float32)


def _plane_distance_nm(plane: NDArray[np.bool_], size_nm: VoxelSize) -> NDArray[np.float32]:
    import edt

    if plane.all():
        return _plane_distance_nm(np.pad(plane, 1), size_nm)[1:-1, 1:-1]
    return np.asarray(edt.edt(plane, anisotropy=size_nm[1:], parallel=1), np.float32)
