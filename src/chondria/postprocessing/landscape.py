"""The landscape of an object, and the basins that its peaks flood.

Heights are the distance to the surface, in nanometres, times the probability of foreground: high
in the middle of a mitochondrion, low at a neck, and lower still where the network doubts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Landscape", "LandscapeGrid", "basins_of", "landscape_grid", "landscape_of"]

Triple = tuple[float, float, float]
Factors = tuple[int, int, int]

# A twentieth of a slim mitochondrion: finer grids cost time and show the roughness of outlines.
SPACING_NM: Final = 10.0
# Probabilities are smoothed by this, a membrane's width, so that noise makes no necks.
SMOOTHING_NM: Final = 15.0
SMOOTHING_PX: Final = 1.5
# Less is no smoothing at all: across thick sections, a neighbour says little.
SMALLEST_SIGMA: Final = 0.3


@dataclass(frozen=True, slots=True)
class LandscapeGrid:
    """The grid that landscapes are made on.

    Attributes
    ----------
    voxel_size : tuple of float
        Edge lengths (z, y, x) of the image's voxels in nanometres, or 1 each.
    factors : tuple of int
        Voxels (z, y, x) that share a point of the grid.
    sigmas : tuple of float
        Standard deviations (z, y, x) of the smoothing of probabilities, in points of the grid.
    """

    voxel_size: Triple
    factors: Factors
    sigmas: Triple


@dataclass(frozen=True, eq=False, slots=True)
class Landscape:
    """Heights of an object on the grid.

    Attributes
    ----------
    heights : ndarray of float32, (Z, Y, X) of the grid
        Distance times probability, averaged over the voxels of each point; 0 outside.
    voxels : ndarray of float32, same shape
        Voxels of the object at each point.
    """

    heights: NDArray[np.float32]
    voxels: NDArray[np.float32]


def landscape_grid(voxel_size_nm: Triple | None) -> LandscapeGrid:
    """Choose the grid: points about 10 nm apart, or as far as the voxels where these are larger.

    Parameters
    ----------
    voxel_size_nm : tuple of float or None
        Edge lengths (z, y, x); None takes voxels for cubes, and each for a point.

    Returns
    -------
    LandscapeGrid
        Factors and smoothing.
    """
    if voxel_size_nm is None:
        return LandscapeGrid((1.0, 1.0, 1.0), (1, 1, 1), (SMOOTHING_PX,) * 3)
    factors = tuple(max(1, round(SPACING_NM / size)) for size in voxel_size_nm)
    spacings = [size * factor for size, factor in zip(voxel_size_nm, factors, strict=True)]
    sigmas = [SMOOTHING_NM / spacing for spacing in spacings]
    z, y, x = (sigma if sigma > SMALLEST_SIGMA else 0.0 for sigma in sigmas)
    return LandscapeGrid(voxel_size_nm, (factors[0], factors[1], factors[2]), (z, y, x))


def landscape_of(
    inside: NDArray[np.bool_], probability: NDArray[np.float32], grid: LandscapeGrid
) -> Landscape:
    """Make the landscape of one object.

    Parameters
    ----------
    inside : ndarray of bool, (Z, Y, X)
        The object, with background on at least one side. Beyond the array the object goes on.
    probability : ndarray of float32, (Z, Y, X)
        Probability of foreground, in any unit.
    grid : LandscapeGrid
        See `landscape_grid`.

    Returns
    -------
    Landscape
        Heights and voxels; the last points of an axis may hold fewer voxels than the others.
    """
    from scipy.ndimage import gaussian_filter

    voxels = _sums(inside, grid.factors)
    weights = gaussian_filter(voxels, grid.sigmas, mode="constant")
    sums = gaussian_filter(
        _sums(np.where(inside, probability, 0), grid.factors), grid.sigmas, mode="constant"
    )
    heights = _sums(_distance(inside, grid.voxel_size), grid.factors) / np.float32(
        math.prod(grid.factors)
    )
    heights *= np.divide(sums, weights, out=np.zeros_like(sums), where=voxels > 0)
    return Landscape(heights, voxels)


def basins_of(landscape: Landscape) -> NDArray[np.int32]:
    """Flood a landscape from all its peaks at once.

    Parameters
    ----------
    landscape : Landscape
        Of one object.

    Returns
    -------
    ndarray of int32, (Z, Y, X) of the grid
        1, 2, 3 ... in the basins, 0 outside.
    """
    import cc3d
    from scipy.ndimage import maximum_filter
    from skimage.segmentation import watershed

    heights, inside = landscape.heights, landscape.voxels > 0
    peaks = inside & (heights == maximum_filter(heights, 3))
    markers, count = cc3d.connected_components(peaks.view(np.uint8), connectivity=26, return_N=True)
    if count <= 1:
        return inside.astype(np.int32)
    basins: NDArray[np.int32] = watershed(  # type: ignore[no-untyped-call]
        -heights, markers.astype(np.int32), mask=inside, connectivity=np.ones((3, 3, 3))
    )
    return basins


def _distance(inside: NDArray[np.bool_], voxel_size: Triple) -> NDArray[np.float32]:
    """Measure from the centre of each voxel to that of the nearest one outside."""
    import edt

    values = np.ascontiguousarray(inside).view(np.uint8)  # edt is slower with booleans,
    if inside.shape[0] == 1:  # and far slower with a volume of one slice
        flat: NDArray[np.float32] = edt.edt(values[0], anisotropy=voxel_size[1:])
        return flat[np.newaxis]
    distance: NDArray[np.float32] = edt.edt(values, anisotropy=voxel_size)
    return distance


def _sums(values: NDArray[Any], factors: Factors) -> NDArray[np.float32]:
    """Sum the values of the voxels that share a point of the grid."""
    if factors == (1, 1, 1):
        return values.astype(np.float32)
    padded = np.pad(values, [(0, -n % f) for n, f in zip(values.shape, factors, strict=True)])
    (fz, fy, fx), (nz, ny, nx) = factors, padded.shape
    blocks = padded.reshape(nz // fz, fz, ny // fy, fy, nx // fx, fx)
    sums: NDArray[np.float32] = blocks.sum(axis=(1, 3, 5), dtype=np.float32)
    return sums
