"""From a mask to objects: connected components, small objects, holes."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from chondria.errors import PixelValueError, SettingsError
from chondria.volume import as_zyx

__all__ = [
    "connected_instances",
    "fill_cavities",
    "fill_holes",
    "keep_objects",
    "remove_small_objects",
]

Connectivity = Literal[4, 6, 8, 18, 26]
ALLOWED: Final[dict[int, tuple[Connectivity, ...]]] = {2: (4, 8), 3: (6, 18, 26)}
# Foreground touches over corners, hence background only over edges, or faces.
BACKGROUND_2D: Final = 4
BACKGROUND_3D: Final = 6


def connected_instances(
    mask: NDArray[Any],
    *,
    dimensions: Literal[2, 3] = 3,
    connectivity: Connectivity | None = None,
) -> NDArray[Any]:
    """Number the connected components of a mask.

    Parameters
    ----------
    mask : ndarray, (Z, Y, X) or (Y, X)
        Foreground where it is not zero.
    dimensions : {2, 3}
        3: objects run through the slices. 2: every slice on its own, with numbers that no other
        slice uses.
    connectivity : {4, 8} in 2-D, {6, 18, 26} in 3-D, optional
        Number of neighbours; the largest, over corners, if not given.

    Returns
    -------
    ndarray of uint16, or uint32 above 65535 objects, (Z, Y, X)
        1, 2, 3 ... in the objects without a gap, 0 in the background.

    Raises
    ------
    ShapeError
        If the mask is neither an image nor a volume.
    SettingsError
        If the dimensions or the connectivity do not exist.
    """
    if dimensions not in ALLOWED:
        raise SettingsError(f"Found {dimensions} dimensions; objects are connected in 2 or 3.")
    chosen = ALLOWED[dimensions][-1] if connectivity is None else connectivity
    if chosen not in ALLOWED[dimensions]:
        raise SettingsError(
            f"Found the connectivity {chosen} in {dimensions}-D; allowed are "
            f"{', '.join(map(str, ALLOWED[dimensions]))} neighbours."
        )
    foreground = as_zyx(mask, "the mask") != 0
    if dimensions == 2:
        return _label_slices(foreground, chosen)
    labels, count = _components(foreground, chosen)
    return labels.astype(_smallest_type(count), copy=False)


def remove_small_objects(labels: NDArray[Any], min_voxels: int) -> NDArray[Any]:
    """Turn objects below a size into background.

    Parameters
    ----------
    labels : ndarray of int or bool, (Z, Y, X) or (Y, X)
        A label map, or a mask, whose objects are its 3-D components with full connectivity.
    min_voxels : int
        Size of the smallest object that stays, in voxels.

    Returns
    -------
    ndarray, (Z, Y, X), same type
        A copy; the objects that stay keep their identifiers.

    Raises
    ------
    ShapeError, PixelValueError, SettingsError
        If it is no volume or image, holds no identifiers, or the size is negative.
    """
    if min_voxels < 0:
        raise SettingsError(f"Found a smallest size of {min_voxels} voxels; give 0 or more.")
    labels = as_zyx(labels, "the label map")
    if labels.dtype == np.bool_:
        large: NDArray[np.bool_] = remove_small_objects(connected_instances(labels), min_voxels) > 0
        return large
    if not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0:
        raise PixelValueError(
            f"Found {labels.dtype} values from {labels.min():g}; a label map holds whole numbers, "
            "0 for background: threshold and label it first."
        )
    if labels.max() >= labels.size:  # identifiers too large to be indices
        ids, dense = np.unique(labels, return_inverse=True)
        kept_ids = np.where(np.bincount(dense.ravel()) >= min_voxels, ids, 0)
        kept: NDArray[Any] = kept_ids[dense.reshape(labels.shape)]
        return kept
    return keep_objects(labels, _voxel_counts(labels) >= min_voxels)


def keep_objects(labels: NDArray[Any], kept: NDArray[np.bool_]) -> NDArray[Any]:
    """Turn objects into background.

    Parameters
    ----------
    labels : ndarray of int, (Z, Y, X)
        A label map.
    kept : ndarray of bool, (largest identifier + 1,)
        By identifier, whether the object stays.

    Returns
    -------
    ndarray, (Z, Y, X), same type
        A copy; the objects that stay keep their identifiers.
    """
    kept_ids = np.where(kept, np.arange(kept.size), 0).astype(labels.dtype)
    return np.stack([kept_ids[plane] for plane in labels])


def fill_holes(mask: NDArray[Any], max_hole_px: int | None = None) -> NDArray[np.bool_]:
    """Fill background that foreground encloses within a slice.

    Parameters
    ----------
    mask : ndarray, (Z, Y, X) or (Y, X)
        Foreground where it is not zero.
    max_hole_px : int, optional
        Largest hole that is filled, in pixels; every hole if not given.

    Returns
    -------
    ndarray of bool, (Z, Y, X)
        A filled copy. A gap that reaches the edge of the slice is no hole.

    Raises
    ------
    ShapeError, SettingsError
        If it is no volume or image, or the size is negative.
    """
    if max_hole_px is not None and max_hole_px < 0:
        raise SettingsError(f"Found a largest hole of {max_hole_px} px; give 0 or more.")
    foreground: NDArray[np.bool_] = as_zyx(mask, "the mask") != 0
    filled = np.empty_like(foreground)
    for z, plane in enumerate(foreground):
        gaps, count = _components(~plane, BACKGROUND_2D)
        sizes = np.bincount(gaps.ravel(), minlength=count + 1)
        hole = sizes <= (gaps.size if max_hole_px is None else max_hole_px)
        for edge in (gaps[0], gaps[-1], gaps[:, 0], gaps[:, -1]):
            hole[edge] = False
        hole[0] = False
        filled[z] = plane | hole[gaps]
    return filled


def fill_cavities(mask: NDArray[Any]) -> NDArray[np.bool_]:
    """Fill background that foreground encloses on all sides in 3-D.

    Parameters
    ----------
    mask : ndarray, (Z, Y, X) or (Y, X)
        Foreground where it is not zero.

    Returns
    -------
    ndarray of bool, (Z, Y, X)
        A filled copy. What reaches a face of the volume is no cavity, and so is no hole of a ring:
        a single slice stays as it is.

    Raises
    ------
    ShapeError
        If it is no volume or image.
    """
    foreground: NDArray[np.bool_] = as_zyx(mask, "the mask") != 0
    gaps, count = _components(~foreground, BACKGROUND_3D)
    cavity = np.ones(count + 1, np.bool_)
    cavity[0] = False
    for axis in range(3):
        for face in (0, -1):
            cavity[np.take(gaps, face, axis=axis)] = False
    filled: NDArray[np.bool_] = foreground | cavity[gaps] if cavity.any() else foreground
    return filled


def _components(mask: NDArray[np.bool_], connectivity: Connectivity) -> tuple[NDArray[Any], int]:
    """Number the components of a slice or volume, and count them."""
    import cc3d

    # cc3d 4.1 takes too little room for dots in a boolean volume of one slice, and stops.
    values = mask.view(np.uint8)
    return cc3d.connected_components(values, connectivity=connectivity, return_N=True)


def _label_slices(mask: NDArray[np.bool_], connectivity: Connectivity) -> NDArray[Any]:
    """Number the components of each slice, counting on from the slice before (Z, Y, X)."""
    labels = np.zeros(mask.shape, np.uint32)
    total = 0
    for plane, numbered in zip(mask, labels, strict=True):
        components, count = _components(plane, connectivity)
        # In 32 bits: components come in 16 where one slice has few.
        np.add(components.astype(np.uint32), total, out=numbered, where=plane)
        total += count
    return labels.astype(_smallest_type(total), copy=False)


def _smallest_type(count: int) -> type[np.uint16] | type[np.uint32]:
    """Choose the smaller integer that can number so many objects."""
    return np.uint16 if count <= np.iinfo(np.uint16).max else np.uint32


def _voxel_counts(labels: NDArray[Any]) -> NDArray[np.int64]:
    """Count the voxels of each identifier, slice by slice to spare memory."""
    counts = np.zeros(int(labels.max()) + 1, np.int64)
    for plane in labels:
        in_plane = np.bincount(plane.ravel().astype(np.intp))
        counts[: in_plane.size] += in_plane
    return counts
