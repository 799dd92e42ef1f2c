"""Plant a merge: join two neighbours as networks do."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from chondria.review.boxes import Box, grow_box, is_flat
from chondria.review.planted import Planted, PlantedError, box_of
from chondria.volume import VoxelSize

__all__ = ["plant_merge"]

# A network joins neighbours across a cleft, not across the cytoplasm.
WIDEST_CLEFT_NM: Final = 100.0


def plant_merge(
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
    return PlantedError("merge", (number, other), box_of(filled, wide), f"{gap:.0f} nm")


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
