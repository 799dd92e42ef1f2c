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
# A network joins neighbours across a cleft, not across the cytoplasm.
WIDEST_CLEFT_NM: Final = 100.0
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
    """Join an object with its nearest neighbour across the cleft between them.

    The cleft is at most 100 nm wide. It is filled around its narrowest place, as far as it is 10 to
    40 nm wider there (so that flat faces join over more than round ones) and 30 to 100 nm away: in
    sections of 50 nm in one slice or three. What a network joined in slices that it had not learned
    (CDeep3M, 42 pairs) was mostly 10 to 50 nm apart, over 20 to 400 nm, most often about 100, with
    a mean probability of 0.66 to 0.97 between them; hence the belief.
    """
    reach = [round(2 * WIDEST_CLEFT_NM / edge) for edge in size]
    reach[0] = 0 if is_flat(boxes) else reach[0]
    wide = grow_box(boxes[number], reach, state.labels.shape)
    labels = state.labels[wide]
    others = np.isin(labels, list(free - {number}))
    if not others.any():
        return None
    away = ndimage.distance_transform_edt(labels != number, sampling=size)
    place = np.unravel_index(np.argmin(np.where(others, away, np.inf)), labels.shape)
    other, gap = int(labels[place]), float(away[place])
    if gap > WIDEST_CLEFT_NM:
        return None
    both = away + ndimage.distance_transform_edt(labels != other, sampling=size)
    radius = max(generator.uniform(30, 100), gap / 2, *size[1:])
    filled = both <= gap + generator.uniform(10, 40)
    filled &= _ball(labels.shape, _middle_of_cleft(both, away, gap, place, size), size, radius)
    if np.setdiff1d(labels[filled], [0, number, other]).size:
        return None
    filled &= labels == 0
    belief = generator.uniform(0.6, 0.95)
    seen = state.probability[wide]
    seen[filled] = np.maximum(
        seen[filled], (belief + generator.normal(0, 0.03, filled.sum())).clip(0, 1)
    )
    labels[filled] = number
    state.labels[boxes[other]][state.labels[boxes[other]] == other] = number
    # The other's number is free now, and nobody may use either again.
    return PlantedError("merge", (number, other), _box_of(filled, wide), f"{gap:.0f} nm")


def _middle_of_cleft(
    both: NDArray[Any], away: NDArray[Any], gap: float, place: Any, size: VoxelSize
) -> NDArray[np.float64]:
    """Find where the cleft is narrowest, half way from one object to the other: (z, y, x) in nm."""
    narrow = np.argwhere(both <= gap + max(size[1:]))
    near = np.linalg.norm((narrow - np.array(place)) * np.array(size), axis=1) <= gap
    narrow = narrow[near]
    middle = narrow[np.argmin(np.abs(away[tuple(narrow.T)] - gap / 2))]
    return np.asarray(middle * np.array(size), np.float64)


def _ball(
    shape: tuple[int, ...], middle: NDArray[np.float64], size: VoxelSize, radius: float
) -> NDArray[np.bool_]:
    """Voxels within a radius in nm of a place."""
    square = sum(
        (axis * edge - at) ** 2
        for axis, edge, at in zip(np.indices(shape, sparse=True), size, middle, strict=True)
    )
    ball: NDArray[np.bool_] = np.asarray(square <= radius**2)
    return ball


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
