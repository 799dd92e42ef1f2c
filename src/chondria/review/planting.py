"""Errors planted in a true label map: what a worklist is judged by, as their places are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from chondria.review.boxes import Box, grow_box, is_flat, object_boxes
from chondria.review.planted import Planted, PlantedError
from chondria.review.planted_merges import plant_merge
from chondria.review.planted_splits import plant_split
from chondria.review.suspicion import Kind
from chondria.volume import VoxelSize, ball_voxels

__all__ = ["believed_probability", "plant_errors"]

SMALLEST_DIAMETER_NM: Final = 150.0
PLANE: Final = np.ones((1, 3, 3), bool)


def believed_probability(
    mask: NDArray[np.bool_], voxel_size_nm: VoxelSize, generator: np.random.Generator
) -> NDArray[np.float32]:
    """Make probabilities of a true mask: blurred outlines, doubt that varies from place to place.

    Parameters
    ----------
    mask : ndarray of bool, (Z, Y, X)
        The truth.
    voxel_size_nm : tuple of float
        (z, y, x) in nm.
    generator : numpy.random.Generator
        Of the doubt.

    Returns
    -------
    ndarray of float32, (Z, Y, X)
        0 to 1.
    """
    blur = [0.0 if edge > 20 else 12 / edge for edge in voxel_size_nm]
    soft = ndimage.gaussian_filter(mask.astype(np.float32), blur)
    grain = [0.0 if edge > 20 else 40 / edge for edge in voxel_size_nm]
    noise = generator.standard_normal(mask.shape, np.float32)
    noise = ndimage.gaussian_filter(noise, grain)
    logit = np.log(soft.clip(0.01, 0.99) / (1 - soft.clip(0.01, 0.99))) + noise / noise.std()
    return np.asarray(1 / (1 + np.exp(-logit)), np.float32)


def plant_errors(
    labels: NDArray[Any],
    probability: NDArray[np.float32],
    voxel_size_nm: VoxelSize,
    generator: np.random.Generator,
    counts: dict[Kind, int],
) -> Planted:
    """Plant merges, splits and misses, each in objects of its own.

    Parameters
    ----------
    labels : ndarray of int, (Z, Y, X)
        True objects.
    probability : ndarray of float32, (Z, Y, X)
        0 to 1.
    voxel_size_nm : tuple of float
        (z, y, x) in nm.
    generator : numpy.random.Generator
        Draws objects, places and sizes.
    counts : dict
        How many of "merge", "split" and "miss".

    Returns
    -------
    Planted
        As many of them as the volume has suitable objects for.
    """
    state = Planted(labels.astype(np.int32), probability.astype(np.float32))
    size = voxel_size_nm
    boxes = object_boxes(state.labels)
    smallest = ball_voxels(SMALLEST_DIAMETER_NM, size, flat=is_flat(boxes))
    order = [
        int(n) for n in generator.permutation(list(boxes)) if _count(state, boxes, n) >= smallest
    ]
    used: set[int] = set()
    plants: dict[Kind, Callable[[int], PlantedError | None]] = {
        "merge": lambda n: plant_merge(
            state, boxes, n, set(order) - used, voxel_size_nm, generator
        ),
        "split": lambda n: plant_split(state, boxes[n], n, smallest / 2, size, generator),
        "miss": lambda n: _miss(state, boxes[n], n, generator),
    }
    for kind, plant in plants.items():
        planted: list[PlantedError] = []
        for number in order:
            if len(planted) == counts.get(kind, 0):
                break
            if number not in used and (error := plant(number)) is not None:
                planted.append(error)
                used |= {number, *error.ids}
        state.errors += planted
    return state


def _count(state: Planted, boxes: dict[int, Box], number: int) -> int:
    return int(np.count_nonzero(state.labels[boxes[number]] == number))


def _miss(state: Planted, box: Box, number: int, generator: np.random.Generator) -> PlantedError:
    """Take an object away, and with it most of the network's belief."""
    wide = grow_box(box, (1, 6, 6), state.labels.shape)
    inside = state.labels[wide] == number
    around = ndimage.binary_dilation(inside, PLANE, 5)
    around &= (state.labels[wide] == 0) | inside
    peak = generator.uniform(0.25, 0.5)
    state.probability[wide][around] *= peak
    state.labels[wide][inside] = 0
    return PlantedError("miss", (), box, f"{peak:.1f}")
