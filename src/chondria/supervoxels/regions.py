"""Divide a volume into supervoxels: small regions of one grey level that keep to its edges.

SLIC (Achanta et al. 2012, IEEE TPAMI 34(11)) clusters voxels by place and grey level. Here a volume
is divided into slabs one region thick, and each slab into one layer of regions: they are as long
along z as in the plane where slices are thin, and lie within one slice where slices are thicker.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage.segmentation import slic

from chondria.volume import VoxelSize

__all__ = ["Regions", "find_regions", "slabs"]

# Grey levels beyond so many deviations are single grains or artefacts: no reason for an edge.
CLIP_DEVIATIONS = 3.0
ITERATIONS = 5


@dataclass(frozen=True, eq=False, slots=True)
class Regions:
    """Every voxel's region.

    Attributes
    ----------
    labels : ndarray of int32, (Z, Y, X)
        Regions are numbered from 0 on, slab after slab; none is empty.
    count : int
        How many there are.
    slabs : list of range
        Slices of each slab.
    """

    labels: NDArray[np.int32]
    count: int
    slabs: list[range]


def slabs(n_slices: int, slice_nm: float, thickness_nm: float) -> list[range]:
    """Divide slices into slabs of nearly one thickness, none thinner than a slice."""
    across = max(1, round(thickness_nm / slice_nm))
    count = max(1, round(n_slices / across))
    ends = [round(n_slices * i / count) for i in range(count + 1)]
    return [range(start, stop) for start, stop in pairwise(ends)]


def find_regions(
    image: NDArray[np.float32],
    voxel_size_nm: VoxelSize,
    region_nm: float,
    *,
    compactness: float = 0.1,
    blur_nm: float = 10.0,
) -> Regions:
    """Divide a volume into supervoxels.

    Parameters
    ----------
    image : ndarray of float32, (Z, Y, X)
        Finite grey levels.
    voxel_size_nm : tuple of float
        Edge lengths (z, y, x).
    region_nm : float
        Edge length of a region as large as a cube; in thick slices, of a square.
    compactness : float
        Weight of the place against the grey level: small ones follow every edge.
    blur_nm : float
        Deviation of a Gaussian in the plane that takes the noise away first.

    Returns
    -------
    Regions
        The same for the same image: nothing is drawn.
    """
    labels = np.empty(image.shape, np.int32)
    layers = slabs(image.shape[0], voxel_size_nm[0], region_nm)
    low, high = _clip_levels(image)
    count = 0
    for layer in layers:
        part = slice(layer.start, layer.stop)
        grey = np.clip(image[part], low, high)
        found = _slic(grey, voxel_size_nm, region_nm, compactness, blur_nm)
        labels[part] = found + count
        count += int(found.max()) + 1
    return Regions(labels, count, layers)


def _slic(
    grey: NDArray[np.float32],
    voxel_size_nm: VoxelSize,
    region_nm: float,
    compactness: float,
    blur_nm: float,
) -> NDArray[np.int32]:
    """One layer of regions, numbered from 0 on without gaps."""
    _, y_nm, x_nm = voxel_size_nm
    wanted = grey.shape[1] * y_nm * grey.shape[2] * x_nm / region_nm**2
    spacing = np.array(voxel_size_nm) / x_nm
    found = slic(
        gaussian_filter(grey, (0, blur_nm / y_nm, blur_nm / x_nm)),
        n_segments=max(1, round(wanted)),
        compactness=compactness,
        max_num_iter=ITERATIONS,
        spacing=spacing,
        channel_axis=None,
        start_label=0,
    )
    _, dense = np.unique(found, return_inverse=True)
    return dense.reshape(grey.shape).astype(np.int32)


def _clip_levels(image: NDArray[np.float32]) -> tuple[float, float]:
    """Grey levels of the whole volume, so that edges weigh alike in every slab."""
    mean, spread = float(image.mean(dtype=np.float64)), float(image.std(dtype=np.float64))
    return mean - CLIP_DEVIATIONS * spread, mean + CLIP_DEVIATIONS * spread
