"""How far it is from a region to the next edge, in every direction of the plane.

Ray features (Smith, Carleton and Lepetit 2009, ICCV) as Lucchi et al. 2012 (IEEE TMI 31(2)) used
them for mitochondria: what lies within a closed outline is as far from it in every direction as its
shape says. Distances are put in order, so that a turned image gives nearly the same numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_gradient_magnitude

from chondria.supervoxels.regions import Regions
from chondria.volume import VoxelSize

__all__ = ["ray_features"]

DIRECTIONS = 16
LONGEST_NM = 400.0
# Shares of the pixels whose slope is too small for an edge.
EDGE_QUANTILES = (0.85, 0.95)
SLICES_MEASURED = 16


def ray_features(
    image: NDArray[np.float32], regions: Regions, voxel_size_nm: VoxelSize, scale_nm: float
) -> NDArray[np.float32]:
    """Measure rays from the centre of every region, in the slice that the centre lies in.

    Parameters
    ----------
    image : ndarray of float32, (Z, Y, X)
        Grey levels.
    regions : Regions
        Of the image.
    voxel_size_nm : tuple of float
        Edge lengths (z, y, x).
    scale_nm : float
        Deviation of the Gaussian that the edges are found at.

    Returns
    -------
    ndarray of float32, (regions, features)
        For each strength of edges the distances in nm from the shortest to the longest, and the
        widths across the region from the narrowest to the widest.
    """
    centres = np.concatenate([_centres(regions, layer) for layer in regions.slabs])
    depths = np.rint(centres[:, 0]).astype(np.int64)
    sigma = [scale_nm / size for size in voxel_size_nm[1:]]
    measured = image[:: max(1, len(image) // SLICES_MEASURED)]
    slopes = np.stack([gaussian_gradient_magnitude(z, sigma) for z in measured])
    edges = np.quantile(slopes, EDGE_QUANTILES)
    found = np.empty((regions.count, len(edges) * DIRECTIONS * 3 // 2), np.float32)
    for z in np.unique(depths):
        here = np.flatnonzero(depths == z)
        slope = gaussian_gradient_magnitude(image[z], sigma)
        found[here] = _ordered_rays(slope, centres[here, 1:], edges, voxel_size_nm)
    return found


def _centres(regions: Regions, layer: range) -> NDArray[np.float64]:
    """Mean place (z, y, x) of the regions of a slab, in voxels."""
    labels = regions.labels[layer.start : layer.stop]
    which = (labels - labels.min()).ravel()
    size = np.bincount(which)
    axes = np.meshgrid(*map(np.arange, labels.shape), indexing="ij", sparse=True)
    sums = [np.bincount(which, np.broadcast_to(axis, labels.shape).ravel()) for axis in axes]
    return np.column_stack(sums) / size[:, None] + (layer.start, 0, 0)


def _ordered_rays(
    slope: NDArray[np.float32],
    centres: NDArray[np.float64],
    edges: NDArray[np.float64],
    voxel_size_nm: VoxelSize,
) -> NDArray[np.float32]:
    """Distances and widths of the regions of one slice, for each strength of edges."""
    step_nm = min(voxel_size_nm[1:])
    steps = np.arange(1, max(2, round(LONGEST_NM / step_nm)) + 1)
    angles = np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS)
    at = []
    for axis, direction in enumerate((np.sin(angles), np.cos(angles))):
        offset = step_nm / voxel_size_nm[1 + axis] * direction[:, None] * steps
        place = np.rint(centres[:, axis, None, None] + offset).astype(np.int32)
        at.append(place.clip(0, slope.shape[axis] - 1))
    along = slope[at[0], at[1]]
    columns = []
    for edge in edges:
        hit = along > edge
        reach = np.where(hit.any(axis=2), hit.argmax(axis=2) + 1, len(steps)) * step_nm
        width = reach[:, : DIRECTIONS // 2] + reach[:, DIRECTIONS // 2 :]
        columns += [np.sort(reach, axis=1), np.sort(width, axis=1)]
    return np.concatenate(columns, axis=1).astype(np.float32)
