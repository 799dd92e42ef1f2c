"""Errors planted in a true label map: what a worklist is judged by, as their places are known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from chondria.review.boxes import Box, grow_box, is_flat, object_boxes
from chondria.review.suspicion import Kind
from chondria.volume import VoxelSize

__all__ = ["Planted", "PlantedError", "believed_probability", "plant_errors"]

SMALLEST_DIAMETER_NM: Final = 150.0
LONGEST_BRIDGE_NM: Final = 400.0
FULL: Final = np.ones((3, 3, 3), bool)


@dataclass(frozen=True, eq=False, slots=True)
class PlantedError:
    """An error whose place is known.

    Attributes
    ----------
    kind : {"merge", "split", "miss"}
        What was done.
    ids : tuple of int
        Objects of the new label map: the joined one, the two halves, none for a miss.
    box : tuple of slice
        What is to be found lies in this box (z, y, x).
    how : str
        The variant.
    """

    kind: Kind
    ids: tuple[int, ...]
    box: Box
    how: str


@dataclass(slots=True)
class Planted:
    """A label map and its probabilities with errors planted in both.

    Attributes
    ----------
    labels : ndarray of int32, (Z, Y, X)
        With errors.
    probability : ndarray of float32, (Z, Y, X)
        0 to 1, as a network that makes these errors would have it.
    errors : list of PlantedError
        What was planted.
    """

    labels: NDArray[np.int32]
    probability: NDArray[np.float32]
    errors: list[PlantedError] = field(default_factory=list)


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
    boxes = object_boxes(state.labels)
    flat = is_flat(boxes)
    smallest = _smallest_voxels(voxel_size_nm, flat)
    order = [
        int(n) for n in generator.permutation(list(boxes)) if _count(state, boxes, n) >= smallest
    ]
    used: set[int] = set()
    plants: dict[Kind, Callable[[int], PlantedError | None]] = {
        "merge": lambda n: _merge(state, boxes, n, set(order) - used, voxel_size_nm, generator),
        "split": lambda n: _split(state, boxes[n], n, smallest / 2, voxel_size_nm, generator),
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


def _smallest_voxels(size: VoxelSize, flat: bool) -> float:
    if flat:
        return math.pi / 4 * SMALLEST_DIAMETER_NM**2 / math.prod(size[1:])
    return math.pi / 6 * SMALLEST_DIAMETER_NM**3 / math.prod(size)


def _count(state: Planted, boxes: dict[int, Box], number: int) -> int:
    return int(np.count_nonzero(state.labels[boxes[number]] == number))


def _miss(state: Planted, box: Box, number: int, generator: np.random.Generator) -> PlantedError:
    """Take an object away, and with it most of the network's belief."""
    wide = grow_box(box, (1, 6, 6), state.labels.shape)
    inside = state.labels[wide] == number
    around = ndimage.binary_dilation(inside, FULL[1:2], 5)
    around &= (state.labels[wide] == 0) | inside
    peak = generator.uniform(0.25, 0.5)
    state.probability[wide][around] *= peak
    state.labels[wide][inside] = 0
    return PlantedError("miss", (), box, f"{peak:.1f}")


def _merge(
    state: Planted,
    boxes: dict[int, Box],
    number: int,
    free: set[int],
    size: VoxelSize,
    generator: np.random.Generator,
) -> PlantedError | None:
    """Join an object with its nearest neighbour by a tube."""
    margin = [round(LONGEST_BRIDGE_NM / edge) for edge in size]
    margin[0] = 0 if is_flat(boxes) else margin[0]
    wide = grow_box(boxes[number], margin, state.labels.shape)
    labels = state.labels[wide]
    inside = labels == number
    others = np.isin(labels, list(free - {number}))
    if not others.any():
        return None
    distance, nearest = ndimage.distance_transform_edt(~inside, sampling=size, return_indices=True)
    place = np.unravel_index(np.argmin(np.where(others, distance, np.inf)), labels.shape)
    if not 0 < distance[place] <= LONGEST_BRIDGE_NM:
        return None
    other = int(labels[place])
    ends = np.array([[axis[place] for axis in nearest], place])
    radius = generator.uniform(15, 50)
    tube = _tube(labels.shape, ends, size, radius)
    if np.setdiff1d(labels[tube], [0, number, other]).size:
        return None
    bridge = tube & (labels == 0)
    belief = generator.uniform(0.55, 0.9)
    seen = state.probability[wide]
    seen[bridge] = np.maximum(seen[bridge], belief + generator.normal(0, 0.03, bridge.sum()))
    seen[bridge] = seen[bridge].clip(0, 1)
    labels[bridge] = number
    state.labels[boxes[other]][state.labels[boxes[other]] == other] = number
    z, y, x = (
        slice(int(lo) + side.start, int(hi) + side.start + 1)
        for lo, hi, side in zip(ends.min(axis=0), ends.max(axis=0), wide, strict=True)
    )
    # The other's number is free now, and nobody may use either again.
    return PlantedError("merge", (number, other), (z, y, x), f"{2 * radius:.0f} nm")


def _tube(
    shape: tuple[int, ...], ends: NDArray[Any], size: VoxelSize, radius: float
) -> NDArray[np.bool_]:
    """Voxels within a radius of the line between two voxels."""
    start, stop = ends * np.array(size)
    way = stop - start
    place = np.moveaxis(np.indices(shape), 0, -1) * np.array(size) - start
    along = (place @ way / max(float(way @ way), 1e-9)).clip(0, 1)
    away = np.linalg.norm(place - along[..., None] * way, axis=-1)
    tube: NDArray[np.bool_] = away <= max(radius, *size[1:])
    return tube


def _split(
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
        return PlantedError("split", (number, fresh), _box_of(touch, box), str(way))
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


def _box_of(mask: NDArray[np.bool_], box: Box) -> Box:
    found = ndimage.find_objects(mask.astype(np.uint8))[0]
    z, y, x = (
        slice(part.start + side.start, part.stop + side.start)
        for part, side in zip(found, box, strict=True)
    )
    return z, y, x
