"""Seams: a band across a neck that looks like what surrounds objects."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chondria.review.crops import THICK_NM
from chondria.review.necks import Neck
from chondria.volume import VoxelSize

__all__ = ["seam_evidence"]

# Log odds beyond these say no more.
LEAST, MOST = -5.0, 15.0
# A seam may lie so far from the neck; farther away are the lobes.
NEAR_NM: Final = 54.0
REACH_NM: Final = 150.0
BIN_NM: Final = 12.0
FEWEST_VOXELS: Final = 3
# A seam covers three fifths of a layer at least.
ACROSS_PERCENTILE: Final = 40
LARGEST: Final = 1.5


def seam_evidence(
    neck: Neck, lobes: NDArray[np.int32], odds: NDArray[np.float32], voxel_size_nm: VoxelSize
) -> float:
    """Tell how far a layer across the neck looks like no inside, against the lobes.

    The object is cut into layers of 12 nm from lobe to lobe.

    Parameters
    ----------
    neck : Neck
        Of these lobes.
    lobes : ndarray of int32, (Z, Y, X)
        See `chondria.review.necks.find_lobes`.
    odds : ndarray of float32, (Z, Y, X)
        See `chondria.review.appearance.Appearance.odds`.
    voxel_size_nm : tuple of float
        (z, y, x) in nm. Slices of more than 20 nm have seams in their plane only.

    Returns
    -------
    float
        The 40th percentile of the log odds in the layer near the neck where it is highest, less
        its median over the layers of the lobe that looks more like an inside; by 10; 0 to 1.5.
    """
    size = np.array(voxel_size_nm)
    at = neck.at.mean(axis=0) * size
    reach = max(REACH_NM, neck.lobe_width_nm)
    parts = [_near(lobes == number, at, size, reach) for number in neck.lobes]
    if min(map(len, parts)) < FEWEST_VOXELS:
        return 0.0
    along, voxels = _along(parts, at, size, max(neck.width_nm / 2, 25.0) + 15.0)
    values = np.clip(odds[tuple(voxels.T)], LEAST, MOST)
    layers = np.rint(along / BIN_NM).astype(int)
    heights = {
        int(layer): float(np.percentile(values[layers == layer], ACROSS_PERCENTILE))
        for layer, count in zip(*np.unique(layers, return_counts=True), strict=True)
        if count >= FEWEST_VOXELS
    }
    nearest = int(NEAR_NM / BIN_NM)
    middle = [height for layer, height in heights.items() if abs(layer) <= nearest]
    sides = [
        [height for layer, height in heights.items() if sign * layer > nearest] for sign in (-1, 1)
    ]
    if not (middle and all(sides)):
        return 0.0
    stands_out = max(middle) - min(float(np.median(side)) for side in sides)
    return float(np.clip(stands_out / 10, 0, LARGEST))


def _near(
    lobe: NDArray[np.bool_], at: NDArray[Any], size: NDArray[Any], reach: float
) -> NDArray[np.intp]:
    voxels = np.argwhere(lobe)
    near: NDArray[np.intp] = voxels[((voxels * size - at) ** 2).sum(axis=1) <= reach**2]
    return near


def _along(
    parts: list[NDArray[np.intp]], at: NDArray[Any], size: NDArray[Any], radius: float
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Say how far voxels within a radius of the way from lobe to lobe lie along it, in nm."""
    first, second = (part.mean(axis=0) * size for part in parts)
    way = second - first
    if size[0] > THICK_NM:
        way[0] = 0
    way /= max(float(np.linalg.norm(way)), 1e-9)
    voxels = np.concatenate(parts)
    away = voxels * size - at
    along = away @ way
    beside = np.sqrt(np.maximum(0, (away**2).sum(axis=1) - along**2)) <= radius
    return along[beside], voxels[beside]
