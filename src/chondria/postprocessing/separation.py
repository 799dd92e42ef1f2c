"""From a mask to separate mitochondria: objects that only touch are cut at their necks.

Each connected component is a landscape: the distance to its surface times the probability of
foreground. Every peak floods a basin, and two basins are one mitochondrion unless the pass between
them is low beside the lower of their peaks: two that touch have a neck much thinner than
themselves, a bent, branched or beaded one has not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from chondria.errors import SettingsError, ShapeError
from chondria.postprocessing.basins import join_basins
from chondria.postprocessing.filters import check_probability
from chondria.postprocessing.instances import connected_instances, fill_cavities, fill_holes
from chondria.postprocessing.landscape import (
    LandscapeGrid,
    basins_of,
    landscape_grid,
    landscape_of,
)
from chondria.volume import as_zyx, ball_voxels

__all__ = ["NECK_RATIO", "separate_instances", "smallest_part_voxels"]

VoxelSizeNm = tuple[float, float, float]
Box = tuple[slice, slice, slice]

# Chosen on phantoms, Lucchi++ validation slices and the truth of training slices (recipes/LOG.md).
NECK_RATIO: Final = 0.55
SMALLEST_PART_NM: Final = 150.0
SMALLEST_PART_PX: Final = 8.0
LARGEST_HOLE_NM: Final = 100.0
LARGEST_HOLE_PX: Final = 8.0
NM3_PER_UM3: Final = 1e9


@dataclass(frozen=True, slots=True)
class _Cutting:
    """What every component of one volume is cut by."""

    grid: LandscapeGrid
    neck_ratio: float
    smallest_voxels: float
    certain: float
    flat: bool


def separate_instances(
    mask: NDArray[Any],
    probability: NDArray[Any],
    voxel_size_nm: VoxelSizeNm | None,
    *,
    dimensions: Literal[2, 3] = 3,
    neck_ratio: float = NECK_RATIO,
    smallest_um3: float | None = None,
    boundary: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Number mitochondria one by one, also those that touch.

    Holes are filled first: in slices those up to a disc of 100 nm, in 3-D also whatever is
    enclosed. What remains of each connected component is a landscape, distance to the surface
    times smoothed probability, on a grid of about 10 nm; a marker-controlled watershed floods it
    from all its peaks. Neighbouring basins are joined, those of the widest neck first, while the
    pass between them is at least `neck_ratio` of the lower peak: where the probability is even,
    that is the radius of the neck in radii of the slimmer part. What was cut off but is smaller
    than `smallest_um3` goes back to the neighbour of the widest neck.

    Parameters
    ----------
    mask : ndarray, (Z, Y, X) or (Y, X)
        Foreground where it is not zero.
    probability : ndarray of float (0 to 1) or uint8 (0 to 255), same shape
        Probability of foreground.
    voxel_size_nm : tuple of float or None
        Edge lengths (z, y, x). None measures in voxels, which are taken for cubes; smallest part
        and largest hole are then 8 voxels across.
    dimensions : {2, 3}
        3: objects run through the slices. 2: every slice on its own.
    neck_ratio : float
        Necks narrower than that are cut, 0 to 1; 0 cuts nothing.
    smallest_um3 : float, optional
        Volume of the smallest part that is cut off; a ball of 150 nm, 0.0018 um3, or 27 voxels
        if that is more. In 2-D, and for a single slice, it is the volume of the part times the
        thickness of its slice: a disc of 150 nm, or 9 voxels.
    boundary : ndarray of float (0 to 1) or uint8 (0 to 255), same shape, optional
        Probability of the outlines of objects: the landscape is lower by a factor of one minus it,
        so that an outline through the foreground is a neck, however wide.

    Returns
    -------
    ndarray of uint16, or uint32 above 65535 objects, (Z, Y, X)
        1, 2, 3 ... in the objects without a gap, 0 in the background. Objects that are small as a
        whole stay: see `remove_small_objects`.

    Raises
    ------
    ShapeError
        If it is no image or volume, or the shapes differ.
    PixelValueError
        If the probabilities are none: NaN, outside 0 to 1, or of another type.
    SettingsError
        If the ratio, the smallest volume, the dimensions or the voxel size are out of bounds.

    References
    ----------
    Beucher and Meyer 1993, doi:10.1201/9781482277234-12 (watershed with markers); Grimaud 1992,
    doi:10.1117/12.60650 (dynamics: a basin's height above its pass; here relative to its peak).
    """
    foreground, values = _checked(mask, probability, neck_ratio, smallest_um3)
    if boundary is not None:
        values = _lowered(values, boundary)
    flat = dimensions == 2 or foreground.shape[0] == 1
    filled = fill_holes(foreground, _largest_hole_px(voxel_size_nm))
    components = connected_instances(filled, dimensions=dimensions)
    smallest = smallest_part_voxels(voxel_size_nm, flat=flat)
    if smallest_um3 is not None and voxel_size_nm is not None:
        smallest = smallest_um3 * NM3_PER_UM3 / math.prod(voxel_size_nm)
    certain = 255.0 if values.dtype == np.uint8 else 1.0
    cutting = _Cutting(landscape_grid(voxel_size_nm), neck_ratio, smallest, certain, flat)
    return _cut_all(components, foreground, values, cutting)


def smallest_part_voxels(voxel_size_nm: VoxelSizeNm | None, *, flat: bool) -> float:
    """Say how many voxels the smallest part has that is cut off unless one says otherwise.

    Parameters
    ----------
    voxel_size_nm : tuple of float or None
        Edge lengths (z, y, x).
    flat : bool
        Whether objects lie in a single slice: a disc instead of a ball.

    Returns
    -------
    float
        Voxels of a ball (disc) of 150 nm, but at least three voxels across; without a voxel size,
        of a ball (disc) of 8 voxels.
    """
    if voxel_size_nm is None:
        return ball_voxels(SMALLEST_PART_PX, (1, 1, 1), flat=flat)
    return max(ball_voxels(SMALLEST_PART_NM, voxel_size_nm, flat=flat), 9.0 if flat else 27.0)


def _checked(
    mask: NDArray[Any], probability: NDArray[Any], neck_ratio: float, smallest_um3: float | None
) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    foreground = as_zyx(mask, "the mask") != 0
    values = as_zyx(probability, "the probability map")
    if values.shape != foreground.shape:
        raise ShapeError(
            f"Found a mask of shape {foreground.shape} and probabilities of shape {values.shape}; "
            "both must be of one volume."
        )
    check_probability(values)
    if not 0 <= neck_ratio <= 1:
        raise SettingsError(
            f"Found the neck ratio {neck_ratio:g}; it must be between 0, which cuts nothing, and "
            f"1, such as {NECK_RATIO:g}."
        )
    if smallest_um3 is not None and not 0 <= smallest_um3 < math.inf:
        raise SettingsError(f"Found a smallest part of {smallest_um3:g} um3; give 0 or more.")
    return foreground, values


def _lowered(probability: NDArray[Any], boundary: NDArray[Any]) -> NDArray[np.float32]:
    """Multiply by one minus the probability of an outline, from 0 to 1."""
    _, outlines = _checked(boundary, boundary, 0, None)
    if outlines.shape != probability.shape:
        raise ShapeError(
            f"Found boundaries of shape {outlines.shape} and probabilities of shape "
            f"{probability.shape}; both must be of one volume."
        )
    inner, outer = (
        np.float32(1 / 255 if values.dtype == np.uint8 else 1) * values.astype(np.float32)
        for values in (probability, outlines)
    )
    lowered: NDArray[np.float32] = inner * (1 - outer)
    return lowered


def _largest_hole_px(voxel_size_nm: VoxelSizeNm | None) -> int:
    """Area in pixels of the largest hole in a slice that is filled."""
    if voxel_size_nm is None:
        return round(ball_voxels(LARGEST_HOLE_PX, (1, 1, 1), flat=True))
    return round(ball_voxels(LARGEST_HOLE_NM, voxel_size_nm, flat=True))


def _cut_all(
    components: NDArray[Any], found: NDArray[Any], probability: NDArray[Any], cutting: _Cutting
) -> NDArray[Any]:
    """Cut every component within its own box, and number the parts of all.

    What is foreground only since holes were filled counts as certain: there is no neck.
    """
    separated = np.zeros(components.shape, np.uint32)
    total = 0
    for number, voxels, box in _boxes(components):
        here = components[box]
        inside = fill_cavities(here == number) & ((here == number) | (here == 0))
        parts = inside.astype(np.uint32)
        if voxels >= 2 * cutting.smallest_voxels and cutting.neck_ratio > 0:
            values = np.where(found[box] != 0, probability[box], cutting.certain)
            parts = _parts_in(inside, box, components.shape, values, cutting)
        np.add(parts, total, out=separated[box], where=inside)
        total += int(parts.max())
    return separated.astype(np.uint16 if total <= np.iinfo(np.uint16).max else np.uint32)


def _boxes(components: NDArray[Any]) -> Iterator[tuple[int, int, Box]]:
    """Give number, voxels and bounding box of each component."""
    import cc3d

    found = cc3d.statistics(components)
    counts, boxes = found["voxel_counts"].tolist(), found["bounding_boxes"]
    for number in range(1, len(counts)):
        yield number, counts[number], boxes[number]


def _parts_in(
    inside: NDArray[np.bool_],
    box: Box,
    shape: tuple[int, ...],
    probability: NDArray[Any],
    cutting: _Cutting,
) -> NDArray[np.uint32]:
    """Number the parts of the component in a box, 0 outside of it.

    Background surrounds the box, but where it ends with the volume: there the component goes on.
    Objects of a single slice have no surface in z.
    """
    margins = [(int(s.start > 0), int(s.stop < n)) for s, n in zip(box, shape, strict=True)]
    if cutting.flat:
        margins[0] = (0, 0)
    padded = np.pad(inside, margins)
    if padded.all():
        return inside.astype(np.uint32)
    landscape = landscape_of(padded, np.pad(probability.astype(np.float32), margins), cutting.grid)
    basins = basins_of(landscape)
    parts = join_basins(
        basins, landscape.heights, landscape.voxels, cutting.neck_ratio, cutting.smallest_voxels
    )
    fine = parts.astype(np.uint32)[basins]
    for axis, factor in enumerate(cutting.grid.factors):
        fine = fine.repeat(factor, axis=axis)
    within = tuple(slice(m[0], m[0] + n) for m, n in zip(margins, inside.shape, strict=True))
    return np.where(inside, fine[within], np.uint32(0))
