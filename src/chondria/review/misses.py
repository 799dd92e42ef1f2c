"""Suspected misses: places outside of every object where the network saw half a mitochondrion."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from chondria.review.boxes import grow_box, inner_distance_nm, object_boxes
from chondria.review.scene import Scene
from chondria.review.suspicion import Suspicion
from chondria.review.uncertain import middle_voxel
from chondria.volume import VoxelSize, ball_voxels

__all__ = ["LOWEST_PROBABILITY", "find_misses", "missed_regions"]

LOWEST_PROBABILITY: Final = 0.2
# So far around objects the probability falls off: that is their outline, no object.
HALO_NM: Final = 25.0
SMALLEST_DIAMETER_NM: Final = 100.0
# Most mitochondria are so wide.
WIDTH_NM: Final = 250.0


def missed_regions(
    labels: NDArray[Any],
    probability: NDArray[np.uint8],
    voxel_size_nm: VoxelSize,
    flat: bool,
    lowest: float = LOWEST_PROBABILITY,
) -> NDArray[Any]:
    """Number the places outside of objects, and of their halos, that are not surely background.

    Parameters
    ----------
    labels, probability : ndarray, (Z, Y, X)
        Label map, and probabilities of 8 bits.
    voxel_size_nm : tuple of float
        (z, y, x) in nm.
    flat : bool
        Whether every slice stands alone.
    lowest : float
        Least probability.

    Returns
    -------
    ndarray of uint32, (Z, Y, X)
        0 where nothing is missed; smaller places than a ball, or a disc, of 100 nm are left out.
    """
    import cc3d

    reach = [max(1, round(HALO_NM / edge)) for edge in voxel_size_nm[1:]]
    open_places = np.zeros(labels.shape, np.uint8)
    for plane, seen, here in zip(labels, probability, open_places, strict=True):
        near = ndimage.maximum_filter(plane != 0, [2 * px + 1 for px in reach])
        here[:] = (seen >= lowest * 255) & ~near
    if flat:
        parts = [cc3d.connected_components(plane, connectivity=8) for plane in open_places]
        firsts = np.cumsum([0, *(int(part.max()) for part in parts[:-1])])
        regions = np.stack(
            [np.where(part, part + np.uint32(n), 0) for part, n in zip(parts, firsts, strict=True)]
        ).astype(np.uint32)
    else:
        regions = cc3d.connected_components(open_places, connectivity=26).astype(
            np.uint32, copy=False
        )
    smallest = ball_voxels(SMALLEST_DIAMETER_NM, voxel_size_nm, flat=flat or len(labels) == 1)
    return _without_small(regions, round(smallest))


def _without_small(regions: NDArray[np.uint32], smallest: int) -> NDArray[np.uint32]:
    """Leave small regions out and number the others without gaps, slice by slice, in place."""
    counts = np.zeros(int(regions.max(initial=0)) + 1, np.int64)
    for plane in regions:
        counts += np.bincount(plane[plane > 0], minlength=counts.size)
    kept = counts >= smallest
    numbers = np.where(kept, np.cumsum(kept), 0).astype(np.uint32)
    for plane in regions:
        marked = plane > 0
        plane[marked] = numbers[plane[marked]]
    return regions


def find_misses(scene: Scene) -> list[Suspicion]:
    """Suspect every place of middling probability that is as large as a mitochondrion.

    Parameters
    ----------
    scene : Scene
        Labels and probabilities.

    Returns
    -------
    list of Suspicion
        Evidence: `probability`, the mean over the region, which has no weight; `width`, twice its
        deepest distance from its outline, by 250 nm (at most 1); `size`, the logarithm of its
        volume, or area, by the smallest that counts.
    """
    regions = missed_regions(scene.labels, scene.probability, scene.voxel_size_nm, scene.flat)
    flat = scene.flat or len(regions) == 1
    smallest = round(ball_voxels(SMALLEST_DIAMETER_NM, scene.voxel_size_nm, flat=flat))
    found = []
    for number, box in object_boxes(regions).items():
        wide = grow_box(box, (1, 1, 1), regions.shape)
        inside = regions[wide] == number
        mean = float(scene.probability[wide][inside].mean()) / 255
        width = 2 * float(inner_distance_nm(inside, scene.measured_size_nm).max())
        evidence = {
            "probability": mean,
            "width": min(width / WIDTH_NM, 1.0),
            "size": math.log10(np.count_nonzero(inside) / smallest),
        }
        reason = (
            f"A place of {width:.0f} nm width outside of every object has a mean probability of "
            f"{mean:.2f}."
        )
        found.append(Suspicion("miss", (), middle_voxel(inside, wide), evidence, reason))
    return found
