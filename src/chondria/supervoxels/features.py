"""What a supervoxel looks like: grey levels, texture and surroundings, all in nanometres.

Filters are those of the interactive classifiers of the time (Sommer et al. 2011, ISBI, ilastik):
smoothed grey level, gradient, eigenvalues of Hessian and structure tensor, at several scales;
beside them a histogram, local binary patterns (Ojala et al. 2002, IEEE TPAMI 24(7)) and rays
(`chondria.supervoxels.rays`). Neighbours' means give every number once more for the surroundings.
All filters lie in the plane, so that they mean the same whatever the slices' thickness.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.sparse import csr_array

from chondria.supervoxels.adjacency import RegionGraph, vote_shares
from chondria.supervoxels.rays import ray_features
from chondria.supervoxels.regions import Regions
from chondria.volume import VoxelSize

__all__ = ["region_features"]

HISTOGRAM_LEVELS = 10
PATTERNS = 10
RAY_SCALE_NM = 20.0


def region_features(
    image: NDArray[np.float32],
    regions: Regions,
    graph: RegionGraph,
    voxel_size_nm: VoxelSize,
    *,
    scales_nm: Sequence[float],
    hops: int,
) -> NDArray[np.float32]:
    """Describe every region of a volume.

    Parameters
    ----------
    image : ndarray of float32, (Z, Y, X)
        Grey levels.
    regions, graph
        Of the image.
    voxel_size_nm : tuple of float
        Edge lengths (z, y, x).
    scales_nm : sequence of float
        Deviations of the Gaussians.
    hops : int
        How many times the means of the neighbours are taken: 0 sees the region itself only.

    Returns
    -------
    ndarray of float32, (regions, features)
        The same number of features whatever the image.
    """
    cuts = np.quantile(image[:: max(1, len(image) // 16)], np.linspace(0, 1, HISTOGRAM_LEVELS + 1))
    own = np.concatenate(
        [
            _slab_features(image, regions, layer, voxel_size_nm, scales_nm, cuts[1:-1])
            for layer in regions.slabs
        ]
    )
    rays = ray_features(image, regions, voxel_size_nm, RAY_SCALE_NM)
    own = np.concatenate([own, rays], axis=1)
    return _with_surroundings(own, vote_shares(graph.contact), hops)


def _with_surroundings(
    own: NDArray[np.float32], shares: csr_array, hops: int
) -> NDArray[np.float32]:
    """Add the neighbours' means, those of the neighbours' means, and so on."""
    around = [own]
    for _ in range(hops):
        around.append((shares.astype(np.float32) @ around[-1]).astype(np.float32))
    return np.concatenate(around, axis=1)


def _slab_features(
    image: NDArray[np.float32],
    regions: Regions,
    layer: range,
    voxel_size_nm: VoxelSize,
    scales_nm: Sequence[float],
    cuts: NDArray[np.floating],
) -> NDArray[np.float32]:
    """Means over the regions of one slab."""
    part = slice(layer.start, layer.stop)
    labels = regions.labels[part]
    first = int(labels.min())
    which = (labels - first).ravel()
    size = np.bincount(which)
    grey = image[part]

    def mean(values: NDArray[np.float32]) -> NDArray[np.float64]:
        sums: NDArray[np.float64] = np.bincount(which, values.ravel(), len(size)) / size
        return sums

    def shares(codes: NDArray[np.int64], n: int) -> NDArray[np.float64]:
        counts = np.bincount(which * n + codes.ravel(), minlength=len(size) * n)
        return counts.reshape(-1, n) / size[:, None]

    level = mean(grey)
    spread = np.sqrt(np.maximum(mean(grey * grey) - level**2, 0))
    columns = [np.log(size), level, spread]
    for scale_nm in scales_nm:
        sigma = (0, scale_nm / voxel_size_nm[1], scale_nm / voxel_size_nm[2])
        columns += [mean(values) for values in _filters(grey, sigma)]
    histogram = shares(np.searchsorted(cuts, grey), HISTOGRAM_LEVELS)
    patterns = shares(_binary_patterns(grey), PATTERNS)
    return np.column_stack([*columns, histogram, patterns]).astype(np.float32)


def _filters(
    grey: NDArray[np.float32], sigma: tuple[float, float, float]
) -> Iterator[NDArray[np.float32]]:
    """Grey level, gradient, Laplacian, eigenvalues and deviation at one scale."""
    smooth = gaussian_filter(grey, sigma)
    dy, dx = _slopes(smooth, sigma)
    (yy, yx), (_, xx) = _slopes(dy, sigma), _slopes(dx, sigma)
    yield smooth
    yield np.hypot(dy, dx)
    yield yy + xx  # Laplacian of Gaussian
    yield from _eigenvalues(yy, yx, xx)
    tensor = (gaussian_filter(product, sigma) for product in (dy * dy, dy * dx, dx * dx))
    yield from _eigenvalues(*tensor)
    yield np.sqrt(np.maximum(gaussian_filter(grey * grey, sigma) - smooth * smooth, 0))


def _slopes(
    values: NDArray[np.float32], sigma: tuple[float, float, float]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Differences along y and x, per standard deviation of the scale."""
    slopes: list[NDArray[np.float32]] = []
    for axis in (1, 2):
        flat = values.shape[axis] == 1
        found = np.zeros_like(values) if flat else np.gradient(values, axis=axis)
        slopes.append((found * sigma[axis]).astype(np.float32))
    return slopes[0], slopes[1]


def _eigenvalues(
    yy: NDArray[np.float32], yx: NDArray[np.float32], xx: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Larger and smaller eigenvalue of symmetric 2x2 matrices."""
    middle = (yy + xx) * np.float32(0.5)
    apart = np.hypot((yy - xx) / 2, yx).astype(np.float32, copy=False)
    return middle + apart, middle - apart


def _binary_patterns(grey: NDArray[np.float32]) -> NDArray[np.int64]:
    """Uniform local binary patterns of eight neighbours, 0 to 9, turned alike counted alike."""
    rows, columns = grey.shape[1:]
    padded = np.pad(
        grey, ((0, 0), (1, 1), (1, 1)), mode="reflect" if min(rows, columns) > 1 else "edge"
    )
    ring = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
    bits = [padded[:, y : y + rows, x : x + columns] >= grey for y, x in ring]
    changes = np.zeros(grey.shape, np.int64)
    ones = np.zeros(grey.shape, np.int64)
    for bit, following in zip(bits, [*bits[1:], bits[0]], strict=True):
        changes += bit != following
        ones += bit
    return np.where(changes <= 2, ones, PATTERNS - 1)
