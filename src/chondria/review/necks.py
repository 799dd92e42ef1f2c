"""Necks: where an object is far narrower than the parts on both sides.

Widths are distances from the outline in nm, so that the voxels' shape does not matter.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from chondria.review.boxes import inner_distance_nm
from chondria.volume import VoxelSize

__all__ = ["Neck", "find_lobes", "find_necks"]

LEVELS: Final = 20
# A lobe is at least so wide (half, in nm): what is thinner is a spike of an outline.
SMALLEST_LOBE_NM: Final = 35.0
# And so many times wider than what joins it to a larger one.
SMALLEST_RATIO: Final = 1.1
FULL: Final = np.ones((3, 3, 3), bool)


@dataclass(frozen=True, eq=False, slots=True)
class Neck:
    """Where two lobes of an object meet.

    Attributes
    ----------
    lobes : tuple of int
        Their numbers.
    at : ndarray of int, (voxels, 3)
        Indices (z, y, x) of the voxels of each that touch the other.
    width_nm, lobe_width_nm : float
        Twice the distance from the outline: at the neck, and in the thinner lobe.
    area_nm2 : float
        Faces of voxels that the lobes share.
    lobe_area_nm2 : float
        What the smaller lobe's volume makes a typical section of it: its power of 2/3; of a lobe in
        one slice, the root of its area times the slice's thickness.
    """

    lobes: tuple[int, int]
    at: NDArray[np.intp]
    width_nm: float
    lobe_width_nm: float
    area_nm2: float
    lobe_area_nm2: float

    @property
    def narrowing(self) -> float:
        """0 where the neck is as wide as the thinner lobe, near 1 where it is a thread."""
        return max(0.0, 1 - self.width_nm / self.lobe_width_nm)

    @property
    def thinness(self) -> float:
        """1 less the neck's area by the typical section of the smaller lobe; 0 at least."""
        return float(max(0.0, 1 - self.area_nm2 / self.lobe_area_nm2))


def find_lobes(
    inside: NDArray[np.bool_],
    measured_size_nm: VoxelSize,
    clearness: NDArray[np.float32] | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Part an object at its necks.

    A lobe is a peak of the distance from the outline that is at least 1.1 times as high as the
    saddle to any higher one.

    Parameters
    ----------
    inside : ndarray of bool, (Z, Y, X)
        One object.
    measured_size_nm : tuple of float
        Voxel size (z, y, x) in nm, see `chondria.review.boxes.measured_size_nm`.
    clearness : ndarray of float32, (Z, Y, X), optional
        0 to 1, by which the distance is multiplied before its peaks are sought: parts that are
        joined over their whole width are parted only by what the image shows.

    Returns
    -------
    tuple
        Lobes 1, 2, 3 ... (Z, Y, X), 0 outside; and the distance in nm from the outline.
    """
    from skimage.segmentation import watershed

    depth = inner_distance_nm(inside, measured_size_nm)
    landscape = depth if clearness is None else depth * clearness
    markers = _peaks(landscape)
    if markers.max() < 2:
        return inside.astype(np.int32), depth
    lobes = watershed(-landscape, markers, mask=inside, connectivity=FULL)  # type: ignore[no-untyped-call]
    return np.asarray(lobes, np.int32), depth


def _peaks(depth: NDArray[np.float32]) -> NDArray[np.int32]:
    """Mark the lobes' middles, the widest first."""
    import cc3d

    inside = np.nonzero(depth)
    depths = depth[inside]
    rising = np.argsort(depths)
    marked = np.zeros(depths.shape, np.int32)
    # Denser where necks are thin.
    for level in float(depth.max(initial=0)) * (np.arange(LEVELS)[::-1] / LEVELS) ** 1.5:
        parts = cc3d.connected_components((depth > level).view(np.uint8), connectivity=26)[inside]
        peaks = np.zeros(int(parts.max(initial=0)) + 1, np.float32)
        taken = np.zeros(peaks.shape, bool)
        # Of several values for one part the last stays: the largest.
        peaks[parts[rising]] = depths[rising]
        taken[parts[marked > 0]] = True
        new = ~taken & (peaks >= max(SMALLEST_LOBE_NM, SMALLEST_RATIO * level))
        new[0] = False
        numbers = np.where(new, np.cumsum(new) + marked.max(initial=0), 0).astype(np.int32)
        marked = np.where(marked, marked, numbers[parts])
    markers = np.zeros(depth.shape, np.int32)
    markers[inside] = marked
    return markers


def find_necks(
    lobes: NDArray[np.int32], depth: NDArray[np.float32], voxel_size_nm: VoxelSize
) -> list[Neck]:
    """List the necks between the lobes of an object.

    Parameters
    ----------
    lobes, depth : ndarray, (Z, Y, X)
        As `find_lobes` gives them.
    voxel_size_nm : tuple of float
        (z, y, x) in nm.

    Returns
    -------
    list of Neck
        One for each two lobes that touch; a lobe that touches none hangs on the first.
    """
    count = int(lobes.max())
    if count < 2:
        return []
    everyone = np.arange(count + 1)
    widths = 2 * ndimage.maximum(depth, lobes, everyone)
    volumes = np.bincount(lobes.ravel(), minlength=count + 1) * math.prod(voxel_size_nm)
    flat = np.count_nonzero(lobes.any(axis=(1, 2))) == 1
    sections = np.sqrt(volumes * voxel_size_nm[0]) if flat else volumes ** (2 / 3)
    necks = []
    for pair, (places, area) in _contacts(lobes, voxel_size_nm).items():
        at = np.stack(np.unravel_index(np.unique(places), lobes.shape), axis=1)
        here, deep = lobes[tuple(at.T)], depth[tuple(at.T)]
        width = 2 * float(min(deep[here == number].max() for number in pair))
        of_lobes = float(min(widths[list(pair)])), area, float(min(sections[list(pair)]))
        necks.append(Neck(pair, at, width, *of_lobes))
    for number in set(range(2, count + 1)) - {n for neck in necks for n in neck.lobes}:
        at = np.argwhere(lobes == number)
        smaller = float(min(sections[1], sections[number]))
        necks.append(Neck((1, number), at, 0.0, float(min(widths[[1, number]])), 0.0, smaller))
    return necks


def _contacts(
    lobes: NDArray[np.int32], size_nm: VoxelSize
) -> dict[tuple[int, int], tuple[NDArray[np.intp], float]]:
    """Find where each two lobes touch: flat indices of voxels, and the area of their faces."""
    flat = np.arange(lobes.size).reshape(lobes.shape)
    offsets = [o for o in itertools.product((-1, 0, 1), repeat=3) if o > (0, 0, 0)]
    firsts, seconds, areas = [], [], []
    for offset in offsets:
        here, there = (
            tuple(slice(max(0, sign * o), -max(0, -sign * o) or None) for o in offset)
            for sign in (-1, 1)
        )
        a, b = lobes[here], lobes[there]
        touching = (a != b) & (a > 0) & (b > 0)
        firsts.append(flat[here][touching])
        seconds.append(flat[there][touching])
        face = math.prod(size_nm) / size_nm[offset.index(1)] if np.abs(offset).sum() == 1 else 0.0
        areas.append(np.full(firsts[-1].size, face))
    one, two, area = (np.concatenate(parts) for parts in (firsts, seconds, areas))
    numbers = np.sort(np.stack([lobes.ravel()[one], lobes.ravel()[two]], axis=1), axis=1)
    pairs, which = np.unique(numbers, axis=0, return_inverse=True)
    found = {}
    for index, (low, high) in enumerate(pairs.tolist()):
        mine = which.ravel() == index
        places = np.concatenate([one[mine], two[mine]])
        found[low, high] = places, float(area[mine].sum())
    return found
