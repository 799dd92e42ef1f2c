"""Plant a split: cut an object in two."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from chondria.review.boxes import Box
from chondria.review.planted import Planted, PlantedError, box_of
from chondria.volume import VoxelSize

__all__ = ["plant_split"]

FULL: Final = np.ones((3, 3, 3), bool)


def plant_split(
    state: Planted,
    box: Box,
    number: int,
    smallest: float,
    size: VoxelSize,
    generator: np.random.Generator,
) -> PlantedError | None:
    """Cut an object: by a gap, by numbers alone, or by a slice that goes missing."""
    inside = state.labels[box] == number
    ways = ["gap", "numbers", "slice"] if len(inside) >= 5 else ["gap", "numbers"]
    for way in generator.permutation(ways):
        cut, side = _cut(inside, str(way), size, generator)
        half = _two_parts(inside & ~cut, side)
        if half is None or min(np.count_nonzero(half == part) for part in (1, 2)) < smallest:
            continue
        fresh = int(state.labels.max()) + 1
        state.labels[box][cut & inside] = 0
        state.labels[box][half == 2] = fresh
        if way != "numbers":
            belief = generator.uniform(0.3, 0.5)
            seen = state.probability[box]
            seen[cut & inside] = np.minimum(seen[cut & inside], belief)
        touch = cut & inside if (cut & inside).any() else _seam(half)
        return PlantedError("split", (number, fresh), box_of(touch, box), str(way))
    return None


def _cut(
    inside: NDArray[np.bool_], way: str, size: VoxelSize, generator: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Draw a cut across the object's long axis, or a slice: where it is, and one side of it."""
    places = np.argwhere(inside) * np.array(size)
    if way == "slice":
        z = int(generator.integers(2, len(inside) - 2))
        cut = np.zeros_like(inside)
        cut[z] = True
        side = np.zeros_like(inside)
        side[:z] = True
        return cut, side
    middle = places.mean(axis=0)
    axis = np.linalg.eigh(np.cov((places - middle).T + 1e-9))[1][:, -1]
    axis = axis + generator.normal(0, 0.2, 3) * (np.ptp(places, axis=0) > 0)
    axis /= np.linalg.norm(axis)
    if size[0] > 20 and np.abs(axis[1:]).max() > 0.3:  # thick slices are cut in their plane
        axis = np.array([0, *axis[1:]]) / np.linalg.norm(axis[1:])
    along = (np.moveaxis(np.indices(inside.shape), 0, -1) * np.array(size) - middle) @ axis
    spread = np.percentile(along[inside], [25, 75])
    where = generator.uniform(*spread)
    width = generator.integers(1, 4) * size[2] if way == "gap" else 0.0
    return np.asarray(np.abs(along - where) < width / 2), np.asarray(along < where)


def _two_parts(inside: NDArray[np.bool_], side: NDArray[np.bool_]) -> NDArray[np.int32] | None:
    """Number the two sides; None unless each is of one piece."""
    parts = np.zeros(inside.shape, np.int32)
    for number, half in ((1, inside & side), (2, inside & ~side)):
        if ndimage.label(half, FULL)[1] != 1:
            return None
        parts[half] = number
    return parts


def _seam(parts: NDArray[np.int32]) -> NDArray[np.bool_]:
    seam: NDArray[np.bool_] = ndimage.binary_dilation(parts == 1, FULL) & (parts == 2)
    return seam if seam.any() else parts == 2
